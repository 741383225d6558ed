"""Layers as Docker's overlay2 store keeps them: read where they are, without having the engine export anything.

For each layer the engine keeps, compressed, what it needs to make the exact tar again ("tar-split"): every byte that is
no content of a file, and for each content the name of the file. The headers are read from there, and of the contents
only what somebody wants.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hullmark._images.blob import LayerWalk
from hullmark._images.compression import Measured
from hullmark._images.interface import DamagedStore, Stored, Walked
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage, Interrupted
from hullmark.model.table import Kind

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from hullmark._images.interface import Request
    from hullmark.model.digest import DiffId

_CACHE_ID = re.compile(r"[0-9a-z-]{1,128}")
_PIECE = 1 << 18
"""Bytes at once: with what is made of them they stay in the caches of the processor."""
Line = TypeVar("Line")
_FILE, _BYTES = 1, 2


class _Headers(msgspec.Struct, gc=False):
    """One line, as far as it has bytes of the tar. It holds nothing that could hold it."""

    type: int
    payload: bytes | None = None


class _Segment(_Headers, gc=False):
    """One line: bytes of the tar, or a file whose content stands there."""

    size: int = 0
    name: str | None = None
    name_raw: bytes | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Segment)
_HEADERS = msgspec.json.Decoder(_Headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStore:
    """The store below the engine's directory `root`."""

    root: Path

    def why_not(self, driver: str) -> str | None:
        """Why layers cannot be read here; `None` when they can."""
        if driver != "overlay2":
            return f"the engine's storage driver is {driver or 'not known'}"
        try:
            os.scandir(self._layers).close()
        except OSError as error:
            return f"{self._layers}: {(error.strerror or str(error)).lower()}"
        return None

    @property
    def _layers(self) -> Path:
        return self.root / "image" / "overlay2" / "layerdb" / "sha256"

    def config(self, image_id: str) -> bytes | None:
        """The configuration of the image with that ID, as it was stored; `None` where it is not there."""
        path = (
            self.root
            / "image"
            / "overlay2"
            / "imagedb"
            / "content"
            / "sha256"
            / image_id.removeprefix("sha256:")
        )
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return content if f"sha256:{hashlib.sha256(content).hexdigest()}" == image_id else None

    def layers(
        self, diff_ids: Sequence[DiffId], name: str, cancelled: threading.Event
    ) -> tuple[Stored, ...] | None:
        """The layers with `diff_ids`, from the bottom up; `None` where one of them is not as it is expected to be."""
        found = []
        chain = ""
        for number, diff_id in enumerate(diff_ids, 1):
            chain = (
                str(diff_id)
                if not chain
                else f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
            )
            directory = self._layers / chain.removeprefix("sha256:")
            try:
                stored = (directory / "diff").read_text(encoding="ascii").strip()
                cache_id = (directory / "cache-id").read_text(encoding="ascii").strip()
                described = (split := directory / "tar-split.json.gz").stat()
            except (OSError, UnicodeDecodeError):
                return None
            content = self.root / "overlay2" / cache_id / "diff"
            if (
                stored != str(diff_id)
                or not _CACHE_ID.fullmatch(cache_id)
                or not content.is_dir()
                or not stat.S_ISREG(described.st_mode)
            ):
                return None
            layer = _Layer(
                diff_id=diff_id,
                split=split,
                content=content,
                name=f"{name}: layer {number} of {len(diff_ids)}",
                cancelled=cancelled,
            )
            found.append(Stored(walk=layer.walk, headers=described.st_size))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One layer of the store."""

    diff_id: DiffId
    split: Path
    content: Path
    name: str
    cancelled: threading.Event

    def walk(self, request: Request) -> Walked:
        """See `Stored.walk`."""
        try:
            with _Contents(self.content, self.name) as contents:
                if request.verify or request.contents or request.transfer or request.scanner is not None:
                    return self._read_through(request, contents)
                return self._read_wanted(request, contents)
        except DamagedImage as error:
            raise DamagedStore(error.message) from error
        except OSError as error:
            raise DamagedStore(f"{self.name}: {self.content}: {error.strerror or error}") from error

    def _read_through(self, request: Request, contents: _Contents) -> Walked:
        """Makes the whole tar again."""
        layer = LayerWalk(request, self.name)
        with contextlib.ExitStack() as stack:
            if request.transfer:
                layer.measured = Measured()
                stack.callback(layer.measured.close)
            try:
                for segments in self._segments(_DECODER):
                    for segment in segments:
                        for piece in self._bytes(segment, contents):
                            layer.write(piece)
                    if layer.error is not None:
                        raise layer.error
                walked = layer.close()
            except DamagedImage as error:
                if not layer.walk.expanding:
                    raise
                raise DamagedImage(
                    f"{self.name} holds a sparse file: the engine has filled its holes, and cannot make this layer again"
                ) from error
            estimated = None if layer.measured is None else layer.measured.finish()
        return replace(walked, estimated=estimated)

    def _read_wanted(self, request: Request, contents: _Contents) -> Walked:
        """Goes through the headers only, and reads afterwards what the capture wants."""
        walk = TarWalk(request, self.name, elided=True)
        for segments in self._segments(_HEADERS):
            walk.feed(b"".join([segment.payload or b"" for segment in segments if segment.type == _BYTES]))
        table, _ = walk.finish()
        captured: dict[str, bytes] = {}
        if request.capture is not None and walk.wanted:
            wanted = frozenset(walk.wanted)
            # Where an archive holds a path twice, the last one is what the store has.
            last = {path: row for row, path in enumerate(table.paths) if path in wanted}
            kept = 0
            for path, row in last.items():
                if self.cancelled.is_set():
                    raise Interrupted
                size = table.sizes[row]
                if table.kinds[row] != Kind.FILE or not request.capture.wants(path, size, table.modes[row]):
                    continue
                found = request.capture.take(path, contents.whole(os.fsencode(path), size))
                if found is not None:
                    kept += len(found)
                    if kept > request.limits.captured:
                        raise DamagedImage(
                            f"{self.name}: more than {request.limits.captured} bytes of its files would have to be kept"
                        )
                    captured[path] = bytes(found)
        return Walked(diff_id=self.diff_id, table=table, captured=captured, verified=False)

    def _bytes(self, segment: _Segment, contents: _Contents) -> Iterator[bytes | memoryview]:
        """What stands in the tar for a segment."""
        if segment.type == _BYTES:
            yield segment.payload or b""
        elif segment.type == _FILE:
            if segment.size:
                yield from contents.read(segment.name_raw or (segment.name or "").encode(), segment.size)
        else:
            raise DamagedImage(f"{self.name}: {self.split} holds a segment of type {segment.type}")

    def _segments(self, decoder: msgspec.json.Decoder[Line]) -> Iterator[list[Line]]:
        rest = b""
        try:
            for piece in _inflated(self.split.read_bytes()):
                if self.cancelled.is_set():
                    raise Interrupted
                lines, newline, after = (rest + piece).rpartition(b"\n")
                rest = after
                if newline:
                    yield decoder.decode_lines(lines)
            if rest.strip():
                yield decoder.decode_lines(rest)
        except (OSError, msgspec.MsgspecError, zlib.error, _inflated_error()) as error:
            raise DamagedImage(f"{self.name}: {self.split} cannot be read: {error}") from error


def _inflated_error() -> type[Exception]:
    try:
        from isal import isal_zlib  # noqa: PLC0415  # where there is no wheel for a platform, zlib does
    except ImportError:
        return zlib.error
    error: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # a class, whatever its stubs say
    return error


def _inflated(packed: bytes) -> Iterator[bytes]:
    try:
        from isal import isal_zlib  # noqa: PLC0415  # where there is no wheel for a platform, zlib does
    except ImportError:
        decompressor: Any = zlib.decompressobj(31)
    else:
        decompressor = isal_zlib.decompressobj(31)
    piece = decompressor.decompress(packed, _PIECE)
    while piece or not decompressor.eof:
        yield piece
        before = decompressor.unconsumed_tail
        piece = decompressor.decompress(before, _PIECE)
        if not piece and not decompressor.eof and decompressor.unconsumed_tail == before:
            raise zlib.error("it ends too early")


class _Contents:
    """The files below a directory, read without ever following a link out of it, or anywhere else.

    The names come from the image, and a layer may hold a link with a file "below" it.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self._descriptor = -1
        self._parent = b""
        self._parent_descriptor = -1
        self._buffer = memoryview(bytearray(_PIECE))

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()
        os.close(self._descriptor)

    def _leave(self) -> None:
        if self._parent_descriptor >= 0:
            os.close(self._parent_descriptor)
            self._parent_descriptor = -1

    def _enter(self, parent: bytes) -> int:
        """A descriptor of the directory `parent`, kept until another one is asked for: neighbours come together."""
        if self._parent_descriptor >= 0 and parent == self._parent:
            return self._parent_descriptor
        self._leave()
        at = os.dup(self._descriptor)
        try:
            for part in parent.split(b"/"):
                if part in {b"", b"."}:
                    continue
                if part == b"..":
                    raise DamagedImage(f"{self._name}: `{os.fsdecode(parent)}` leads out of the layer")
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
                os.close(at)
                at = inner
        except BaseException:
            os.close(at)
            raise
        self._parent, self._parent_descriptor = parent, at
        return at

    def whole(self, path: bytes, size: int) -> memoryview:
        """The content of the file at `path`, which must have `size` bytes; valid until the next one is asked for."""
        with self._opened(path, size) as descriptor:
            if size > len(self._buffer):
                self._buffer = memoryview(bytearray(size))
            done = 0
            while done < size:
                count = os.readv(descriptor, [self._buffer[done:size]])
                if not count:
                    raise self._lost(path, "it became shorter")
                done += count
            return self._buffer[:size]

    def read(self, path: bytes, size: int) -> Iterator[memoryview]:
        """The content of the file at `path`, which must have `size` bytes; each piece is valid until the next one."""
        with self._opened(path, size) as descriptor:
            left = size
            while left:
                count = os.readv(descriptor, [self._buffer[:left]])
                if not count:
                    raise self._lost(path, "it became shorter")
                left -= count
                yield self._buffer[:count]

    @contextlib.contextmanager
    def _opened(self, path: bytes, size: int) -> Iterator[int]:
        parent, _, base = path.strip(b"/").rpartition(b"/")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(base, flags, dir_fd=self._enter(parent))
        except OSError as error:
            raise self._lost(path, error.strerror or str(error)) from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise self._lost(path, "something else has taken its place")
            if found.st_size != size:
                raise self._lost(path, f"expected a file of {size} bytes, found {found.st_size}")
            yield descriptor
        finally:
            os.close(descriptor)

    def _lost(self, path: bytes, why: str) -> DamagedImage:
        return DamagedImage(
            f"{self._name}: the engine's store has lost `/{os.fsdecode(path.lstrip(b'/'))}`: {why}"
        )
