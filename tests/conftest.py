"""What tests share: the way to the engine, and to the programs of this machine."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from hullmark._engines import connect
from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Iterator

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
