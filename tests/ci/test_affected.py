"""Which services a change touches, from the command to the reasons."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

Checkout = Any
"""Of the conftest, which is no module to import from."""
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "affected-1.schema.json"
COMPOSE = """\
name: shop
services:
  base:
    image: shop-base
    build: {context: ., dockerfile: base/Dockerfile}
  web:
    build: {context: ., dockerfile: web/Dockerfile, args: {VERSION: "1"}}
    depends_on: [db]
    environment: {LEVEL: info}
    configs: [routes]
  worker:
    build: {context: worker}
    env_file: worker.env
    volumes: ["./data:/data:ro"]
  db:
    image: postgres
    secrets: [password]
  gate:
    image: proxy
    links: [web]
configs:
  routes: {file: ./routes.conf}
secrets:
  password: {file: ./password.txt}
"""
FILES = {
    "compose.yml": COMPOSE,
    "base/Dockerfile": "FROM debian AS unused\nCOPY base/unused /u\nFROM debian\nCOPY base/tool /usr/bin/\n",
    "base/tool": "tool\n",
    "base/unused/file": "unused\n",
    "web/Dockerfile": "FROM shop-base\nARG VERSION\nCOPY web/app /app\nCOPY web/*.toml /etc/\n",
    "web/app/main.py": "main\n",
    "web/app/notes.md": "notes\n",
    "web/a.toml": "a\n",
    "worker/Dockerfile": "FROM debian\nCOPY . /srv\nRUN --mount=type=bind,source=build.sh,target=/b sh /b\n",
    "worker/run.py": "run\n",
    "worker/build.sh": "build\n",
    "worker.env": "A=1\n",
    ".dockerignore": "**/*.md\n",
    "data/rows.csv": "1\n",
    "routes.conf": "/\n",
    "password.txt": "secret\n",
    "README.md": "readme\n",
}


@pytest.fixture
def shop(repository: Checkout) -> Checkout:
    """A project that is committed."""
    repository.commit(FILES)
    return repository


def _run(repository: Checkout, *arguments: str, directory: Path | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    environ = {**repository.environ, "HULLMARK_NO_CACHE": "1"}
    argv = ("-C", str(directory or repository.top), "affected", *arguments)
    code = main(argv, stdout=out, stderr=err, environ=environ)
    return code, out.getvalue(), err.getvalue()


def _report(repository: Checkout, *arguments: str, directory: Path | None = None) -> dict[str, Any]:
    code, out, err = _run(repository, "--format", "json", *arguments, directory=directory)
    assert code == 0, err
    report: dict[str, Any] = json.loads(out)
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return report


def _affected(repository: Checkout, *arguments: str) -> tuple[str, str]:
    report = _report(repository, *arguments)
    return " ".join(report["build"]), " ".join(report["smoke"])


def test_without_a_change_nothing_is_affected(shop: Checkout) -> None:
    assert _affected(shop) == ("", "")
    code, out, _ = _run(shop)
    assert code == 0
    assert "build: nothing" in out
    assert "not affected: base, db, gate, web, worker" in out


@pytest.mark.parametrize(
    ("files", "build", "smoke"),
    [
        ({"README.md": "x"}, "", ""),
        ({"web/app/main.py": "x"}, "web", "gate web"),
        ({"web/app/new.py": "x"}, "web", "gate web"),
        ({"web/app/notes.md": "x"}, "", ""),
        ({"web/b.toml": "x"}, "web", "gate web"),
        ({"web/other.txt": "x"}, "", ""),
        ({"web/Dockerfile": "FROM shop-base\n"}, "web", "gate web"),
        ({"base/tool": "x"}, "base web", "base gate web"),
        ({"base/unused/file": "x"}, "", ""),
        ({"worker/deep/new": "x"}, "worker", "worker"),
        ({"worker/build.sh": "x"}, "worker", "worker"),
        ({".dockerignore": ""}, "base web", "base gate web"),
        ({"worker/.dockerignore": "x"}, "worker", "worker"),
        ({"web/Dockerfile.dockerignore": "x"}, "web", "gate web"),
        ({"data/rows.csv": "2"}, "", "worker"),
        ({"data/new.csv": "2"}, "", "worker"),
        ({"routes.conf": "x"}, "", "gate web"),
        ({"password.txt": "x"}, "", "db gate web"),
        ({"worker.env": "A=2\n"}, "", "worker"),
        ({"worker.env": "# a comment\nA=1\n"}, "", ""),
        ({"compose.yml": f"# a comment\n{COMPOSE}"}, "", ""),
        ({"compose.yml": COMPOSE.replace('"1"', '"2"')}, "web", "gate web"),
        ({"compose.yml": COMPOSE.replace("info", "debug")}, "", "gate web"),
        ({"compose.yml": COMPOSE.replace("postgres", "postgres:17")}, "", "db gate web"),
        ({"compose.yml": COMPOSE.replace("context: worker", "context: worker, target: x")}, None, None),
        ({"compose.override.yml": "services: {db: {environment: {A: b}}}"}, "", "db gate web"),
        ({".env": "UNUSED=1\n"}, "", ""),
        ({"hullmark.toml": '[services.web]\nbudget = "1 GB"\n'}, "web", "gate web"),
        (
            {"hullmark.toml": '[[links]]\nfrom = "worker"\nto = "tcp://db:5432"\n'},
            "",
            "db gate web worker",
        ),
        ({"hullmark.toml": '[policy]\nfail-on = "note"\n'}, "base web worker", "base db gate web worker"),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, "", ""),
    ],
)
def test_a_change_touches_what_takes_it_and_what_depends_on_that(
    shop: Checkout, files: Mapping[str, str], build: str | None, smoke: str | None
) -> None:
    shop.write_all(files)
    if build is None:
        assert _run(shop)[0] == 2  # there is no such stage
        return
    assert _affected(shop) == (build, smoke)
    shop.commit()
    assert _affected(shop) == ("", "")
    assert _affected(shop, "--base", "HEAD~", "--head", "HEAD") == (build, smoke)


def test_the_reason_names_the_file_and_the_instruction(shop: Checkout) -> None:
    shop.write_all(
        {"web/app/main.py": "x", "password.txt": "x", "compose.yml": COMPOSE.replace("info", "debug")}
    )
    _, out, _ = _run(shop)
    assert "  web: web/app/main.py <- COPY at web/Dockerfile:3\n" in out
    assert "  db: password.txt <- the secret `password`\n" in out
    assert "  web: compose.yml <- `environment.LEVEL` has changed at compose.yml:9\n" in out
    assert "  gate: it depends on `web`\n" in out
    shop.commit()
    shop.write_all({"base/tool": "x"})
    _, out, _ = _run(shop)
    assert "  web: FROM at web/Dockerfile:1, which is built from `base`\n" in out


def test_renamed_deleted_and_executable_files_count_under_all_their_names(shop: Checkout) -> None:
    (shop.top / "web/app/main.py").rename(shop.top / "elsewhere.py")
    assert _affected(shop)[0] == "web"
    shop.git("add", "--all")
    report = _report(shop)
    assert report["changes"] == [{"path": "elsewhere.py", "kind": "renamed", "old": "web/app/main.py"}]
    assert report["build"] == ["web"]
    shop.commit()
    (shop.top / "base/tool").chmod(0o755)
    assert _affected(shop)[0] == "base web"
    shop.commit()
    (shop.top / "worker/run.py").unlink()
    assert _affected(shop)[0] == "worker"


def test_without_a_base_everything_is_affected_and_the_report_says_why(shop: Checkout) -> None:
    for base in ("", "0" * 40):
        report = _report(shop, "--base", base)
        assert report["everything"] == "no commit to compare with was given"
        assert report["build"] == ["base", "web", "worker"]
        assert report["smoke"] == ["base", "db", "gate", "web", "worker"]
    _, out, _ = _run(shop, "--base", "")
    assert out.startswith("everything counts as changed: no commit to compare with was given\n")
    _, _, err = _run(shop, "--base", "", "--format", "github")
    assert "everything counts as changed: no commit to compare with was given" in err


def test_outside_of_a_repository_there_is_one_error(shop: Checkout, tmp_path: Path) -> None:
    plain = replace(shop, top=tmp_path / "plain")
    plain.write_all(FILES)
    code, out, err = _run(plain)
    assert (code, out) == (2, "")
    assert "lies in no git repository" in err


def test_an_unknown_revision_is_an_error_of_usage(shop: Checkout) -> None:
    code, _, err = _run(shop, "--base", "mian")
    assert code == 2
    assert "did you mean `main`?" in err
    assert _run(shop, "--head", "nothing")[0] == 2
    assert _run(shop, "--against", str(shop.top / "compose.yml"))[0] == 2


def test_a_project_in_a_subdirectory_with_a_context_beside_it(repository: Checkout) -> None:
    repository.commit(
        {
            "deploy/compose.yml": "services: {a: {build: {context: ../source, dockerfile: ../docker/a}}}",
            "source/main.py": "1",
            "docker/a": "FROM debian\nCOPY main.py /\n",
            "docker/other": "1",
        }
    )
    for name, expected in (("source/main.py", ["a"]), ("docker/a", ["a"]), ("docker/other", [])):
        repository.write_all({name: "FROM debian\nCOPY main.py /x\n"})
        report = _report(repository, directory=repository.top / "deploy")
        assert report["build"] == expected, name
        repository.commit()
    report = _report(repository, "--base", "HEAD~3", directory=repository.top / "deploy")
    assert report["services"][0]["build_reasons"][0]["path"] == "../docker/a"


def test_included_and_extended_files_are_compared_by_what_they_mean(repository: Checkout) -> None:
    repository.commit(
        {
            "compose.yml": "include: [more/compose.yml]\nservices:\n  a: {extends: {file: base.yml, service: x}}\n",
            "base.yml": "services: {x: {image: one, environment: {A: '${VALUE:-1}'}}}",
            "more/compose.yml": "services: {b: {image: two, env_file: b.env}}",
            "more/b.env": "B=1\n",
        }
    )
    for name, text, expected in (
        ("base.yml", "services: {x: {image: other, environment: {A: '${VALUE:-1}'}}}", "a"),
        ("more/b.env", "B=2\n", "b"),
        ("more/compose.yml", "services: {b: {image: three, env_file: b.env}}", "b"),
        (".env", "VALUE=2\n", "a"),
    ):
        repository.write_all({name: text})
        assert _affected(repository) == ("", expected), name
        repository.commit()


def test_a_compose_file_that_was_called_otherwise_is_compared_all_the_same(repository: Checkout) -> None:
    optional = "services: {a: {image: one, env_file: [{path: a.env, required: false}]}, b: {image: two}}"
    repository.commit({"docker-compose.yml": "include: [more.yml]", "more.yml": optional, "a.env": "A=1\n"})
    (repository.top / "docker-compose.yml").rename(repository.top / "compose.yml")
    assert _affected(repository) == ("", "")
    repository.write_all({"compose.yml": "services: {a: {image: one}, b: {image: two}}"})
    (repository.top / "more.yml").unlink()
    assert _affected(repository) == ("", "a")


def test_compose_files_that_the_command_line_names_are_compared_as_they_were(repository: Checkout) -> None:
    repository.commit(
        {
            "deploy/stack.yml": "services: {x: {build: {context: ../source}}, y: {image: one}}",
            "source/Dockerfile": "FROM scratch\nCOPY . /\n",
        }
    )
    arguments = ["-f", "deploy/stack.yml"]
    repository.write_all(
        {"deploy/stack.yml": "services: {x: {build: {context: ../source}}, y: {image: two}}"}
    )
    assert _affected(repository, *arguments) == ("", "y")
    repository.commit({"source/new": "1"})
    repository.write_all({"untracked": "1"})
    arguments += ["--base", "HEAD~", "--head", "HEAD"]
    assert _affected(repository, *arguments) == ("x", "x y")
    _, out, _ = _run(repository, *arguments)
    assert f"  x: ../source/new <- COPY at {repository.top}/source/Dockerfile:2\n" in out
    assert "hullmark-" not in out
    inside = ("-f", "stack.yml", "--base", "HEAD~", "--head", "HEAD")
    assert _report(repository, *inside, directory=repository.top / "deploy")["build"] == ["x"]


def test_what_git_ignores_is_the_same_at_both_ends(repository: Checkout) -> None:
    compose = "services: {a: {image: '${IMAGE:?}'}, b: {image: two}}"
    repository.write_all({"compose.yml": compose, ".gitignore": ".env\n", ".env": "IMAGE=one\n"})
    repository.git("add", "compose.yml", ".gitignore")
    repository.git("commit", "--quiet", "--message", "change")
    repository.write_all({"compose.yml": compose.replace("two", "three")})
    assert _affected(repository) == ("", "b")
    repository.git("commit", "--quiet", "--all", "--message", "change")
    repository.write_all({"untracked": "1"})
    assert _affected(repository, "--base", "HEAD~", "--head", "HEAD") == ("", "b")


def test_a_file_whose_name_has_variables_in_it_is_found_all_the_same(repository: Checkout) -> None:
    repository.commit(
        {
            "compose.yml": "services: {a: {image: one, env_file: '${STAGE:-test}.env'}, b: {image: two}}",
            "test.env": "A=1\n",
            "other.env": "A=1\n",
        }
    )
    repository.write_all({"other.env": "A=2\n"})
    assert _affected(repository) == ("", "")
    repository.write_all({"test.env": "A=2\n"})
    assert _affected(repository) == ("", "a")


def test_a_project_that_was_none_before_is_affected_as_a_whole(repository: Checkout) -> None:
    repository.commit({"README.md": "1"})
    repository.write_all({"compose.yml": "services: {a: {image: one}}"})
    report = _report(repository)
    assert report["smoke"] == ["a"]
    reasons = report["services"][0]["smoke_reasons"]
    assert "cannot be resolved as it was" in reasons[0]["text"]
    assert "hullmark-" not in reasons[0]["text"]  # nobody knows the directory that it was tried in


def test_another_head_is_looked_at_as_it_was_committed(shop: Checkout) -> None:
    shop.git("checkout", "--quiet", "-b", "feature")
    shop.commit({"web/Dockerfile": "FROM debian\nCOPY special /\n", "special": "1"})
    shop.commit({"special": "2"})
    shop.git("checkout", "--quiet", "main")
    assert _affected(shop, "--base", "feature~", "--head", "feature") == ("web", "gate web")
    assert not (shop.top / "special").exists()


def test_a_submodule_that_changed_affects_what_takes_anything_from_it(shop: Checkout, tmp_path: Path) -> None:
    library = replace(shop, top=tmp_path / "library")
    library.top.mkdir()
    library.git("init", "--quiet")
    library.commit({"code/lib.py": "1", "docs/page": "1"})
    shop.git("submodule", "--quiet", "add", str(library.top), "web/library")
    shop.commit({"web/Dockerfile": "FROM debian\nCOPY web/library/code /lib\n"})
    inner = replace(shop, top=shop.top / "web/library")
    inner.write_all({"code/lib.py": "2"})
    assert _affected(shop)[0] == "web"


def test_a_directory_that_becomes_a_link_affects_what_is_taken_through_it(shop: Checkout) -> None:
    for path in sorted((shop.top / "web/app").iterdir()):
        path.rename(shop.top / path.name)
    (shop.top / "web/app").rmdir()
    (shop.top / "web/app").symlink_to("..")
    assert _affected(shop)[0] == "web"


def test_what_an_image_puts_off_until_another_is_built_upon_it_counts_there(repository: Checkout) -> None:
    repository.commit(
        {
            "compose.yml": "services:\n  base: {image: own-base, build: ./base}\n  app: {build: ./app}\n"
            "  staged: {build: ./staged}\n",
            "base/Dockerfile": "FROM debian\nONBUILD COPY . /app\n",
            "app/Dockerfile": "FROM own-base\n",
            "app/main": "1",
            "staged/Dockerfile": "FROM debian AS first\nONBUILD COPY main /app\nFROM first\n",
            "staged/main": "1",
            "staged/other": "1",
        }
    )
    repository.write_all({"app/main": "2", "staged/other": "2"})
    assert _affected(repository)[0] == "app"
    repository.write_all({"staged/main": "2"})
    assert _affected(repository)[0] == "app staged"


def test_a_named_context_counts_under_whatever_name_it_is_taken(repository: Checkout) -> None:
    contexts = "{own: ./own, debian: ./image, stage: ./stage}"
    repository.commit(
        {
            "compose.yml": f"services: {{app: {{build: {{context: app, additional_contexts: {contexts}}}}}}}",
            "app/Dockerfile": "FROM docker.io/library/debian:latest\nCOPY --from=own part /\n"
            "FROM scratch AS stage\nFROM stage\nCOPY --from=0 / /\n",
            "own/part": "1",
            "own/other": "1",
            "own/.dockerignore": "part.md",
            "image/x": "1",
            "stage/x": "1",
        }
    )
    for name, expected in (("own/part", "app"), ("own/other", ""), ("image/x", "app"), ("stage/x", "app")):
        repository.write_all({name: "2"})
        assert _affected(repository)[0] == expected, name
        repository.commit()


@pytest.mark.parametrize(
    "text",
    [
        "FROM docker.io/library/shop-base\n",
        "FROM index.docker.io/library/shop-base:latest\n",
        "FROM debian\nCOPY --from=example.org/alias:2 /f /f\n",
        "FROM debian\nRUN --mount=type=bind,from=shop-base:latest,target=/b cat /b/f\n",
        "FROM below\n",
    ],
)
def test_the_image_of_another_service_is_known_however_its_name_is_written(
    repository: Checkout, text: str
) -> None:
    repository.commit(
        {
            "compose.yml": "name: shop\nservices:\n"
            "  base: {build: {context: base, tags: ['example.org/alias:2']}}\n"
            "  web: {build: {context: web, additional_contexts: {below: 'docker-image://shop-base'}}}\n"
            "  other: {build: {context: web, dockerfile: Otherfile}}\n",
            "base/Dockerfile": "FROM debian\nCOPY f /f\n",
            "base/f": "1",
            "web/Dockerfile": text,
            "web/Otherfile": "FROM example.org/shop-base\n",
        }
    )
    repository.write_all({"base/f": "2"})
    assert _affected(repository) == ("base web", "base web")


def test_what_is_not_looked_at_is_noted(repository: Checkout) -> None:
    repository.commit(
        {
            "compose.yml": "services:\n  far: {build: 'https://example.org/far.git#main'}\n  near: {build: .}\n",
            "Dockerfile": "FROM debian\nADD https://example.org/file /f\n",
        }
    )
    assert _report(repository)["notes"] == [
        "`far` is built from a remote context, which is not looked at",
        "`near`: ADD at Dockerfile:2 takes `https://example.org/file`, which is not looked at",
    ]


def _outputs(text: str) -> dict[str, str]:
    """The values in a file for step outputs: `name=value`, or `name<<END` and lines up to END."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            value = []
            for more in lines:
                if more == end:
                    break
                value.append(more)
            found[name] = "\n".join(value)
        else:
            name, equals, value_text = line.partition("=")
            assert equals, f"Invalid format '{line}'"
            found[name] = value_text
    return found


def test_the_lines_for_github_are_what_a_matrix_takes(shop: Checkout, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("earlier=1\n", encoding="utf-8")
    shop.write_all({"base/tool": "x"})
    code, out, _ = _run(shop, "--format", "github")
    assert code == 0
    with output.open("a", encoding="utf-8") as file:
        file.write(out)
    outputs = _outputs(output.read_text(encoding="utf-8"))
    assert set(outputs) == {"earlier", "matrix", "smoke", "any"}
    matrix = json.loads(outputs["matrix"])
    # What `strategy.matrix` takes: a list for each variable, and one job for each of its values.
    assert [{"service": service} for service in matrix["service"]] == [
        {"service": "base"},
        {"service": "web"},
    ]
    assert json.loads(outputs["smoke"]) == ["base", "gate", "web"]
    assert outputs["any"] == "true"
    shop.commit()
    outputs = _outputs(_run(shop, "--format", "github")[1])
    assert outputs["any"] == "false"
    assert json.loads(outputs["matrix"]) == {"service": []}


def test_text_of_many_reasons_is_cut_and_says_so(shop: Checkout) -> None:
    shop.write_all({f"web/app/{number}.py": "x" for number in range(20)})
    _, out, _ = _run(shop)
    assert "  web: and 15 more reasons\n" in out
    assert len(_report(shop)["services"][3]["build_reasons"]) == 20


def test_no_secret_is_told(shop: Checkout) -> None:
    shop.write_all(
        {"compose.yml": COMPOSE.replace('VERSION: "1"', 'VERSION: "hunter2"').replace("info", "hunter2")}
    )
    for arguments in ((), ("--format", "json"), ("--explain", "--format", "json")):
        code, out, err = _run(shop, *arguments)
        assert code == 0
        assert "hunter2" not in out + err


@pytest.mark.parametrize(
    ("inline", "line"),
    [
        ("dockerfile_inline: |\n        FROM scratch\n        COPY file /\n", 6),
        ("dockerfile_inline: |-\n\n        FROM scratch\n        COPY \\\n          file /\n", 7),
        ('dockerfile_inline: "FROM scratch\\nCOPY file /"\n', 4),
        ("dockerfile_inline: >\n        FROM scratch\n\n\n        COPY\n        file /\n", 8),
    ],
    ids=["block", "stripped", "quoted", "folded"],
)
def test_a_reason_in_an_inline_dockerfile_stands_in_the_compose_file(
    repository: Checkout, inline: str, line: int
) -> None:
    compose = f"services:\n  web:\n    build:\n      {inline}      context: .\n"
    repository.commit({"compose.yml": compose, "file": "1"})
    repository.write(file="2")
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/"}
    code = main(["-C", str(repository.top), "affected"], stdout=stdout, stderr=stderr, environ=environ)
    assert code == 0, stderr.getvalue()
    assert f"compose.yml:{line}" in stdout.getvalue()


def test_a_dockerfile_that_is_not_there_is_told_with_the_service_that_asks_for_it(
    repository: Checkout,
) -> None:
    repository.commit({"compose.yml": "services:\n  web:\n    build: {context: ., dockerfile: other}\n"})
    stderr = io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/"}
    given = ["-C", str(repository.top), "affected"]
    assert main(given, stdout=io.StringIO(), stderr=stderr, environ=environ) == 2
    told = "compose.yml:2:3: service `web`: other: no such file; expected a Dockerfile"
    assert told in stderr.getvalue()


def test_an_explanation_in_the_format_that_has_no_room_for_it_is_refused(repository: Checkout) -> None:
    repository.commit(FILES)
    stdout, stderr = io.StringIO(), io.StringIO()
    given = ["-C", str(repository.top), "affected", "--explain", "--format", "github"]
    environ = {"PATH": os.environ["PATH"], "HOME": "/"}
    assert main(given, stdout=stdout, stderr=stderr, environ=environ) == 2
    assert "has no room for what `--explain` shows" in stderr.getvalue()
    assert not stdout.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "json"],
        ["--format=github", "--base="],
        ["--base", "HEAD", "--explain"],
        ["--base", "nowhere"],
        ["--head=HEAD", "--format", "json", "--explain"],
        ["--explain", "--format", "github"],
        # What is not plain is left to what reads all command lines.
        ["--format", "xml"],
        ["--base"],
        ["--base", "HEAD", "--base", "HEAD"],
        ["--nothing"],
        ["extra"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_what_is_asked_plainly_is_answered_as_by_what_reads_all_command_lines(
    shop: Checkout, arguments: list[str]
) -> None:
    shop.write(web__app__main="other\n")

    def run(*before: str) -> tuple[int, str, str]:
        stdout, stderr = io.StringIO(), io.StringIO()
        argv = [*before, "affected", *arguments]
        return (
            main(argv, stdout=stdout, stderr=stderr, environ=shop.environ),
            stdout.getvalue(),
            stderr.getvalue(),
        )

    assert run("-q", "-C", str(shop.top)) == run("--color", "auto", "-q", "-C", str(shop.top))
