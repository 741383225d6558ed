"""Asking the engine of this machine without its client: the same answers, and no answer rather than a wrong one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullmark._images.layer_store import LayerStore
from hullmark._images.local_engine import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.images.engine.conftest import Loaded

    from hullmark._engines import Engine

USUAL = LocalEngine(address="/var/run/docker.sock")
READ = """
import os, sys
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
image = open_image(sys.argv[1], environ=os.environ, request=Request(verify=False))
print("docker" in sys.modules, image.how)
"""


@contextmanager
def _answering(answer: bytes) -> Iterator[LocalEngine]:
    """Something at a socket that answers one question, and so."""
    # Short, because a socket lies in it.
    with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
        path = f"{directory}/socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen()

            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 12)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            yield LocalEngine(address=path)
            thread.join()


@pytest.mark.parametrize(
    ("environ", "configuration", "found"),
    [
        ({}, None, USUAL),
        ({}, b"{}", USUAL),
        ({}, b'{"currentContext": ""}', USUAL),
        ({}, b'{"currentContext": "default"}', USUAL),
        ({}, b'{"currentContext": "elsewhere"}', None),
        ({}, b"[]", None),
        ({}, b"{", None),
        ({"DOCKER_CONTEXT": "elsewhere"}, None, None),
        ({"DOCKER_HOST": "unix:///run/mine.sock"}, b"{", LocalEngine(address="/run/mine.sock")),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, None, None),
        ({"DOCKER_HOST": "ssh://somewhere"}, None, None),
    ],
)
def test_an_engine_that_the_user_has_chosen_otherwise_is_left_to_the_client(
    tmp_path: Path, environ: dict[str, str], configuration: bytes | None, found: LocalEngine | None
) -> None:
    if configuration is not None:
        (tmp_path / "config.json").write_bytes(configuration)
    assert LocalEngine.of({**environ, "DOCKER_CONFIG": str(tmp_path)}) == found


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'HTTP/1.0 200 OK\r\nServer: x\r\n\r\n{"Id": "1"}', {"Id": "1"}),
        (b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "No such image"}', None),
        (b'HTTP/1.0 500 Oh\r\n\r\n{"Id": "1"}', None),
        (b"HTTP/1.0 200 OK\r\n\r\n[1]", None),
        (b'HTTP/1.0 200 OK\r\n\r\n{"Id": ', None),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000, None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
    ids=["usual", "404", "500", "list", "cut", "deep", "bytes", "nothing"],
)
def test_what_is_no_usual_answer_is_none(answer: bytes, said: dict[str, str] | None) -> None:
    with _answering(answer) as engine:
        assert engine.image("it") == said


def test_where_nobody_listens_there_is_no_answer(tmp_path: Path) -> None:
    assert LocalEngine(address=str(tmp_path / "none")).info() is None


@pytest.mark.docker
def test_the_engine_says_the_same_as_to_its_client(engine: Engine, loaded: Loaded) -> None:
    local = LocalEngine(address=engine.host.removeprefix("unix://"))
    info, image = local.info(), local.image(loaded.name)
    assert info is not None
    assert image is not None
    told = engine.client.info()
    assert {key: info[key] for key in ("DockerRootDir", "Driver", "DriverStatus")} == {
        key: told[key] for key in ("DockerRootDir", "Driver", "DriverStatus")
    }
    assert image["Id"] == loaded.id
    assert local.image("hullmark-test-none") is None


@pytest.mark.docker
def test_no_client_is_loaded_to_read_what_lies_in_the_store(engine: Engine, loaded: Loaded) -> None:
    environ = {**os.environ, "DOCKER_HOST": engine.host, "HULLMARK_NO_CACHE": "1"}
    run = subprocess.run(
        (sys.executable, "-c", READ, f"docker:{loaded.name}"),
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    info = engine.client.info()
    readable = LayerStore(root=Path(info["DockerRootDir"])).why_not(info["Driver"]) is None
    assert run.stdout.split()[0] == str(not readable), run.stdout
