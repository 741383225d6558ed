"""What the project and the machine say of a log: who holds the port, which line leaves a file out, what removes it."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hullmark._doctor import Patient, read, repair, repairs
from hullmark._process import SystemCommands
from hullmark.errors import CommandFailed, Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Project, Service, Settings
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from hullmark.model.diagnosis import Diagnosis


class Bench:
    """A project of one service, `web`, whose Dockerfile and files a test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def patient(self, **declared: Any) -> Patient:
        service = Service(
            name="web",
            image="demo-web",
            build=Build(context=str(self.root), dockerfile=str(self.root / "Dockerfile")),
            span=SourceSpan(path="compose.yml"),
        )
        db = Service(name="db", image="db", build=None, span=SourceSpan(path="compose.yml"))
        project = Project(
            name="demo",
            root=self.root,
            services=(db, service),
            settings=Settings(),
            files=(self.root / "compose.yml",),
            resolved=json.dumps({"services": {"web": declared, "db": {}}}),
        )
        return Patient(directory=self.root, project=project)

    def one(self, log: str, **declared: Any) -> Diagnosis:
        """The one thing that `log` tells of."""
        (found,) = read("log", log, self.patient(**declared)).diagnoses
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(tmp_path)
    found.write("Dockerfile", "FROM debian:bookworm-slim\n")
    return found


@pytest.mark.parametrize("path", ["/app/../victim.sh", "/app/link.sh", "/app/out/victim.sh"])
def test_no_log_leads_to_a_file_outside_of_the_build_context(bench: Bench, path: str) -> None:
    victim = bench.root.parent / "victim.sh"
    victim.write_bytes(b"#!/bin/sh\r\necho\r\n")
    (bench.root / "link.sh").symlink_to(victim)
    (bench.root / "out").symlink_to(bench.root.parent)
    bench.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY . /app\n")
    found = bench.one(f"web-1  | exec {path}: no such file or directory")
    assert found.advice.repair is None
    assert victim.name not in " ".join(each.shown for each in found.advice.remedies)
    bench.write("own.sh", "#!/bin/sh\r\necho\r\n")
    own = bench.one("web-1  | exec /app/own.sh: no such file or directory").advice.repair
    assert own is not None


def test_another_port_is_that_of_the_test_stack_where_there_is_one(bench: Bench) -> None:
    log = "Bind for 0.0.0.0:8001 failed: port is already allocated"
    assert "such as `127.0.0.1:8002:8001`" in bench.one(log).advice.remedies[-1].text
    bench.write("compose.test.yml", "services: {}")
    assert bench.one(log).advice.remedies[-1].shown == (
        "docker compose -f compose.yml -f compose.test.yml up -d"
    )
    bench.write(".env.test", "")
    assert bench.one(log).advice.remedies[-1].shown.endswith(" --env-file .env.test up -d")


def test_a_port_that_a_process_holds_is_told_with_the_process(bench: Bench) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        found = bench.one(f"listen tcp4 127.0.0.1:{port}: bind: address already in use")
    assert found.advice.found[0].startswith(f"port {port} is held by process ")
    assert "python" in found.advice.found[0] or "pytest" in found.advice.found[0]


def test_a_port_that_is_free_again_is_said_to_be(bench: Bench) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    found = bench.one(f"Bind for 0.0.0.0:{port} failed: port is already allocated")
    assert found.advice.found == (f"port {port} is free now",)


NOT_FOUND = 'failed to calculate checksum of ref a::b: "/{}": not found'


def test_the_line_of_the_ignore_file_that_leaves_a_file_out_is_named(bench: Bench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY config/app.txt /\n")
    bench.write("config/app.txt", "x")
    bench.write(".dockerignore", "# local\n*.md\n**/*.txt\n!other.txt\n")
    found = bench.one(NOT_FOUND.format("config/app.txt"))
    assert found.advice.found == (
        ".dockerignore:3: `**/*.txt` leaves `config/app.txt` out of the build context of `web`",
    )


def test_of_a_file_that_is_not_there_the_nearest_is_named(bench: Bench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY pyprojet.toml /\n")
    bench.write("pyproject.toml", "")
    found = bench.one(NOT_FOUND.format("pyprojet.toml"))
    assert found.advice.found == (
        "the build context of `web` (.) has no `pyprojet.toml`; it has `pyproject.toml`",
    )


def test_a_stage_that_is_not_there_is_told_with_those_that_are(bench: Bench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim AS builder\nFROM debian:bookworm-slim AS runtime\n")
    found = bench.one('failed to solve: target stage "runtme" could not be found')
    assert "`runtime` may be meant" in found.advice.cause
    assert found.advice.found == ("the stages are builder, runtime",)


def test_a_package_that_a_step_prunes_by_name_is_told_with_the_step(bench: Bench) -> None:
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm-slim AS pruner\nWORKDIR /app\nRUN rm -rf node_modules/left-pad\n",
    )
    found = bench.one("web-1  | Error: Cannot find module 'left-pad'")
    assert "Dockerfile:3: `rm` removes `left-pad` in stage `pruner`" in found.advice.found, found.advice.found


def test_a_package_that_is_declared_for_development_only_is_told_so(bench: Bench) -> None:
    bench.write("app/package.json", '{"devDependencies": {"tsx": "1"}, "dependencies": {"express": "4"}}')
    found = bench.one("web-1  | Error: Cannot find module 'tsx/cjs'")
    assert found.advice.found == ("app/package.json: `tsx` is listed under `devDependencies` only",)
    # Without an engine nobody has looked into the image, and nothing is said of it.
    assert bench.one("web-1  | Error: Cannot find module 'express'").advice.found == ()


def test_a_file_of_the_application_itself_is_no_package(bench: Bench) -> None:
    found = bench.one("web-1  | Error: Cannot find module './routes'")
    assert "`./routes` of the application itself" in found.advice.cause


def test_a_name_that_is_nearly_that_of_a_service_is_corrected(bench: Bench) -> None:
    assert "`web` is" in bench.one("curl: (6) Could not resolve host: wep").advice.cause
    assert "a service of the project" in bench.one("getaddrinfo ENOTFOUND db").advice.cause
    assert "nobody says" in bench.one("getaddrinfo ENOTFOUND api.example.com").advice.cause


def test_an_image_of_the_project_that_is_pulled_is_to_be_built(bench: Bench) -> None:
    log = "pull access denied for demo-web, repository does not exist or may require 'docker login'"
    found = bench.one(log)
    assert found.advice.remedies[0].shown == "docker compose build web"


def test_a_path_on_a_volume_is_told_with_the_volume(bench: Bench) -> None:
    log = "web-1  | PermissionError: [Errno 13] Permission denied: '/data/x'"
    found = bench.one(log, volumes=[{"type": "volume", "source": "data", "target": "/data"}], user="app")
    assert found.advice.found == ("`/data` of `web` is the volume `data`",)
    assert found.advice.remedies[1].shown.endswith("--entrypoint chown web -R app /data")


def test_a_path_is_on_the_innermost_volume_that_it_lies_below_and_not_on_one_whose_name_it_begins_with(
    bench: Bench,
) -> None:
    volumes = [
        {"type": "volume", "source": name, "target": target}
        for name, target in (("data", "/data"), ("index", "/database/index/"), ("database", "/database"))
    ]

    def told(path: str) -> tuple[str, ...]:
        log = f"web-1  | PermissionError: [Errno 13] Permission denied: '{path}'"
        return bench.one(log, volumes=volumes).advice.found

    assert told("/database/x") == ("`/database` of `web` is the volume `database`",)
    assert told("/database/index/x") == ("`/database/index/` of `web` is the volume `index`",)
    assert told("/data") == ("`/data` of `web` is the volume `data`",)
    assert told("/data.old/x") == ()


def test_a_path_that_no_squash_keeps_is_told_with_the_instruction_that_set_it(bench: Bench) -> None:
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm-slim AS runtime\nENV PATH=/opt/venv/bin:$PATH\n"
        "FROM scratch\nCOPY --from=runtime / /\n",
    )
    found = bench.one('OCI runtime create failed: exec: "uvicorn": executable file not found in $PATH')
    assert found.advice.found == ("Dockerfile:2: sets PATH, and the squash of `web` drops it",)


def test_a_user_that_another_stage_makes_is_told_with_that_stage(bench: Bench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim AS a\nRUN useradd app\nFROM a AS b\nUSER app\n")
    found = bench.one("unable to find user app: no matching entries in passwd file")
    assert found.advice.found == ("Dockerfile:2: `app` is made in stage `a`",)


def test_a_limit_of_memory_is_told(bench: Bench) -> None:
    found = bench.one("web-1 exited with code 137", mem_limit="16777216")
    assert found.advice.found == ("`web` may use 16,777,216 bytes",)


def test_stages_with_different_bases_are_told_after_a_crash(bench: Bench) -> None:
    bench.write("Dockerfile", "FROM alpine AS b\nFROM debian:bookworm-slim\nCOPY --from=b /x /x\n")
    found = bench.one("web-1 exited with code 139")
    assert found.advice.found == ("the stages of `web` have different bases: alpine, debian:bookworm-slim",)


ENTRY = "exec /usr/local/bin/entrypoint.sh: no such file or directory"


def test_windows_line_ends_are_seen_and_can_be_repaired(bench: Bench, cancelled: threading.Event) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY docker/entrypoint.sh /usr/local/bin/\n")
    script = bench.write("docker/entrypoint.sh", "#!/bin/sh\r\necho hi\r\n")
    found = bench.one(ENTRY)
    assert found.advice.found == ("`docker/entrypoint.sh` has Windows line ends",)
    (fix,) = repairs([found])
    repair(fix, SystemCommands({"PATH": "/usr/bin:/bin"}, cancelled))
    assert script.read_bytes() == b"#!/bin/sh\necho hi\n"
    assert bench.one(ENTRY).advice.repair is None


def test_an_execute_bit_that_is_missing_is_seen_and_can_be_repaired(
    bench: Bench, cancelled: threading.Event
) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY docker /usr/local/bin\n")
    script = bench.write("docker/entrypoint.sh", "#!/bin/sh\n")
    log = 'exec: "/usr/local/bin/entrypoint.sh": permission denied: unknown'
    found = bench.one(log)
    (fix,) = repairs([found])
    assert fix.argv == ("chmod", "+x", str(script))
    repair(fix, SystemCommands({"PATH": "/usr/bin:/bin"}, cancelled))
    assert script.stat().st_mode & 0o111
    assert bench.one(log).advice.repair is None


CORRUPTED = "failed to solve: parent snapshot sha256:98b5 does not exist: not found"


def test_the_cache_is_pruned_and_nothing_else(bench: Bench) -> None:
    found = bench.one(CORRUPTED)
    (fix,) = repairs([found, found])
    commands = ScriptedCommands(
        {("docker", "builder", "prune"): ScriptedCommands.completed("ID  SIZE\n\nTotal:  1.2GB\n")}
    )
    assert repair(fix, commands) == "Total:  1.2GB"
    assert commands.calls == [("docker", "builder", "prune", "--force")]


def test_a_repair_that_fails_is_no_success(bench: Bench) -> None:
    (fix,) = repairs([bench.one(CORRUPTED)])
    failing = ScriptedCommands.completed(stderr="no engine", returncode=1)
    with pytest.raises(CommandFailed, match="no engine"):
        repair(fix, ScriptedCommands({("docker",): failing}))
    with pytest.raises(Unavailable, match="`docker` is not on PATH"):
        repair(fix, ScriptedCommands({}))


def test_a_project_that_cannot_be_read_says_nothing_and_stops_nothing(bench: Bench) -> None:
    bench.write("Dockerfile", "NONSENSE\n")
    for log in (ENTRY, NOT_FOUND.format("x"), "web-1 exited with code 139", "Cannot find module 'x'"):
        assert bench.one(log).advice.cause


@pytest.mark.parametrize("port", ["0", "65536", "99999999999999999999"])
def test_a_number_that_is_no_port_is_asked_of_nobody(bench: Bench, port: str) -> None:
    assert bench.one(f"Bind for 0.0.0.0:{port} failed: port is already allocated").advice.found == ()


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=400)
SENTENCES = (
    'failed to calculate checksum of ref a::b: "/{}": not found',
    "exec /{}: no such file or directory",
    'exec: "/{}": permission denied',
    "web-1  | Error: Cannot find module '{}'",
    "exec {}: exec format error",
    'error mounting "/{}" to rootfs at "/x": not a directory',
    "unable to find user {}: no matching entries in passwd file",
    "web-1  | PermissionError: [Errno 13] Permission denied: '/{}'",
    'target stage "{}" could not be found',
    "Could not resolve host: {}",
    "{}",
)


@given(name=NAMES, sentence=st.sampled_from(SENTENCES))
@example(name="a" * 400, sentence=SENTENCES[0])
@example(name="a" * 400, sentence=SENTENCES[2])
@example(name="a" * 400, sentence=SENTENCES[5])
@example(name="\0", sentence=SENTENCES[0])
@example(name="../" * 60, sentence=SENTENCES[0])
def test_whatever_a_log_says_is_answered(
    tmp_path_factory: pytest.TempPathFactory, name: str, sentence: str
) -> None:
    made = Bench(tmp_path_factory.getbasetemp() / "whatever")
    made.root.mkdir(exist_ok=True)
    word = json.dumps(name[:200]) if name.isprintable() and " " not in name else "x"
    made.write("Dockerfile", f'FROM debian:bookworm-slim\nCOPY [{word}, "/"]\nCOPY . /\n')
    reading = read("log", sentence.format(name), made.patient())
    assert reading.lines <= 1
    assert all(each.advice.cause and each.advice.remedies for each in reading.diagnoses)
