"""What a source hands over; everything else is derived from it once, in `complete`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from hullmark.errors import DamagedImage, Unavailable, UsageError
from hullmark.model.size import parse_size

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from hullmark.model.digest import DiffId, Digest
    from hullmark.model.image import Capture, StreamScanner
    from hullmark.model.table import FileTable

Buffer = bytes | memoryview
UNPACKED, RATIO = "HULLMARK_LARGEST_LAYER", "HULLMARK_LARGEST_RATIO"
"""The environment variables that set `Limits.unpacked` and `Limits.ratio`."""
_COUNT = re.compile(r"[0-9]{1,9}").fullmatch


class DamagedStore(DamagedImage):
    """A store is not as its engine left it, which need not be true of the image."""


class Refused(DamagedImage):
    """More was asked for than is read of any image; what came after it is not known."""


class NoSuchImage(Unavailable):
    """An engine answered, and has no image of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a hostile image may ask for before it is refused."""

    unpacked: int = 1 << 40
    """Bytes of one layer's tar; see `UNPACKED`."""
    ratio: int = 2000
    """How many times larger than its blob a layer's tar may be, once it is larger than `free`; see `RATIO`."""
    free: int = 1 << 28
    """Bytes below which `ratio` does not count."""
    entries: int = 10_000_000
    """Entries of one layer."""
    manifest: int = 1 << 24
    """Bytes of a manifest, an index or a configuration."""
    header: int = 1 << 20
    """Bytes of the extended headers of one entry."""
    names: int = 1 << 29
    """Bytes of the long names and the attributes of one layer."""
    captured: int = 1 << 28
    """Bytes that may be kept of one layer, and of one file before `Capture.take` has seen it."""

    def set_by(self, environ: Mapping[str, str]) -> Limits:
        """These, but for what the user's environment sets; raises `UsageError` for what is no limit."""
        limits = self
        if text := environ.get(UNPACKED, "").strip():
            try:
                limits = replace(limits, unpacked=parse_size(text))
            except ValueError as error:
                raise UsageError(f"{UNPACKED}: {error}") from error
        if text := environ.get(RATIO, "").strip():
            if not _COUNT(text) or not (ratio := int(text)):
                raise UsageError(f"{RATIO}: expected how many times larger, such as 5000, got `{text[:40]}`")
            limits = replace(limits, ratio=ratio)
        return limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is wanted of each layer besides its entries."""

    capture: Capture | None = None
    contents: bool = False
    """Whether `FileTable.digests` is needed, for which every byte has to be read."""
    verify: bool = True
    """Whether digests and diff IDs are recomputed where the medium is trusted anyway: the local engine's own store.
    What comes from anywhere else is always verified."""
    transfer: bool = False
    """Whether layers that nobody has compressed yet are compressed, to measure what a host pulls; every byte is read."""
    scanner: StreamScanner | None = None
    """What looks through every byte besides, where that is wanted."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A layer that was read."""

    diff_id: DiffId
    """As computed from its bytes, or as the store keeps it where `verified` is false."""
    table: FileTable
    captured: Mapping[str, bytes]
    digest: Digest | None = None
    """As computed from the bytes of the blob."""
    transfer: int | None = None
    estimated: int | None = None
    """Bytes of the blob that an engine would make of it, where that was asked for."""
    scanned: bytes | None = None
    """What the scanner kept, where one was asked for."""
    verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A layer that was read to its end and is none."""

    error: DamagedImage
    """Why."""
    diff_id: DiffId | None
    """As computed from its bytes; `None` where they cannot be decompressed."""
    digest: Digest
    """As computed from the bytes of the blob."""
    transfer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A layer as a blob: a tar, plain or compressed, which its bytes tell and its media type need not."""

    digest: Digest | None
    """What the manifest, or whoever `said_by` is, says; verified."""
    transfer: int | None
    """Bytes, as the manifest says; verified."""
    open: Callable[[], AbstractContextManager[Iterator[Buffer]]]
    """The bytes, in pieces of any size; each piece is valid until the next one is asked for."""
    media_type: str = ""
    place: str = ""
    """Where it is, for messages."""
    said_by: str = "the manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A layer in a store that knows its entries, so that its tar need not be put together."""

    walk: Callable[[Request], Walked]
    """Reads it; raises `DamagedStore` where that cannot be done."""
    headers: int = 0
    """Bytes that its headers take in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The small core that every source gives."""

    reference: str
    how: str
    """From where and by which way it is read, for the report."""
    manifest: bytes | None
    """As it is stored, because digests are of bytes; `None` where the medium has none."""
    config: bytes
    layers: tuple[Blob | Stored | Walked | Unreadable, ...]
    """From the bottom up, as many as the configuration lists diff IDs."""
    platform: str | None = None
    """Where the index says more than the configuration, such as the variant."""
    otherwise: Callable[[DamagedStore], Core] | None = None
    """The same image by another way, where a layer in a store turns out to be damaged as told."""


class Source(Protocol):
    """Somewhere images are."""

    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> AbstractContextManager[Core]:
        """The core of the image called `reference` (without the scheme) for `platform` (the host's when not given).

        Raises `Unavailable` when the place cannot be reached or has no such image, and `DamagedImage` for what is
        there and is no image. An image that is there for other platforms only is `Unavailable` naming those.
        """
        ...
