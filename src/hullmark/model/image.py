"""An image: configuration, history, and ordered layers with what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.credential import Credential
    from hullmark.model.dependency import Missing
    from hullmark.model.difference import Difference, Update
    from hullmark.model.digest import DiffId, Digest
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Budget, ServiceSettings, UserOverride
    from hullmark.model.table import FileTable

_NO_FILES: Mapping[str, bytes] = MappingProxyType({})


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
    """How containers of an image are started, per the OCI image specification, and Docker's HEALTHCHECK."""

    user: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""
    health_check: HealthCheck | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    ports: tuple[str, ...] = ()
    """Exposed ports such as `8001/tcp`, sorted."""
    volumes: tuple[str, ...] = ()
    """Sorted."""
    stop_signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What the image says of one step of its making; written by the builder, and believed only as far as it fits."""

    created_by: str = ""
    comment: str = ""
    empty: bool = False
    """Whether the step made no layer."""


class Capture(Protocol):
    """Which files of a layer are kept, and what of them, while the layer is read once and never extracted."""

    name: str
    """What it keeps, and the version of how: part of the key under which results are cached."""

    def wants(self, path: str, size: int, mode: int) -> bool:
        """Whether the regular file at `path` (see `Entry.path`) is to be handed to `take`; called for every file."""
        ...

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What to keep of the file, or `None`; `content` is valid only during the call."""
        ...


class Content(NamedTuple):
    """Where in the tar of a layer the content of one file is."""

    row: int
    """Of the file in the table of the layer."""
    begin: int
    end: int


class Stream(Protocol):
    """Sees every byte of one layer."""

    def write(self, piece: bytes | memoryview, /) -> None:
        """The next bytes of the tar, valid during the call."""
        ...

    def finish(self) -> bytes:
        """What is kept of them, when all have come."""
        ...


class StreamScanner(Protocol):
    """Looks through all bytes of each layer as they pass by, those of large files and of programs as well."""

    name: str
    """What it keeps, and the version of how: the key under which results are cached, apart from the tables."""

    def begin(self, content: Callable[[int], Content | None], /) -> Stream:
        """A stream for one layer; several run at once.

        `content` says which file the byte at a position of the tar belongs to, once `Stream.write` was given it, and
        `None` for bytes that are no content.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One changeset of an image. Layers are the same when their diff IDs are."""

    diff_id: DiffId
    table: FileTable
    captured: Mapping[str, bytes] = field(default_factory=lambda: _NO_FILES)
    """What a `Capture` kept, by path."""
    scanned: bytes | None = None
    """What a `StreamScanner` kept, where one was asked for."""
    digest: Digest | None = None
    """Of the blob as it is stored or transferred, where there is one."""
    transfer: int | None = None
    """Bytes of that blob."""
    estimated: bool = False
    """Whether there is no such blob yet, and `transfer` is what compressing the layer has shown."""
    history: HistoryEntry | None = None
    """The step that made it, where the image says so."""

    @property
    def unpacked(self) -> int:
        """Bytes of its regular files; a hard link adds none."""
        return self.table.unpacked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """Configuration and layers of one image for one platform."""

    reference: str
    """What it was asked for by."""
    how: str = ""
    """From where and by which way it was read."""
    digest: Digest | None = None
    """Of its manifest, where it has one."""
    config_digest: Digest
    platform: str
    """For example `linux/amd64`."""
    configuration: ImageConfiguration
    history: tuple[HistoryEntry, ...] = ()
    layers: tuple[Layer, ...]
    """From the bottom up."""

    @property
    def unpacked(self) -> int:
        """Bytes of regular files over all layers, a hard link once."""
        return sum(layer.unpacked for layer in self.layers)

    @property
    def transfer(self) -> int | None:
        """Bytes of the blobs of all layers; `None` when one of them has none."""
        sizes = [layer.transfer for layer in self.layers]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def estimated(self) -> bool:
        """Whether `transfer` is an estimate: a layer of it has been compressed to measure it, and not to be pulled."""
        return any(layer.estimated for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShippedImage:
    """An image together with what its project promised of it: what the image rules look at."""

    anatomy: Anatomy
    service: str
    settings: ServiceSettings
    labels: tuple[str, ...]
    """Labels that the policy requires."""
    missing: tuple[Missing, ...] = ()
    """What its programs and packages need and do not find in it, the surest first."""
    credentials: tuple[Credential, ...] = ()
    """Files with credentials, in any layer."""
    growth: Difference | None = None
    """What changed since the previous image, where there is one to compare with."""
    change: Difference | None = None
    """What changed since the image of the baseline, where there is one."""
    update: Update | None = None
    """What a host that has the previous image must pull."""
    origin: SourceSpan | None = None
    """The FROM of the Dockerfile stage that it is built from."""
    recipe: Recipe | None = None
    """What it is built from, where its Dockerfile can be read."""
    build_labels: frozenset[str] = frozenset()
    """Labels that the Compose file gives it, whatever the Dockerfile says."""
    override: UserOverride | None = None
    """The user that the Compose file starts it as, in the place of the image's own."""
    growth_budget: Budget | None = None
    """By how much it may be larger than the image of the baseline."""
    uid: int | None = None
    """The number of the user that it is started as; `None` where the image does not say."""

    @property
    def image(self) -> Image:
        """The image itself."""
        return self.anatomy.image
