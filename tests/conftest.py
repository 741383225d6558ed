"""What tests share: the way to the engine, and to the programs of this machine."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

from hullmark._engines import connect
from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

    from hullmark._engines import Engine
    from hullmark._process import Commands

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
