"""Compose itself resolves the project; what it refuses is said with the place in the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._compose import chosen_services, isolate, resolve
from hullmark._compose.positions import declarations
from hullmark._root import COMPOSE_FILES, find_root
from hullmark._settings import load_settings
from hullmark.errors import ConfigurationError, Unavailable, UsageError
from hullmark.model.project import Settings
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._process import Commands
    from hullmark.model.project import Project


@pytest.fixture
def resolved(tmp_path: Path, commands: Commands) -> Any:
    """Writes the files of a project, and resolves it."""

    def write_and_resolve(files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Project:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return resolve(tmp_path, load_settings(tmp_path, environ or {}), commands)

    return write_and_resolve


def _problems(resolved: Any, files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        resolved(files, environ)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def _spans(project: Project) -> dict[str, str]:
    return {service.name: str(service.span) for service in project.services}


WEB = "services:\n  web:\n    image: x\n"


def test_services_are_sorted_and_point_at_their_declaration(resolved: Any, tmp_path: Path) -> None:
    project = resolved({"compose.yml": "services:\n  web:\n    image: x\n  db: {image: y}\n"})
    assert _spans(project) == {"db": "compose.yml:4:3", "web": "compose.yml:2:3"}
    assert project.root == tmp_path
    assert [service.image for service in project.services] == ["y", "x"]


def test_a_name_that_the_file_gives_is_the_project_s(resolved: Any) -> None:
    assert resolved({"compose.yml": f"name: tale\n{WEB}"}).name == "tale"


def test_an_image_that_is_built_has_the_name_that_compose_derives(resolved: Any) -> None:
    project = resolved({"compose.yml": "name: tale\nservices:\n  web:\n    build: .\n"})
    assert project.service("web").image == "tale-web"


def test_an_image_that_is_built_may_have_a_name_of_its_own(resolved: Any) -> None:
    project = resolved({"compose.yml": "services:\n  web:\n    build: .\n    image: mine:1\n"})
    assert project.service("web").image == "mine:1"
    assert project.built == (project.service("web"),)


def test_build_as_text_is_a_context_with_the_usual_dockerfile(resolved: Any, tmp_path: Path) -> None:
    build = resolved({"compose.yml": "services:\n  web:\n    build: ./app\n"}).service("web").build
    assert build.context == str(tmp_path / "app")
    assert build.dockerfile == str(tmp_path / "app" / "Dockerfile")
    assert build.unreadable is None


def test_dockerfile_target_and_arguments_are_taken_over(resolved: Any, tmp_path: Path) -> None:
    text = """
services:
  web:
    build:
      context: .
      dockerfile: docker/web.Dockerfile
      target: prod
      args: {B: "a$$b", A: 1, UNSET: }
"""
    build = resolved({"compose.yml": text}).service("web").build
    assert build.dockerfile == str(tmp_path / "docker" / "web.Dockerfile")
    assert build.target == "prod"
    assert build.args == (("A", "1"), ("B", "a$b"))


def test_an_inline_dockerfile_cannot_be_read_here(resolved: Any) -> None:
    text = "services:\n  web:\n    build:\n      dockerfile_inline: FROM scratch\n"
    build = resolved({"compose.yml": text}).service("web").build
    assert build.unreadable == "its Dockerfile is written inline in the Compose file"


def test_a_remote_context_cannot_be_read_here(resolved: Any) -> None:
    text = "services:\n  web:\n    build: https://example.com/x.git#main:sub\n"
    build = resolved({"compose.yml": text}).service("web").build
    assert build.context == "https://example.com/x.git#main:sub"
    assert build.unreadable == "its build context is remote: https://example.com/x.git#main:sub"


def test_additional_contexts_do_not_hide_the_main_one(resolved: Any, tmp_path: Path) -> None:
    text = """
services:
  web:
    build: {context: app, additional_contexts: {lib: ../lib, far: "https://example.com/x.git"}}
"""
    build = resolved({"compose.yml": text}).service("web").build
    assert (build.context, build.unreadable) == (str(tmp_path / "app"), None)
    assert build.contexts == ("far", "lib")


def test_published_ports_and_what_is_waited_for_are_taken_over(resolved: Any) -> None:
    text = """
services:
  web:
    image: x
    ports: ["8000-8002:80-82", "53:53/udp", "127.0.0.1:9:80"]
    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}
  db: {image: x}
  migrate: {image: x, depends_on: [db]}
"""
    project = resolved({"compose.yml": text})
    assert project.service("web").ports == (80, 81, 82)
    assert project.service("web").depends_on == (
        ("db", "service_healthy"),
        ("migrate", "service_completed_successfully"),
    )
    assert project.one_shots == {"migrate"}


@pytest.mark.parametrize(
    ("text", "restarts", "when_done", "limit"),
    [
        ("", False, False, None),
        ('restart: "no"', False, False, None),
        ("restart: always", True, True, None),
        ("restart: unless-stopped", True, True, None),
        ("restart: on-failure", True, False, None),
        ("restart: on-failure:3", True, False, 3),
        ("deploy: {restart_policy: {condition: none}}", False, False, None),
        ("deploy: {restart_policy: {condition: any}}", True, True, None),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}", True, False, 2),
    ],
)
def test_the_restart_policy_is_understood(
    resolved: Any, text: str, *, restarts: bool, when_done: bool, limit: int | None
) -> None:
    web = resolved({"compose.yml": f"{WEB}    {text}\n"}).service("web")
    assert (web.restarts, web.restarts_when_done, web.restart_limit) == (restarts, when_done, limit)


def test_who_allows_restarts_of_a_service_that_nobody_restarts_is_told(resolved: Any) -> None:
    files = {"compose.yml": WEB, "hullmark.toml": "[services.web]\nrestarts = 5\n"}
    with pytest.raises(ConfigurationError) as caught:
        resolved(files)
    assert caught.value.problems == (
        "hullmark.toml:1:1: `restarts` of `web` allows what nobody does: it has no restart policy",
    )
    assert (
        resolved({**files, "compose.yml": f"{WEB}    restart: always\n"}).settings.service("web").restarts
        == 5
    )


def test_the_override_file_is_merged_and_may_add_services(resolved: Any) -> None:
    project = resolved(
        {
            "compose.yml": WEB,
            "compose.override.yml": "services:\n  dbg: {image: y}\n  web:\n    image: z\n",
        }
    )
    assert _spans(project) == {"dbg": "compose.override.yml:2:3", "web": "compose.yml:2:3"}
    assert project.service("web").image == "z"


def test_of_several_files_the_one_is_read_that_compose_takes(resolved: Any) -> None:
    files = {
        name: f"services: {{{key}: {{image: x}}}}\n"
        for name, key in (
            ("docker-compose.yaml", "a"),
            ("docker-compose.yml", "b"),
            ("compose.override.yaml", "c"),
            ("compose.override.yml", "d"),
        )
    }
    assert _spans(resolved(files)) == {"b": "docker-compose.yml:1:12", "d": "compose.override.yml:1:12"}


def test_the_files_of_the_configuration_are_taken_and_no_others(resolved: Any) -> None:
    project = resolved(
        {
            "hullmark.toml": '[project]\ncompose = ["a.yml", "sub/b.yml"]\n',
            "a.yml": WEB,
            "sub/b.yml": "services:\n  web: {image: y}\n  db: {image: z}\n",
            "compose.override.yml": "services: {no: {image: x}}\n",
        }
    )
    assert _spans(project) == {"db": "sub/b.yml:3:3", "web": "a.yml:2:3"}


def test_compose_s_own_setting_in_the_env_file_names_the_files(resolved: Any) -> None:
    project = resolved(
        {".env": 'export COMPOSE_FILE="a.yml:b.yml"\n', "a.yml": WEB, "b.yml": "services: {db: {image: x}}\n"}
    )
    assert _spans(project) == {"db": "b.yml:1:12", "web": "a.yml:2:3"}


def test_compose_s_own_setting_in_the_environment_names_the_files(resolved: Any) -> None:
    files = {
        "a.yml": WEB,
        "b.yml": "services: {db: {image: x}}\n",
        "compose.yml": "services: {no: {image: x}}\n",
    }
    environ = {"COMPOSE_FILE": "a.yml;b.yml", "COMPOSE_PATH_SEPARATOR": ";"}
    assert _spans(resolved(files, environ)) == {"db": "b.yml:1:12", "web": "a.yml:2:3"}


def test_a_service_of_an_included_file_points_into_that_file(resolved: Any) -> None:
    project = resolved(
        {
            "compose.yml": f"include:\n  - a/one.yml\n  - path: [b/two.yml]\n{WEB}",
            "a/one.yml": "include: [../c/three.yml]\nservices:\n  db: {build: .}\n",
            "b/two.yml": "\nservices:\n  rag: {image: x}\n",
            "c/three.yml": "services: {deep: {image: x}}\n",
        }
    )
    assert _spans(project) == {
        "db": "a/one.yml:3:3",
        "deep": "c/three.yml:1:12",
        "rag": "b/two.yml:3:3",
        "web": "compose.yml:5:3",
    }


def test_what_a_service_extends_is_merged_into_it(resolved: Any) -> None:
    project = resolved(
        {
            "compose.yml": "services:\n  web:\n    extends: {file: base.yml, service: base}\n",
            "base.yml": "services:\n  base:\n    image: x\n    ports: ['80']\n",
        }
    )
    assert _spans(project) == {"web": "compose.yml:2:3"}
    assert (project.service("web").image, project.service("web").ports) == ("x", (80,))


def test_several_documents_in_one_file_are_all_read(resolved: Any) -> None:
    project = resolved({"compose.yml": f"{WEB}---\nservices:\n  db: {{image: x}}\n"})
    assert _spans(project) == {"db": "compose.yml:6:3", "web": "compose.yml:2:3"}


def test_compose_s_own_tags_are_no_errors(resolved: Any) -> None:
    project = resolved(
        {
            "compose.yml": f"{WEB}    ports: ['80:80']\n",
            "compose.override.yml": "services:\n  web:\n    ports: !override ['81:81']\n",
        }
    )
    assert project.service("web").ports == (81,)


def test_anchors_aliases_and_merge_keys_are_followed(resolved: Any) -> None:
    text = """
x-base: &base {image: x}
x-more: &more {init: true}
services:
  web:
    <<: [*base, *more]
  db: *base
"""
    assert _spans(resolved({"compose.yml": text})) == {"db": "compose.yml:7:3", "web": "compose.yml:5:3"}


PROFILES = "services:\n  web: {image: x}\n  debug: {image: x, profiles: [debug]}\n"


def test_a_service_of_a_profile_is_there_when_the_profile_is_enabled(resolved: Any) -> None:
    files = {"compose.yml": PROFILES, "hullmark.toml": '[project]\nprofiles = ["debug"]\n'}
    assert set(_spans(resolved(files))) == {"debug", "web"}


def test_a_service_of_a_profile_is_not_there_otherwise(resolved: Any) -> None:
    assert set(_spans(resolved({"compose.yml": PROFILES}))) == {"web"}


def test_settings_of_a_service_whose_profile_is_not_enabled_say_so(resolved: Any) -> None:
    files = {"compose.yml": PROFILES, "hullmark.toml": '\n[services.debug]\nbudget = "1 MB"\n'}
    with pytest.raises(ConfigurationError) as caught:
        resolved(files)
    assert caught.value.problems == (
        "hullmark.toml:2:1: service `debug` belongs to a profile that is not enabled (compose.yml:3:3)",
    )
    assert caught.value.hint == "`project.profiles` lists the profiles to enable"


def test_variables_come_from_the_env_file_of_the_configuration(resolved: Any) -> None:
    project = resolved(
        {
            "compose.yml": "services:\n  web:\n    image: x:${TAG:?}\n",
            "hullmark.toml": '[project]\nenv-file = "test.env"\n',
            "test.env": "TAG=7\n",
        }
    )
    assert project.service("web").image == "x:7"


def test_the_arguments_find_the_same_project_again(resolved: Any, tmp_path: Path, commands: Commands) -> None:
    files = {
        "a.yml": PROFILES,
        "test.env": "",
        "hullmark.toml": '[project]\ncompose = ["a.yml"]\nenv-file = "test.env"\nprofiles = ["debug"]\n',
    }
    project = resolved(files)
    again = commands.run(("docker", "compose", *project.compose_arguments, "config", "--services")).check()
    assert sorted(again.stdout.split()) == ["debug", "web"]
    assert project.compose_arguments[:2] == ("--project-directory", str(tmp_path))


def test_the_isolated_copy_of_a_real_project_is_accepted_by_compose(
    resolved: Any, commands: Commands, tmp_path: Path
) -> None:
    text = """
name: tale
services:
  web:
    build: .
    container_name: fixed
    command: ["echo", "$$HOME"]
    profiles: [on]
    ports: ["8000-8002:80-82", "53:53/udp"]
    healthcheck: {test: ["CMD", "true"], start_period: 3s}
    secrets: [s]
    configs: [c]
    networks: {inner: {ipv4_address: 10.9.0.3}}
  host: {image: x, network_mode: host, volumes: [data:/data]}
  side: {image: x, network_mode: "service:web"}
networks: {inner: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}}}
volumes: {data: {name: fixed}}
secrets: {s: {environment: SECRET}}
configs: {c: {content: "a $$B"}}
"""
    project = resolved(
        {"compose.yml": text, ".env": "SECRET=1\n", "hullmark.toml": '[project]\nprofiles = ["on"]\n'}
    )
    copy = isolate(
        project, name="copy", labels={"l": "1"}, reach={"side": [9], "host": [8]}, start_interval=True
    )
    argv = ("docker", "compose", "-p", "copy", "-f", "-", "config", "--format", "json")
    accepted = json.loads(commands.run(argv, cwd=tmp_path, stdin=copy.configuration).check().stdout)
    services = accepted["services"]
    assert set(services) == {"web", "host", "side"}
    assert {(p["target"], p["protocol"]) for p in services["web"]["ports"]} == {
        (9, "tcp"),
        (53, "udp"),
        (80, "tcp"),
        (81, "tcp"),
        (82, "tcp"),
    }
    assert not any("published" in port for value in services.values() for port in value.get("ports", ()))
    assert services["web"]["command"] == ["echo", "$$HOME"]
    assert services["web"]["networks"]["inner"] == {"aliases": ["fixed"]}
    assert services["host"]["networks"] == {"default": None}
    assert accepted["volumes"]["data"]["name"] == "copy_data"
    assert accepted["networks"]["inner"]["name"] == "copy_inner"


# What is wrong, and what is said of it.


def test_no_compose_file_is_said_with_the_names_that_are_looked_for(resolved: Any, tmp_path: Path) -> None:
    assert _problems(resolved, {"readme": ""}) == [
        f"{tmp_path}: no Compose file; expected one of {', '.join(COMPOSE_FILES)}"
    ]


def test_missing_files_are_all_named_with_the_line_that_asks_for_them(resolved: Any) -> None:
    files = {
        "hullmark.toml": '[project]\n\ncompose = ["a.yml", "compose.yml", "b.yml"]\n',
        "compose.yml": WEB,
    }
    assert _problems(resolved, files) == [
        "hullmark.toml:3:1: `a.yml` does not exist",
        "hullmark.toml:3:1: `b.yml` does not exist",
    ]


def test_a_missing_file_of_the_environment_is_named_with_its_variable(resolved: Any) -> None:
    assert _problems(resolved, {"compose.yml": WEB}, {"HULLMARK_COMPOSE": "a.yml"}) == [
        "environment variable HULLMARK_COMPOSE: `a.yml` does not exist"
    ]


def test_a_missing_env_file_is_named_with_the_line_that_asks_for_it(resolved: Any) -> None:
    files = {"compose.yml": WEB, "hullmark.toml": '[project]\nenv-file = ".env.test"\n'}
    assert _problems(resolved, files) == ["hullmark.toml:2:1: the env file `.env.test` does not exist"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("services:\n  web:\n   image: x\n  bad: [\n", "compose.yml:5:1"),
        ("services:\n\tweb: {}\n", "compose.yml:2:1"),
        ("services:\n  web: &a {image: *nope}\n", "compose.yml:2:19"),
        ("services: {web: {image: 'x}}\n", "compose.yml:2:1"),
        ("a: b: c\n", "compose.yml:1:5"),
    ],
)
def test_what_is_no_yaml_is_said_with_file_line_and_column(resolved: Any, text: str, place: str) -> None:
    (problem,) = _problems(resolved, {"compose.yml": text})
    assert problem.startswith(f"{place}: not valid YAML: ")


def test_a_file_that_is_no_text_is_named(tmp_path: Path, commands: Commands) -> None:
    (tmp_path / "compose.yml").write_bytes(b"services: \xff\n")
    with pytest.raises(ConfigurationError, match=r"^compose\.yml: cannot be read: "):
        resolve(tmp_path, Settings(), commands)


def test_a_file_that_is_nested_without_end_is_refused(resolved: Any) -> None:
    (problem,) = _problems(resolved, {"compose.yml": "[" * 20000})
    assert (
        problem.startswith("compose.yml:")
        or problem == "compose.yml: cannot be read: it is nested too deeply"
    )


def test_keys_that_stand_twice_are_all_named(resolved: Any) -> None:
    text = "services:\n  web: {image: x}\n  web: {image: y}\n  db: {image: x, image: y}\n"
    assert _problems(resolved, {"compose.yml": text}) == [
        "compose.yml:3:3: `services.web` stands here again, after line 2",
        "compose.yml:4:18: `services.db.image` stands here again, after line 4",
    ]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (f"{WEB}    ports: 5\n", "compose.yml:4:5", "services.web.ports must be a list"),
        ("services:\n  a.b: {image: x, ports: 5}\n", "compose.yml:2:19", "services.a.b.ports must be a list"),
        (f"{WEB}    imagee: y\n", "compose.yml:4:5", "Additional property imagee is not allowed"),
        ("servces:\n  web: {image: x}\n", "compose.yml:1:1", "Additional property servces is not allowed"),
        (f"{WEB}networks: 5\n", "compose.yml:4:1", "networks must be a mapping"),
        (f"{WEB}    volumes: ['data:/d']\n", "compose.yml:2:3", "undefined volume data"),
        (f"{WEB}    networks: [nope]\n", "compose.yml:2:3", "undefined network nope"),
        (f"{WEB}    depends_on: [db]\n", "compose.yml:2:3", 'undefined service "db"'),
        (f"{WEB}    env_file: gone.env\n", "compose.yml:4:15", "gone.env"),
        ("services:\n  web:\n    extends: {file: gone.yml, service: q}\n", "compose.yml:3:21", "gone.yml"),
        ("services:\n  web:\n    extends: {service: q}\n", "compose.yml:2:3", 'service "q" not found'),
        (f"include: [gone.yml]\n{WEB}", "compose.yml:1:11", "gone.yml"),
        ("services:\n  web:\n    command: x\n", "compose.yml:2:3", "neither an image nor a build context"),
        ('services:\n  web:\n    image: "${x y}"\n', "compose.yml:3:5", "invalid interpolation format"),
        (
            "services:\n  web: {image: x, depends_on: [db]}\n  db: {image: x, depends_on: [web]}\n",
            "compose.yml:3:3",
            "cycle detected: db -> web -> db",
        ),
        ("", "compose.yml", "empty compose file"),
    ],
)
def test_what_compose_refuses_is_said_with_the_place_it_is_about(
    resolved: Any, text: str, place: str, said: str
) -> None:
    (problem,) = _problems(resolved, {"compose.yml": text})
    assert problem.startswith(f"{place}: Compose refuses the project: ")
    assert said in problem


def test_what_compose_refuses_of_an_included_file_is_said_with_that_file(resolved: Any) -> None:
    files = {
        "compose.yml": f"include: [a/b.yml]\n{WEB}",
        "a/b.yml": "services:\n  db:\n    image: x\n    ports: 5\n",
    }
    (problem,) = _problems(resolved, files)
    assert problem.startswith("a/b.yml:4:5: Compose refuses the project: ")


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ("mem_limit: 64m", ("mem_limit", 64 * 2**20)),
        ("deploy: {resources: {limits: {memory: 1g}}}", ("deploy.resources.limits.memory", 2**30)),
        ("mem_limit: 0", None),
        ("init: true", None),
    ],
)
def test_the_limit_of_memory_is_known_with_its_key(
    resolved: Any, limit: str, found: tuple[str, int] | None
) -> None:
    text = f"services:\n  web:\n    image: x\n    {limit}\n"
    assert resolved({"compose.yml": text}).service("web").memory_limit == found


def test_required_variables_are_all_named_at_once(resolved: Any) -> None:
    text = """
services:
  web:
    image: "x:${TAG:?needed tag}"
    environment:
      A: "${OTHER?}"
      B: "${TAG:?needed tag} ${THIRD:?set it}"
"""
    with pytest.raises(ConfigurationError) as caught:
        resolved({"compose.yml": text})
    assert sorted(caught.value.problems) == [
        "compose.yml:4:5: the variable `TAG` is required and not set: needed tag",
        "compose.yml:6:7: the variable `OTHER` is required and not set",
        "compose.yml:7:7: the variable `THIRD` is required and not set: set it",
    ]
    assert caught.value.hint is not None
    for named in ("`.env`", "`--env-file FILE`", "`project.env-file`"):
        assert named in caught.value.hint


def test_services_that_the_settings_name_and_the_project_has_not_are_all_named(resolved: Any) -> None:
    toml = """
[services.wep]
budget = "1 MB"

[[links]]
from = "wob"
to = "http://web/"

[[ignore.findings]]
rule = "root-user"
service = "zzz"
reason = "so"
"""
    assert _problems(resolved, {"compose.yml": WEB, "hullmark.toml": toml}) == [
        "hullmark.toml:2:1: no service `wep` in the project; did you mean `web`? (services: web)",
        "hullmark.toml:5:1: no service `wob` in the project; did you mean `web`? (services: web)",
        "hullmark.toml:9:1: no service `zzz` in the project (services: web)",
    ]


COMPOSE = ("docker", "compose")


@pytest.mark.parametrize(
    "said",
    [
        "docker: 'compose' is not a docker command.\nSee 'docker --help'",
        "docker: unknown command: docker compose\n\nRun 'docker --help' for more information",
        "unknown shorthand flag: 'f' in -f\nSee 'docker --help'.",
        "unknown flag: --project-directory\nSee 'docker --help'.",
    ],
)
def test_a_docker_without_compose_is_unavailable_and_says_what_to_install(tmp_path: Path, said: str) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    commands = ScriptedCommands({COMPOSE: ScriptedCommands.completed(stderr=said, returncode=125)})
    with pytest.raises(Unavailable, match="no Compose plugin") as caught:
        resolve(tmp_path, Settings(), commands)
    assert caught.value.hint is not None
    assert "install" in caught.value.hint


def test_a_machine_without_docker_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    with pytest.raises(Unavailable, match="`docker` is not on PATH"):
        resolve(tmp_path, Settings(), ScriptedCommands({}))


def test_an_answer_that_is_no_json_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    commands = ScriptedCommands({COMPOSE: ScriptedCommands.completed("services:\n  web: {}\n")})
    with pytest.raises(Unavailable, match="no JSON"):
        resolve(tmp_path, Settings(), commands)


def test_warnings_of_compose_are_not_taken_for_its_reason(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    stderr = 'time="1" level=warning msg="`version` is obsolete"\nservice "web" is wrong\n'
    commands = ScriptedCommands({COMPOSE: ScriptedCommands.completed(stderr=stderr, returncode=15)})
    with pytest.raises(ConfigurationError) as caught:
        resolve(tmp_path, Settings(), commands)
    assert caught.value.problems == ('compose.yml:2:3: Compose refuses the project: service "web" is wrong',)


def test_a_variable_that_stays_missing_although_given_is_asked_for_only_once(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    stderr = "required variable X is missing a value: because"
    commands = ScriptedCommands({COMPOSE: ScriptedCommands.completed(stderr=stderr, returncode=15)})
    with pytest.raises(ConfigurationError) as caught:
        resolve(tmp_path, Settings(), commands)
    assert len(caught.value.problems) == 1
    assert len(commands.calls) == 2


# The root of a project, and the services that a command names.


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("compose.yaml", ""),
        ("docker-compose.yml", ""),
        ("hullmark.toml", ""),
        ("pyproject.toml", "[tool.hullmark.project]\n"),
    ],
)
def test_the_root_is_the_nearest_directory_upwards_with_a_project(
    tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert find_root(tmp_path / "a" / "b") == tmp_path


def test_the_root_is_not_looked_for_outside_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(WEB, encoding="utf-8")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "a").mkdir()
    with pytest.raises(ConfigurationError, match="no Compose file here or above") as caught:
        find_root(tmp_path / "repository" / "a")
    assert caught.value.hint is not None


def test_chosen_services_are_those_named_in_order_and_once(resolved: Any) -> None:
    project = resolved({"compose.yml": "services:\n  b: {build: .}\n  a: {build: .}\n  c: {image: x}\n"})
    assert [s.name for s in chosen_services(project, ["b", "a", "b"])] == ["b", "a"]
    assert [s.name for s in chosen_services(project, [])] == ["a", "b"]


def test_a_service_that_does_not_exist_or_builds_nothing_cannot_be_chosen(resolved: Any) -> None:
    project = resolved({"compose.yml": "services:\n  web: {build: .}\n  db: {image: postgres}\n"})
    with pytest.raises(UsageError, match=r"no service `wbe` in the project; did you mean `web`\?"):
        chosen_services(project, ["wbe"])
    with pytest.raises(UsageError, match=r"`db` runs `postgres` and builds no image \(built: web\)"):
        chosen_services(project, ["db"])


def test_a_project_that_builds_nothing_says_so(resolved: Any) -> None:
    project = resolved({"compose.yml": WEB})
    assert chosen_services(project, []) == ()
    with pytest.raises(UsageError, match=r"\(built: none\)"):
        chosen_services(project, ["web"])


def test_a_service_that_nothing_knows_raises_a_key_error(resolved: Any) -> None:
    with pytest.raises(KeyError, match="nope"):
        resolved({"compose.yml": WEB}).service("nope")


# Places in the files.


def test_aliases_that_multiply_are_read_in_no_time(tmp_path: Path) -> None:
    lines = ["x-0: &x0 [a, a]"]
    lines += [f"x-{n}: &x{n} [*x{n - 1}, *x{n - 1}, *x{n - 1}, *x{n - 1}]" for n in range(1, 40)]
    file = tmp_path / "compose.yml"
    file.write_text("\n".join(lines) + "\nservices: {web: {image: x}}\n", encoding="utf-8")
    assert str(declarations([file], tmp_path).services["web"]) == "compose.yml:41:12"


def test_keys_that_are_no_text_and_values_that_are_no_table_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("? [a, b]\n: 1\nservices: [1, {web: 2}]\ninclude: {a: 1}\n", encoding="utf-8")
    assert "services" in declarations([file], tmp_path).keys


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        text = f"include: [{other}.yml]\nservices: {{{name}: {{image: x}}}}\n"
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
    found = declarations([tmp_path / "a.yml"], tmp_path)
    assert {name: str(span) for name, span in found.services.items()} == {
        "a": "a.yml:2:12",
        "b": "b.yml:2:12",
    }


def test_a_file_outside_of_the_project_is_named_in_full(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(WEB, encoding="utf-8")
    found = declarations([file], tmp_path / "inner")
    assert found.services["web"].path == file.as_posix()


def test_columns_count_characters(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text('services: {"wéb": {image: "ü"}, db: {image: x}}\n', encoding="utf-8")
    assert declarations([file], tmp_path).services["db"].column == 33


def test_only_what_is_outside_of_the_project_can_be_shared(resolved: Any) -> None:
    compose = """
services:
  web: {image: x, networks: [company, own], volumes: [archive:/a, data:/d, "./models:/m"]}
networks: {company: {external: true}, own: }
volumes: {archive: {external: true}, data: }
"""
    toml = '[smoke]\nshared = ["company", "archive", "models"]\n'
    assert resolved({"compose.yml": compose, "hullmark.toml": toml}).settings.smoke_shared == (
        "company",
        "archive",
        "models",
    )
    with pytest.raises(ConfigurationError) as caught:
        resolved({"compose.yml": compose, "hullmark.toml": '[smoke]\nshared = ["compny", "own", "data"]\n'})
    assert [problem.partition(";")[0] for problem in caught.value.problems] == [
        f"hullmark.toml:2:1: `smoke.shared`: `{name}` is no external network or volume of the project, and no "
        "directory or file that it mounts"
        for name in ("compny", "own", "data")
    ]
    assert "did you mean `company`? (external: archive, company)" in caught.value.problems[0]


def test_what_compose_warns_of_is_kept_once_with_its_place(resolved: Any) -> None:
    text = """
version: "3"
services:
  web:
    image: "x:${TAG}"
    environment: {A: "$TAG ${OTHER}", B: "$${KEPT}"}
"""
    project = resolved({"compose.yml": text})
    obsolete, *unset = sorted(project.warnings)
    assert obsolete.startswith("compose.yml: the attribute `version` is obsolete")
    assert unset == [
        "compose.yml:5:5: the variable `TAG` is not set and stands for nothing",
        "compose.yml:6:19: the variable `OTHER` is not set and stands for nothing",
    ]
    assert resolved({"compose.yml": "services:\n  web:\n    image: x:1\n"}).warnings == ()


def test_a_link_to_a_service_that_the_project_has_not_is_refused(resolved: Any) -> None:
    text = """
services:
  web:
    image: x:1
    hostname: Front
    container_name: shop
    extra_hosts: ["gateway:10.0.0.1"]
    networks: {default: {aliases: [www]}}
"""
    links = ["web", "front", "localhost", "gateway", "www", "api.example.com", "wbe", "nowhere", "shop"]
    toml = "".join(f'[[links]]\nfrom = "web"\nto = "http://{host}:80/"\n' for host in links)
    misspelt = "no service `wbe` in the project; did you mean `web`? (services: web)"
    assert _problems(resolved, {"compose.yml": text, "hullmark.toml": toml}) == [
        f"hullmark.toml:19:1: the link leads nowhere: {misspelt}",
        "hullmark.toml:22:1: the link leads nowhere: no service `nowhere` in the project (services: web)",
    ]


NEIGHBOUR = """
services:
  web:
    image: x:1
    networks: [company, default]
  host:
    image: x:1
    network_mode: host
  db:
    image: x:1
networks: {company: {external: true}}
"""


def test_a_link_may_lead_out_of_the_project_by_a_network_that_it_shares(resolved: Any) -> None:
    """Who is in a network of others, or in that of the host, is not for the project's files to say."""
    links = "".join(
        f'[[links]]\nfrom = "{name}"\nto = "http://legacy:80/"\n' for name in ("web", "host", "db")
    )
    nowhere = "the link leads nowhere: no service `legacy` in the project (services: db, host, web)"
    files = {"compose.yml": NEIGHBOUR, "hullmark.toml": links}
    assert _problems(resolved, files) == [f"hullmark.toml:{line}:1: {nowhere}" for line in (1, 7)]
    files["hullmark.toml"] = f'[smoke]\nshared = ["company"]\n{links}'
    assert _problems(resolved, files) == [f"hullmark.toml:9:1: {nowhere}"]
