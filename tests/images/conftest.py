"""A way to open images with an environment that holds nothing of this machine's user."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from hullmark._images.cache import Cache
from hullmark._images.reference import open_image
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, layer_tar

if TYPE_CHECKING:
    from hullmark.model.image import Image


class SmallImage(Protocol):
    """Makes a small image."""

    def __call__(self, platform: str = ..., marker: str = ...) -> ImageFiles: ...


@dataclass(kw_only=True)
class Opener:
    """Opens images, by default without a cache."""

    cancelled: threading.Event
    cache: Cache = field(default_factory=lambda: Cache(None))

    def __call__(self, reference: str, **options: Any) -> Image:
        given: dict[str, Any] = {"environ": {}, "cancelled": self.cancelled, "cache": self.cache} | options
        return open_image(reference, **given)


@pytest.fixture
def open_() -> Opener:
    """Opens images, as nobody."""
    return Opener(cancelled=threading.Event())


@pytest.fixture(name="small_image")
def _small_image() -> SmallImage:
    """Makes a small image, another one for each platform and marker."""
    return small_image


def small_image(platform: str = "linux/amd64", marker: str = "a") -> ImageFiles:
    """An image with two layers that differ, and two that are the same."""
    first = layer_tar(
        [
            Entry(path="/etc", kind=Kind.DIRECTORY, mode=0o755),
            Entry(path="/etc/os-release", kind=Kind.FILE, mode=0o644, mtime=1_700_000_000),
            Entry(path="/large", kind=Kind.FILE, size=1),
        ],
        {"/etc/os-release": b"ID=debian\n", "/large": marker.encode() * 2_000_000},
    )
    second = layer_tar(
        [Entry(path="/etc/os-release", kind=Kind.WHITEOUT), Entry(path="/b", kind=Kind.FILE, size=7)]
    )
    return ImageFiles(
        layers=(first, second, layer_tar([]), second),
        platform=platform,
        settings={
            "User": "app",
            "Env": ["PATH=/bin", "EMPTY="],
            "Labels": {"b": "2", "a": "1"},
            "Entrypoint": ["/run"],
            "Cmd": None,
            "WorkingDir": "/srv",
            "ExposedPorts": {"8001/tcp": {}, "80/tcp": {}},
            "Volumes": {"/data": {}},
            "StopSignal": "SIGINT",
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5_000_000_000, "Retries": 2},
        },
        history=(
            {"created_by": "COPY . /", "comment": "buildkit"},
            {"created_by": "ENV A=1", "empty_layer": True},
            {"created_by": "RUN rm"},
            {"created_by": "RUN true"},
            {"created_by": "RUN rm"},
        ),
    )
