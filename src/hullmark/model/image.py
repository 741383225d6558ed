"""An image: configuration, and ordered layers with what they hold."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.digest import DiffId, Digest
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import ServiceSettings


class Kind(enum.Enum):
    """What an entry of a layer is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    DEVICE = "device"
    FIFO = "fifo"
    WHITEOUT = "whiteout"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a layer, in the order of its archive."""

    path: str
    """Absolute, without `.` and `..`; for a whiteout the path that it hides."""
    kind: Kind
    size: int = 0
    """Bytes of content; 0 for everything but regular files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One changeset of an image."""

    diff_id: DiffId
    entries: tuple[Entry, ...]

    @property
    def unpacked(self) -> int:
        """Bytes of its regular files; a hard link adds none."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The HEALTHCHECK of an image; times in seconds, 0 where the engine's default holds."""

    test: tuple[str, ...]
    interval: float = 0.0
    timeout: float = 0.0
    start_period: float = 0.0
    retries: int = 0

    @property
    def disabled(self) -> bool:
        """Whether it says that there is none."""
        return not self.test or self.test[0] == "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfiguration:
    """The part of an image's configuration that is checked."""

    user: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    health_check: HealthCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Configuration and layers of one image for one platform."""

    reference: str
    """What it was asked for by."""
    config_digest: Digest
    platform: str
    """For example `linux/amd64`."""
    configuration: ImageConfiguration
    layers: tuple[Layer, ...]
    """From the bottom up."""

    @property
    def unpacked(self) -> int:
        """Bytes of regular files over all layers, a hard link once."""
        return sum(layer.unpacked for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedImage:
    """An image together with what its project promised of it: what the image rules look at."""

    image: Image
    service: str
    settings: ServiceSettings
    labels: tuple[str, ...]
    """Labels that the policy requires."""
    origin: SourceSpan | None = None
    """The FROM of the Dockerfile stage that it is built from."""
