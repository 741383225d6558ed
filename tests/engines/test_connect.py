"""Which engine is found, and what is said where there is none or it will not do."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socketserver
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._engines import connect
from hullmark.errors import Unavailable
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._engines import Engine
    from hullmark._process import Commands

COMPOSE = ("docker", "compose", "version", "--short")
GOOD = ScriptedCommands({COMPOSE: ScriptedCommands.completed("2.26.1-4\n")})


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose name is short enough for a socket in it."""
    made = Path(tempfile.mkdtemp(prefix="hm"))
    yield made
    shutil.rmtree(made)


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def _engine(directory: Path, answer: dict[str, Any] | None) -> Iterator[dict[str, str]]:
    """An environment that points at something on a socket that answers `/version` with `answer`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode() if answer is not None else b"<h1>It works!</h1>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

        def address_string(self) -> str:
            return "socket"

    path = directory / "s"
    with _Unix(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield {"DOCKER_HOST": f"unix://{path}"}
        finally:
            server.shutdown()
            thread.join()


def _version(engine: str) -> dict[str, str]:
    return {"Version": engine, "ApiVersion": "1.41", "MinAPIVersion": "1.12"}


def _refusal(environ: dict[str, str], commands: Commands = GOOD) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        connect(commands, environ, threading.Event())
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value


def test_where_there_is_no_engine_it_says_where_it_looked(directory: Path) -> None:
    host = f"unix://{directory}/none"
    assert _refusal({"DOCKER_HOST": host}).message == (
        f"no Docker engine answers at {host}: no such file or directory"
    )


def test_a_socket_that_nobody_listens_at_is_no_engine(directory: Path) -> None:
    with _Unix(str(directory / "s"), http.server.BaseHTTPRequestHandler):
        pass
    assert (directory / "s").exists()
    error = _refusal({"DOCKER_HOST": f"unix://{directory}/s"})
    assert error.message.endswith("connection refused")
    assert "install Docker Engine" in str(error.hint)


def test_a_port_that_nobody_listens_at_is_no_engine() -> None:
    import socket

    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there
        error = _refusal({"DOCKER_HOST": f"tcp://127.0.0.1:{unheard.getsockname()[1]}"})
    assert error.message.endswith("connection refused")


def test_a_socket_that_one_may_not_use_needs_another_remedy(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may use any socket, so that the system's answer is put in its place.
    monkeypatch.setattr(socket.socket, "connect", refuse)
    error = _refusal({"DOCKER_HOST": f"unix://{directory}/s"})
    assert error.message.endswith("permission denied")
    assert "group `docker`" in str(error.hint)


@pytest.mark.parametrize("version", ["19.03.15", "20.10.24+dfsg1", "23.0.6"])
def test_an_engine_that_is_too_old_is_named_with_the_version_that_is_needed(
    directory: Path, version: str
) -> None:
    with _engine(directory, _version(version)) as environ:
        message = _refusal(environ).message
    assert message == (
        f"the Docker engine at {environ['DOCKER_HOST']} is version {version}; hullmark needs 24.0 or newer"
    )


@pytest.mark.parametrize(
    ("version", "parsed"), [("24.0.0", (24, 0)), ("v25.0.3-rc1", (25, 0)), ("28.2.2", (28, 2))]
)
def test_an_engine_that_is_new_enough_is_taken(
    directory: Path, version: str, parsed: tuple[int, int]
) -> None:
    with _engine(directory, _version(version)) as environ:
        engine = connect(GOOD, environ, threading.Event())
        engine.client.close()
    assert engine.version == parsed
    assert engine.host == environ["DOCKER_HOST"]
    assert engine.has_start_interval is (parsed >= (25, 0))


@pytest.mark.parametrize("answer", [None, {"ApiVersion": "1.41"}])
def test_something_that_is_no_engine_is_not_taken_for_one(
    directory: Path, answer: dict[str, Any] | None
) -> None:
    with _engine(directory, answer) as environ:
        assert environ["DOCKER_HOST"] in _refusal(environ).message


@pytest.mark.parametrize("version", ["2.19.1", "1.29.2", "v2.0.0"])
def test_a_compose_that_is_too_old_is_named_with_the_version_that_is_needed(
    directory: Path, version: str
) -> None:
    commands = ScriptedCommands({COMPOSE: ScriptedCommands.completed(f"{version}\n")})
    with _engine(directory, _version("26.1.5")) as environ:
        message = _refusal(environ, commands).message
    assert message == f"Docker Compose is version {version}; hullmark needs 2.20 or newer"


def test_a_missing_compose_plugin_is_told(directory: Path) -> None:
    answer = ScriptedCommands.completed(stderr="docker: 'compose' is not a docker command.", returncode=1)
    with _engine(directory, _version("26.1.5")) as environ:
        error = _refusal(environ, ScriptedCommands({COMPOSE: answer}))
    assert error.message == "the Docker CLI has no Compose plugin"


def test_a_missing_docker_program_is_told(directory: Path) -> None:
    with _engine(directory, _version("26.1.5")) as environ:
        assert _refusal(environ, ScriptedCommands({})).message == "`docker` is not on PATH"


def test_a_context_that_does_not_exist_is_told() -> None:
    error = _refusal({"DOCKER_CONTEXT": "hullmark-test-no-such-context"})
    assert "hullmark-test-no-such-context" in error.message
    assert error.hint == "`docker context ls`"


@pytest.mark.docker
def test_the_engine_of_this_machine_is_found(engine: Engine) -> None:
    assert engine.version >= (24, 0)
    assert engine.client.ping()


@pytest.mark.docker
def test_events_that_came_before_anybody_listened_are_told_all_the_same(engine: Engine) -> None:
    import secrets

    label = f"hullmark-test={secrets.token_hex(8)}"
    container = engine.client.containers.create(
        "debian:bookworm-slim", ["true"], labels=dict([label.split("=")]), network_disabled=True
    )
    try:
        container.start()
        container.wait()
        with engine.events(label) as events:
            first = [next(iter(events))["Action"] for _ in range(3)]
        assert [action for action in first if action != "attach"][:2] == ["create", "start"]
    finally:
        container.remove(force=True)


@pytest.mark.docker
def test_who_reads_events_is_released_when_the_context_is_left(engine: Engine) -> None:
    with engine.events("hullmark-test=nobody") as events:
        reader = threading.Thread(target=lambda: list(events))
        reader.start()
        reader.join(0.2)
        assert reader.is_alive()
    reader.join(5)
    assert not reader.is_alive()


def test_no_part_of_the_environment_is_read_but_what_is_handed_over(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DOCKER_HOST", f"unix://{directory}/elsewhere")
    with _engine(directory, _version("26.1.5")) as environ:
        connect(GOOD, environ, threading.Event()).client.close()
