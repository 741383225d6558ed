"""`hullmark dev` as people use it: a small project on a real engine."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import pytest

from hullmark._engines.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

# Serves the file, and says at every request what it served.
SERVER = r"""
use IO::Socket::INET; $| = 1; $SIG{TERM} = sub { exit 0 };
my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
print "listening\n";
while (my $c = $s->accept) { <$c>; open my $f, "<", "/srv/page"; my $t = <$f>; chomp $t;
  print "served $t\n"; print $c "HTTP/1.0 200 OK\r\nContent-Length: " . length($t) . "\r\n\r\n$t"; close $c }
"""
COMPOSE = """
services:
  web:
    image: debian:bookworm-slim
    command: [perl, /srv/server.pl]
    volumes: [./server:/srv:ro, kept:/kept]
    ports: ["127.0.0.1:{port}:8000"]
  clock:
    image: debian:bookworm-slim
    command: [sh, -c, "trap 'exit 0' TERM; while :; do echo error: tick; sleep 0.2; done"]
volumes:
  kept: {{}}
"""
OVERLAY = """
services:
  web:
    environment: {MODE: development}
"""


@dataclass(kw_only=True)
class Running:
    """A session that goes on, and what it has written so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)

    def read(self, stream: IO[str]) -> None:
        """Collects what comes, from both streams."""
        with stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    def expect(self, text: str, seconds: float = 180.0, *, times: int = 1) -> str:
        """The first line that holds `text`, once as many as `times` have come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [line for line in tuple(self.lines) if text in line]
            if len(found) >= times:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"no line with {text!r} within {seconds:g} s:\n" + "\n".join(self.lines))

    def end(self, seconds: float = 180.0) -> int:
        """Its exit code, once it has ended and everything it wrote has been read."""
        code = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(seconds)
        return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of its own name and port."""

    root: Path
    name: str
    port: int

    def argv(self, *words: str) -> list[str]:
        """The command."""
        return [sys.executable, "-m", "hullmark", "-C", str(self.root), "dev", *words]

    def start(self, *words: str, **environ: str) -> Running:
        """A session that goes on."""
        process = subprocess.Popen(
            self.argv(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
        )
        running = Running(process=process)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            reader = threading.Thread(target=running.read, args=(stream,), daemon=True)
            reader.start()
            running.readers.append(reader)
        return running

    def containers(self, *, all_: bool = False) -> list[str]:
        """The names of its containers, of those that run unless `all_`."""
        argv = ["docker", "ps", "--format", "{{.Names}}", *(["-a"] if all_ else [])]
        argv += ["--filter", f"label=com.docker.compose.project={self.name}"]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Removed at the end, whatever became of it."""
    name = f"devtest{secrets.token_hex(4)}"
    port = free_port("127.0.0.1")
    root = tmp_path / name
    (root / "server").mkdir(parents=True)
    (root / "server/server.pl").write_text(SERVER, encoding="utf-8")
    (root / "server/page").write_text("first\n", encoding="utf-8")
    (root / "compose.yml").write_text(COMPOSE.format(port=port), encoding="utf-8")
    (root / "compose.dev.yml").write_text(OVERLAY, encoding="utf-8")
    made = Project(root=root, name=name, port=port)
    yield made
    down = ["docker", "compose", "-p", name, "down", "-v", "-t", "0", "--remove-orphans", "--rmi", "local"]
    subprocess.run(down, check=True, capture_output=True, cwd=root)
    shutil.rmtree(root)


def _ask(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # one of ours
        return str(answer.read().decode())


def test_a_session_shows_logs_links_and_edits_and_stops_on_ctrl_c(project: Project) -> None:
    session = project.start()
    session.expect("web   | listening")
    link = session.expect("  web").split()[0]
    assert link == f"http://localhost:{project.port}"
    assert _ask(link) == "first"
    session.expect("served first")
    (project.root / "server/page").write_text("second\n", encoding="utf-8")
    assert _ask(link) == "second"
    session.expect("web   | served second")
    assert len(project.containers()) == 2
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 130
    assert project.containers() == []
    assert len(project.containers(all_=True)) == 2
    again = project.start()
    again.expect("web   | listening")
    assert _ask(link) == "second"
    again.expect("web   | served second")
    assert [line for line in again.lines if "served first" in line] == []
    again.process.send_signal(signal.SIGINT)
    assert again.end() == 130
    down = subprocess.run(project.argv("--down", "--volumes"), check=False, capture_output=True, text=True)
    assert down.returncode == 0, down.stderr
    assert project.containers(all_=True) == []


def test_the_overlay_is_in_force(project: Project) -> None:
    session = project.start("--detach", "web")
    assert session.end() == 0
    (container,) = project.containers()
    argv = ["docker", "exec", container, "printenv", "MODE"]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == "development\n"


def test_a_port_that_is_taken_is_named_with_its_holder_and_moved(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        session = project.start("--detach", "web")
        moved = session.expect(f"port {project.port} of `web` is held by process ")
        link = session.expect("http://localhost:").split()[0]
        assert session.end() == 0
    assert moved.endswith(f"it answers at {link.rpartition(':')[2]} instead")
    assert _ask(link) == "first"


def test_with_strict_ports_a_port_that_is_taken_is_an_error(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        argv = project.argv("--strict-ports", "web")
        completed = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=180)
    assert completed.returncode == 3
    assert f"error: port {project.port} of `web` is held by process " in completed.stderr
    assert project.containers(all_=True) == []


def test_only_the_lines_that_are_asked_for_are_shown(project: Project) -> None:
    session = project.start("--only-errors")
    session.expect("clock | error: tick", times=2)
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 130
    assert not any("listening" in line for line in session.lines)


def test_a_service_that_ends_is_announced_and_so_is_the_end_of_all(project: Project) -> None:
    session = project.start("clock")
    session.expect("tick")
    (container,) = project.containers()
    subprocess.run(["docker", "kill", container], check=True, capture_output=True)
    session.expect("clock exited with 137 (SIGKILL: it was killed)")
    session.expect("every container has ended")
    assert session.end() == 1


def test_a_session_that_is_left_running_says_what_did_not_come_up(project: Project) -> None:
    (project.root / "compose.dev.yml").write_text(
        "services:\n  clock:\n    command: [sh, -c, 'exit 3']\n", encoding="utf-8"
    )
    argv = project.argv("--detach")
    completed = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=180)
    assert completed.returncode == 3
    assert "error: `clock` did not come up" in completed.stderr
    assert len(project.containers()) == 1


def test_services_of_a_profile_start_also_where_a_port_is_moved(project: Project) -> None:
    text = (project.root / "compose.yml").read_text(encoding="utf-8")
    (project.root / "compose.yml").write_text(
        text.replace("  clock:\n", '  clock:\n    profiles: ["extra"]\n'), encoding="utf-8"
    )
    with socket.create_server(("127.0.0.1", project.port)):
        argv = project.argv("--profile", "extra", "--detach")
        completed = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=180)
    assert completed.returncode == 0, completed.stderr
    assert len(project.containers()) == 2
    again = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=180)
    assert again.returncode == 0, again.stderr
    assert "other files" not in again.stderr


def test_what_makes_no_sense_is_refused_before_anything_is_touched(project: Project) -> None:
    def refused(*words: str) -> str:
        argv = project.argv(*words)
        completed = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=180)
        assert completed.returncode == 2
        return completed.stderr

    assert "removes the whole stack" in refused("--down", "web")
    assert "goes with --down" in refused("--volumes")
    assert "no service `wep`; did you mean `web`?" in refused("wep")
    for name in ("compose.yml", "compose.dev.yml"):
        (project.root / name).write_text("services: {}\n", encoding="utf-8")
    assert "declare no service" in refused()


def test_a_build_that_fails_is_shown_once(project: Project) -> None:
    (project.root / "Dockerfile").write_text(
        "FROM debian:bookworm-slim\nRUN echo no cigar >&2; exit 3\n", "utf-8"
    )
    compose = project.root / "compose.yml"
    compose.write_text(
        compose.read_text("utf-8").replace("image: debian", "build: .\n    image: x-", 1), "utf-8"
    )
    running = project.start()
    assert running.end() == 3
    error = running.expect("error: `docker compose")
    assert error.endswith(" build` failed with exit status 17")
    # Nothing of what the build printed comes after it again.
    assert not [line for line in running.lines[running.lines.index(error) :] if "no cigar" in line]


def _watched(project: Project) -> None:
    """Has `web` built, its files synced, and itself built anew with every change of the Dockerfile."""
    (project.root / "synced").mkdir()
    (project.root / "Dockerfile").write_text("FROM debian:bookworm-slim\n", encoding="utf-8")
    compose = project.root / "compose.yml"
    develop = """\
    build: .
    develop:
      watch:
        - {action: sync, path: ./synced, target: /synced}
        - {action: rebuild, path: ./Dockerfile}
"""
    text = compose.read_text("utf-8").replace("    image: debian:bookworm-slim\n", develop, 1)
    compose.write_text(text, encoding="utf-8")


def _once(done: Callable[[], bool], change: Callable[[int], object]) -> bool:
    """Whether it is `done` within a time that is enough on any machine, `change` being made again and again."""
    deadline = time.monotonic() + 180
    for count in itertools.count():
        change(count)
        begun = time.monotonic()
        # What changes before Compose looks is not seen by it, and of what changes all the time nothing is done.
        while time.monotonic() < begun + 15:
            if done():
                return True
            time.sleep(0.2)
        if time.monotonic() > deadline:
            return False
    return False


def test_what_is_edited_arrives_in_the_container_also_where_a_port_is_moved(project: Project) -> None:
    _watched(project)
    page = project.root / "synced/page"

    def arrived() -> bool:
        argv = ["docker", "exec", *project.containers(), "cat", "/synced/page"]
        found = subprocess.run(argv, check=False, capture_output=True, text=True)
        return bool(found.stdout) and found.stdout == page.read_text(encoding="utf-8")

    with socket.create_server(("127.0.0.1", project.port)):
        session = project.start("web")
        link = session.expect("http://localhost:").split()[0]
        assert str(project.port) not in link
        assert _once(arrived, lambda count: page.write_text(f"edit {count}\n", encoding="utf-8")), (
            session.lines
        )
        dockerfile = project.root / "Dockerfile"

        def replaced() -> bool:
            with contextlib.suppress(OSError):
                return _id(project) not in {"", first} and _ask(link) == "first"
            return False

        first = _id(project)
        assert _once(
            replaced,
            lambda count: dockerfile.write_text(f"FROM debian:bookworm-slim\nENV COUNT={count}\n", "utf-8"),
        ), session.lines
        session.process.send_signal(signal.SIGINT)
        assert session.end() == 130
    assert project.containers() == []


def _id(project: Project) -> str:
    """The containers of `project` that run, by what no other container has."""
    argv = ["docker", "ps", "-q", "--filter", f"label=com.docker.compose.project={project.name}"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            '"compose version --short"*) echo 2.21.0',
            "Docker Compose is version 2.21.0, and watches files since 2.22: edits of web are not synced",
        ),
        (
            '*" watch --no-up web"*) exit 7',
            "`docker compose watch` has ended with exit status 7: edits are not synced any more",
        ),
    ],
    ids=["too old", "gives up"],
)
def test_where_compose_cannot_watch_that_is_said_and_the_session_goes_on(
    project: Project, tmp_path: Path, case: str, told: str
) -> None:
    _watched(project)
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(
        f'#!/bin/sh\ncase "$*" in\n{case};;\n*) exec {shutil.which("docker")} "$@";;\nesac\n',
        encoding="utf-8",
    )
    docker.chmod(0o755)
    session = project.start("web", PATH=f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    session.expect(told)
    assert _ask(session.expect("http://localhost:").split()[0]) == "first"
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 130
