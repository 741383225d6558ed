"""What tests share: the way to the engine, and to the programs of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection, create_server
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

from hullmark._engines import connect
from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xdist.remote import Producer

    from hullmark._engines import Engine
    from hullmark._process import Commands

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says more of a shared machine than of the code.
settings.register_profile("hullmark", deadline=None)
settings.load_profile("hullmark")


@pytest.fixture
def cancelled() -> threading.Event:
    """Set by a test to ask everything that it started to stop."""
    return threading.Event()


@pytest.fixture
def commands(cancelled: threading.Event) -> Commands:
    """The programs of this machine."""
    return SystemCommands(os.environ, cancelled)


@pytest.fixture
def engine(commands: Commands, cancelled: threading.Event) -> Iterator[Engine]:
    """The engine of this machine; a test that needs one fails where there is none."""
    connected = connect(commands, os.environ, cancelled)
    yield connected
    connected.client.close()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A real registry on a free port of the loopback interface: its host and port."""
    with serving(tmp_path / "registry") as host:
        yield host


@contextmanager
def serving(directory: Path, *, http: Mapping[str, Any] | None = None, **settings: Any) -> Iterator[str]:
    """The same, kept in `directory`, with more settings."""
    found = subprocess.run((str(ROOT / "scripts/registry"),), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    directory.mkdir(exist_ok=True)
    with create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {
            "filesystem": {"rootdirectory": str(directory / "store")},
            "delete": {"enabled": True},
        },
        "http": {"addr": host, "secret": "of the tests", **(http or {})},
        **settings,
    }
    file = directory / "config.yml"
    # What is JSON is YAML, too.
    file.write_text(json.dumps(configuration), encoding="utf-8")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen((found.stdout.strip(), "serve", str(file)), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while not _answers(host):
                assert process.poll() is None, (directory / "log").read_text("utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield host
        finally:
            process.kill()
            process.wait()


def _answers(host: str) -> bool:
    name, _, port = host.rpartition(":")
    with suppress(OSError), create_connection((name, int(port))):
        return True
    return False


class _StackTogether(LoadGroupScheduling):
    """Gives all tests of the reference stack to one worker, by where they stand.

    The scheduler's own way, the name of the group in the id of the test, is lost with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return (
            "stack"
            if nodeid.startswith(("tests/stack/", "tests/e2e/"))
            else str(super()._split_scope(nodeid))
        )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling | None:
    """Who decides which worker runs which test under `--dist loadgroup`."""
    return _StackTogether(config, log) if config.getoption("dist") == "loadgroup" else None
