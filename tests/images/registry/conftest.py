"""A way to pull whole images, and registries to pull them from: one that behaves badly, and a real one."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.interface import Blob, Limits, Request
from hullmark._images.registry import Registry
from hullmark._images.transport import Patience
from hullmark.testing import FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hullmark._images.interface import Core
    from hullmark._process import Commands

QUICK = Patience(first_delay=0.001, longest_delay=0.01, connect=10, answer=20, piece=20)


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """An image with the bytes of its layers."""

    core: Core
    layers: tuple[bytes, ...]


@dataclass(kw_only=True)
class Puller:
    """Pulls images with an environment that holds nothing of this machine's user."""

    commands: Commands
    environ: dict[str, str]
    cancelled: threading.Event
    patience: Patience = QUICK
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def open(self, reference: str, platform: str | None = None) -> Iterator[Core]:
        """The core, and whatever of it is read while the context lasts."""
        source = Registry(
            commands=self.commands, environ=self.environ, patience=self.patience, **dict(self.options)
        )
        with source.open(reference, platform, Request(limits=self.limits), self.cancelled) as core:
            yield core
        assert not [thread for thread in threading.enumerate() if thread.name == "hullmark-watch"]

    def __call__(self, reference: str, platform: str | None = None) -> Pulled:
        """The whole image."""
        with self.open(reference, platform) as core:
            return Pulled(core=core, layers=tuple(self.read(layer) for layer in core.layers))

    @staticmethod
    def read(layer: Any) -> bytes:
        """All bytes of one layer."""
        assert isinstance(layer, Blob)
        with layer.open() as pieces:
            return b"".join(bytes(piece) for piece in pieces)


@pytest.fixture
def pull(commands: Commands, cancelled: threading.Event, tmp_path: Path) -> Puller:
    """Pulls images, as nobody."""
    environ = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    return Puller(commands=commands, environ=environ, cancelled=cancelled)


@pytest.fixture
def faulty() -> Iterator[FaultyRegistry]:
    """A registry that behaves well until it is told otherwise."""
    with FaultyRegistry() as registry:
        yield registry


@pytest.fixture
def log_in(tmp_path: Path) -> Callable[..., None]:
    """Writes what `docker login` would have left for the environment of `pull`."""
    import base64
    import json

    def write(host: str, text: str = "ada:engine#7", **entry: str) -> None:
        auth = entry or {"auth": base64.b64encode(text.encode()).decode()}
        (tmp_path / "docker").mkdir(exist_ok=True)
        content = json.dumps({"auths": {host: auth}})
        (tmp_path / "docker" / "config.json").write_text(content, encoding="utf-8")

    return write
