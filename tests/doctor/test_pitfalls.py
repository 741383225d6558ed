"""The pitfalls of the guide, made on a real engine, and what the doctor says of the output of each.

The corrupted cache has an engine of its own, in `test_corrupted_cache.py`.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import socket
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

PYTHON = """\
FROM debian:bookworm-slim AS base
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-minimal >/dev/null \\
    && rm -rf /var/lib/apt/lists/*
"""
NODE = """\
FROM debian:bookworm-slim AS base
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs >/dev/null \\
    && rm -rf /var/lib/apt/lists/*
"""
SITE = "/opt/venv/lib/python3/site-packages"


class Stack:
    """A Compose project of one service, `web`."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name

    def write(self, dockerfile: str, **service: Any) -> None:
        (self.root / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        document = {"name": self.name, "services": {"web": {"build": ".", **service}}}
        (self.root / "compose.yml").write_text(json.dumps(document), encoding="utf-8")

    def compose(self, *arguments: str, check: bool = True) -> str:
        """What Compose printed, on both streams."""
        done = subprocess.run(
            ("docker", "compose", *arguments),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def up(self) -> str:
        """The output of building and running it to its end."""
        self.compose("build")
        return self.compose("up", "--no-build", check=False)

    def doctor(self, output: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit code, and what the doctor says of `output`."""
        log = self.root / "output.log"
        log.write_text(output, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        argv = ("-C", str(self.root), "doctor", "--log", str(log), "--format", "json")
        code = main(argv, stdout=out, stderr=err, environ=os.environ)
        return code, json.loads(out.getvalue())["log"]["diagnoses"]

    def one(self, output: str) -> dict[str, Any]:
        code, found = self.doctor(output)
        assert code == 1, output
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path, f"hullmark-test-{secrets.token_hex(4)}")
    yield made
    if (tmp_path / "compose.yml").exists():
        made.compose("down", "--volumes", "--rmi", "local", "--timeout", "0")
    kept = subprocess.run(
        ("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={made.name}"),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert kept.stdout == b""


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_port_that_a_container_holds_is_told_with_its_name(stack: Stack) -> None:
    port = _free_port()
    holder = f"{stack.name}-holder"
    argv = ("docker", "run", "-d", "--rm", "--name", holder, "-p", f"127.0.0.1:{port}:80")
    subprocess.run(
        (*argv, "debian:bookworm-slim", "sleep", "120"), check=True, capture_output=True, timeout=60
    )
    try:
        stack.write("FROM debian:bookworm-slim\nCMD sleep 1\n", ports=[f"127.0.0.1:{port}:80"])
        found = stack.one(stack.up())
    finally:
        subprocess.run(("docker", "rm", "-f", holder), check=True, capture_output=True, timeout=60)
    assert found["situation"] == "port-taken"
    assert found["values"]["port"] == str(port)
    assert found["found"] == [f"port {port} is held by container `{holder}`"]
    assert found["remedies"][0]["command"] == f"docker stop {holder}"


def test_a_port_that_a_process_holds_is_told_with_the_process(stack: Stack) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        stack.write("FROM debian:bookworm-slim\nCMD sleep 1\n", ports=[f"127.0.0.1:{port}:80"])
        found = stack.one(stack.up())
    assert found["situation"] == "port-taken"
    assert f"is held by process {os.getpid()} (" in found["found"][0]


BUILDER = f"""\
{PYTHON}
FROM base AS builder
RUN mkdir -p {SITE}/greeting {SITE}/greeting-1.0.dist-info /opt/venv/bin \\
    && echo 'WORD = "hello"' > {SITE}/greeting/__init__.py

FROM base AS runtime
"""
RUN = f'ENV PYTHONPATH={SITE}\nCMD ["python3", "-c", "import greeting"]\n'


def test_a_package_that_no_copy_takes_along_is_told_with_stage_and_copy(stack: Stack) -> None:
    stack.write(f"{BUILDER}COPY --from=builder /opt/venv/bin /opt/venv/bin\n{RUN}")
    found = stack.one(stack.up())
    assert (found["situation"], found["service"]) == ("python-module-missing", "web")
    assert found["values"] == {"module": "greeting"}
    assert f"stage `builder` has `{SITE}/greeting`" in found["found"]
    assert any(
        each.startswith(
            "Dockerfile:10: `COPY /opt/venv/bin /opt/venv/bin` takes other paths out of `builder`"
        )
        for each in found["found"]
    ), found["found"]


def test_a_package_that_a_clean_up_removes_is_told_with_the_instruction_also_after_a_squash(
    stack: Stack,
) -> None:
    stack.write(
        f"{BUILDER}COPY --from=builder /opt/venv /opt/venv\nRUN rm -rf {SITE}/greeting\n"
        f"FROM scratch\nCOPY --from=runtime / /\n{RUN}"
    )
    found = stack.one(stack.up())
    assert found["situation"] == "python-module-missing"
    assert f"stage `builder` has `{SITE}/greeting`" in found["found"]
    assert any(
        each.startswith(f"Dockerfile:11: RUN rm -rf {SITE}/greeting: removes") for each in found["found"]
    ), found["found"]
    assert not any("takes other paths" in each for each in found["found"])


def test_a_package_that_nobody_installs_is_in_no_stage(stack: Stack) -> None:
    stack.write(
        f"{BUILDER}COPY --from=builder /opt/venv /opt/venv\n"
        + RUN.replace("import greeting", "import absent")
    )
    found = stack.one(stack.up())
    assert found["found"] == ["neither the image nor a stage that it is copied from has `absent`"]


def test_a_package_that_is_there_where_python_does_not_look_is_told_with_its_place(stack: Stack) -> None:
    stack.write(
        f'{BUILDER}COPY --from=builder /opt/venv /opt/venv\nCMD ["python3", "-c", "import greeting"]\n'
    )
    found = stack.one(stack.up())
    assert found["found"] == [f"`{stack.name}-web` as it is now has `{SITE}/greeting`"]


def test_a_node_package_that_the_pruner_removes_is_told_with_the_step(stack: Stack) -> None:
    stack.write(
        f"{NODE}\nFROM base AS pruner\nWORKDIR /app\n"
        "RUN mkdir -p node_modules/left-pad && echo 'module.exports = 1' > node_modules/left-pad/index.js\n"
        "RUN rm -rf node_modules/left-pad\n"
        "FROM base\nWORKDIR /app\nCOPY --from=pruner /app /app\n"
        'CMD ["node", "-e", "require(\'left-pad\')"]\n'
    )
    found = stack.one(stack.up())
    assert (found["situation"], found["service"]) == ("node-module-missing", "web")
    assert any(
        each.startswith(
            "Dockerfile:8: RUN rm -rf node_modules/left-pad: removes `/app/node_modules/left-pad`"
        )
        for each in found["found"]
    ), found["found"]
    assert "Dockerfile:8: `rm` removes `left-pad` in stage `pruner`" in found["found"]


def test_a_library_that_a_strip_step_removes_is_told_with_the_step(stack: Stack) -> None:
    stack.write(
        "FROM debian:bookworm-slim\nRUN find /usr/lib -name 'libpcre2-8.so*' -delete\n"
        'CMD ["grep", "x", "/etc/passwd"]\n'
    )
    found = stack.one(stack.up())
    assert (found["situation"], found["service"]) == ("shared-library-missing", "web")
    assert found["values"] == {"program": "grep", "library": "libpcre2-8.so.0"}
    assert any(
        each.startswith("Dockerfile:2: RUN find /usr/lib -name 'libpcre2-8.so*' -delete: removes")
        for each in found["found"]
    ), found["found"]


def test_a_file_that_the_ignore_file_leaves_out_is_told_with_its_line(stack: Stack) -> None:
    stack.write("FROM debian:bookworm-slim\nCOPY settings.toml /\n")
    (stack.root / "settings.toml").write_text("", encoding="ascii")
    (stack.root / ".dockerignore").write_text("*.toml\n", encoding="ascii")
    found = stack.one(stack.compose("--progress", "plain", "build", check=False))
    assert found["situation"] == "copied-file-missing"
    assert found["found"] == [
        ".dockerignore:1: `*.toml` leaves `settings.toml` out of the build context of `web`"
    ]


def test_a_container_name_that_is_taken_is_told_with_who_has_it(stack: Stack) -> None:
    holder = f"{stack.name}-holder"
    argv = ("docker", "run", "-d", "--rm", "--name", holder, "debian:bookworm-slim", "sleep", "120")
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    try:
        stack.write("FROM debian:bookworm-slim\nCMD sleep 1\n", container_name=holder)
        found = stack.one(stack.up())
    finally:
        subprocess.run(("docker", "rm", "-f", holder), check=True, capture_output=True, timeout=60)
    assert found["situation"] == "container-name-taken"
    assert found["found"] == ["it is a container of `debian:bookworm-slim`; it is running"]


def test_a_stack_that_runs_well_is_nothing_to_tell_of(stack: Stack) -> None:
    stack.write("FROM debian:bookworm-slim\nCMD echo ready\n")
    code, found = stack.doctor(stack.compose("--progress", "plain", "build") + stack.up())
    assert (code, found) == (0, [])


def test_the_machine_of_the_engine_is_examined_with_everything(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    code = main(
        ("-C", str(tmp_path), "doctor", "--format", "json"), stdout=out, stderr=err, environ=os.environ
    )
    document = json.loads(out.getvalue())
    by_name = {each["name"]: each for each in document["examinations"]}
    assert code == document["exit_code"]
    # While it builds for somebody else, the engine may not come to measure its cache.
    broken = {each["name"] for each in document["examinations"] if each["status"] == "broken"}
    assert broken <= {"build-cache"}
    for name in ("engine", "compose", "buildx", "storage", "disk", "clock"):
        assert by_name[name]["status"] == "ran", by_name[name]
        assert by_name[name]["facts"], name


def test_a_health_check_without_its_program_is_told_with_the_programs_that_the_image_has(
    stack: Stack,
) -> None:
    check = {"test": ["CMD", "curl", "-f", "http://localhost"], "interval": "1s", "retries": 1}
    stack.write("FROM debian:bookworm-slim\n", command=["sleep", "60"], init=True, healthcheck=check)
    stack.compose("build")
    stack.compose("up", "--no-build", "--wait", check=False)
    container = stack.compose("ps", "-q", "web").strip()
    argv = ("docker", "inspect", "--format", "{{json .State.Health}}", container)
    health = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
    found = stack.one(health)
    assert found["situation"] == "health-check-program-missing"
    assert found["found"] == [f"`{stack.name}-web` has `bash`"]
