"""Archives of images on disk: what is in them, found by name, without unpacking anything."""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hullmark._images.blob import Behind, BlobReader, check_digest
from hullmark._images.decompression import LONGEST_MAGIC, PIECE, decoder_for
from hullmark._images.interface import Blob, Request
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage, Interrupted, Unavailable
from hullmark.model.table import Kind

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hullmark._images.interface import Buffer, Unreadable, Walked
    from hullmark._images.tar import Consumer
    from hullmark.model.digest import Digest
    from hullmark.model.table import FileTable

_AT_ONCE = 1 << 20
"""Bytes that are read from a file at once."""
_MOST_LINKS = 40
"""Links that lead from one name to another, as many as Linux follows."""
_HEAD = 512
"""Bytes by which documents are told apart: spaces may stand before the first that counts."""
_MOST_DOCUMENTS = 8
"""How many times the largest document all documents of an archive may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of a layer by what leads to it, and is verified."""

    digest: Digest | None
    by: str = "the manifest"
    """Who says that the digest is this one."""
    transfer: int | None = None
    media_type: str = ""


class Place(Protocol):
    """Somewhere files with names are: a directory, or an archive."""

    def has(self, path: str) -> bool:
        """Whether there is a file with that name."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """A small file; raises `DamagedImage` where it is not there, or larger than `limit`."""
        ...

    def layer(self, path: str, said: Said) -> Blob | Walked | Unreadable:
        """The layer in a file, of which something is said."""
        ...


class _Members:
    """The names in an archive, and what they lead to."""

    def __init__(self, table: FileTable, name: str) -> None:
        self._name = name
        self._rows = {path: row for row, path in enumerate(table.paths)}
        self._table = table

    def row(self, path: str) -> int | None:
        """The row of the regular file that `path`, without the slash before it, is or leads to."""
        current = posixpath.normpath(f"/{path}")
        for _ in range(_MOST_LINKS):
            row = self._rows.get(current)
            if row is None:
                return None
            match Kind(self._table.kinds[row]):
                case Kind.FILE:
                    return row
                case Kind.SYMLINK:
                    link = self._table.links.get(row, "")
                    current = posixpath.normpath(posixpath.join(posixpath.dirname(current), link))
                case Kind.HARDLINK:
                    current = self._table.links.get(row, "")
                case _:
                    return None
        raise DamagedImage(f"{self._name}: `{path}` is a link that leads nowhere but to itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of this machine that is open, and can be read from several threads at any place."""

    descriptor: int
    size: int
    name: str
    """For messages."""

    def pieces(self, begin: int, size: int) -> Iterator[memoryview]:
        """The bytes from `begin` on; every piece is valid until the next one is asked for."""
        # Read into the same memory again and again, so that it stays small and in the caches of the processor.
        buffer = memoryview(bytearray(min(_AT_ONCE, size)))
        end = begin + size
        while begin < end:
            count = os.preadv(self.descriptor, [buffer[: end - begin]], begin)
            if not count:
                raise DamagedImage(f"{self.name} ends {end - begin} bytes too early")
            begin += count
            yield buffer[:count]

    def read(self, begin: int, size: int) -> bytes:
        """So many bytes from `begin` on."""
        return b"".join(bytes(piece) for piece in self.pieces(begin, size))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[File]:
    """The file at `path`; raises `Unavailable` where it cannot be read, or is none."""
    try:
        # Somebody may never come to the other end of a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unavailable(f"{path} is no file")
        yield File(descriptor=descriptor, size=found.st_size, name=str(path))
    finally:
        os.close(descriptor)


class PlainArchive:
    """A tar that is not compressed, in which files are read where they are; a `Place`."""

    def __init__(self, file: File, request: Request, cancelled: threading.Event) -> None:
        self._file = file
        walk = TarWalk(Request(limits=request.limits), file.name, offsets=True)
        position = 0
        while position < file.size:
            if cancelled.is_set():
                raise Interrupted
            step = min(PIECE // 16, file.size - position)
            walk.feed(file.read(position, step))
            position += step
            # What is in the files is read when it is wanted.
            beyond = min(walk.skippable, file.size - position)
            walk.skip(beyond)
            position += beyond
        self._table, _ = walk.finish()
        assert walk.offsets is not None
        self._offsets = walk.offsets
        self._members = _Members(self._table, file.name)

    def has(self, path: str) -> bool:
        """See `Place`."""
        return self._members.row(path) is not None

    def _found(self, path: str) -> tuple[int, int]:
        row = self._members.row(path)
        if row is None:
            raise DamagedImage(f"{self._file.name} does not hold `{path}`")
        return self._offsets[row], self._table.sizes[row]

    def read(self, path: str, limit: int) -> bytes:
        """See `Place`."""
        offset, size = self._found(path)
        if size > limit:
            raise DamagedImage(f"{self._file.name}: `{path}` has {size} bytes; at most {limit} are read")
        return self._file.read(offset, size)

    def layer(self, path: str, said: Said) -> Blob:
        """See `Place`."""
        offset, size = self._found(path)
        if said.transfer is not None and said.transfer != size:
            raise DamagedImage(
                f"{self._file.name}: `{path}` should have {said.transfer} bytes by its manifest, and has {size}"
            )
        return Blob(
            digest=said.digest,
            transfer=size,
            open=lambda: contextlib.nullcontext(iter(self._file.pieces(offset, size))),
            media_type=said.media_type,
            place=path,
            said_by=said.by,
        )


class StreamedArchive:
    """A tar of images that is read once, as it comes; a `Place` once all of it has come.

    What begins like a document is kept as it is, and everything else read as a layer: which of them are layers is said
    only in the end, and until then it does not count that they are none. Raises `DamagedImage`, naming the archive by
    `name`.
    """

    def __init__(self, request: Request, name: str) -> None:
        self._request = request
        self._name = name
        self._walk = TarWalk(Request(limits=request.limits), name, consumers=self._consumer)
        self._documents: dict[str, bytes] = {}
        self._kept = 0
        self._layers: dict[str, Walked | Unreadable] = {}
        self._members: _Members | None = None
        self._open: _Member | None = None

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self._walk.feed(piece)

    def finish(self) -> None:
        """All bytes have come."""
        table, _ = self._walk.finish()
        self._members = _Members(table, self._name)

    def _consumer(self, path: str, size: int) -> Consumer:
        return _Member(self, path, size)

    def keep(self, path: str, content: bytes) -> None:
        """Notes a document."""
        self._kept += len(content)
        if self._kept > _MOST_DOCUMENTS * self._request.limits.manifest:
            raise DamagedImage(f"{self._name}: its documents have more than {self._kept} bytes; refused")
        self._documents[path] = content
        self._layers.pop(path, None)

    def add(self, path: str, found: Walked | Unreadable) -> None:
        """Notes what may be a layer."""
        self._layers[path] = found
        self._documents.pop(path, None)

    def reader(self, path: str) -> BlobReader:
        """What reads the layer at `path`."""
        return BlobReader(self._request, f"{self._name}: `{path.lstrip('/')}`")

    @property
    def largest(self) -> int:
        """Bytes of the largest document that is kept."""
        return self._request.limits.manifest

    def _path(self, path: str) -> str | None:
        assert self._members is not None
        row = self._members.row(path)
        return None if row is None else self._members._table.paths[row]  # noqa: SLF001  # made for both

    def has(self, path: str) -> bool:
        """See `Place`."""
        return self._path(path) is not None

    def read(self, path: str, limit: int) -> bytes:
        """See `Place`."""
        found = self._path(path)
        if found is None:
            raise DamagedImage(f"{self._name} does not hold `{path}`")
        content = self._documents.get(found)
        if content is None or len(content) > limit:
            raise DamagedImage(f"{self._name}: `{path}` is no document of at most {limit} bytes")
        return content

    def layer(self, path: str, said: Said) -> Walked | Unreadable:
        """See `Place`."""
        path_ = self._path(path)
        if path_ is None:
            raise DamagedImage(f"{self._name} does not hold `{path}`")
        if path_ in self._documents:
            # The name of the first file in a tar may begin like a document.
            reader = self.reader(path_)
            reader.feed(self._documents[path_])
            found = reader.finish()
        else:
            found = self._layers[path_]
        name = f"{self._name}: `{path}`"
        if said.transfer is not None and found.transfer != said.transfer:
            raise DamagedImage(
                f"{name} should have {said.transfer} bytes by its manifest, and has {found.transfer}"
            )
        check_digest(found, said.digest, said.by, name)
        return found


class _Member:
    """Takes one file of a streamed archive."""

    def __init__(self, archive: StreamedArchive, path: str, size: int) -> None:
        self._archive = archive
        self._path = path
        self._size = size
        self._head = bytearray()
        self._sorted: bytearray | BlobReader | None = None
        """The document, or what reads the layer, once it is known which of them it is."""

    def write(self, piece: memoryview) -> None:
        """Takes the next bytes."""
        if self._sorted is None:
            self._head += piece
            if len(self._head) < _HEAD:
                return
            piece = self._sort()
        self._pass(piece)

    def _sort(self) -> memoryview:
        head = bytes(self._head)
        if head.lstrip(b" \t\r\n")[:1] in {b"{", b"["} and self._size <= self._archive.largest:
            self._sorted = bytearray()
        else:
            self._sorted = self._archive.reader(self._path)
        return memoryview(head)

    def _pass(self, piece: memoryview) -> None:
        if isinstance(self._sorted, BlobReader):
            self._sorted.feed(piece)
        elif self._sorted is not None:
            self._sorted += piece

    def close(self) -> None:
        """All bytes have come."""
        if self._sorted is None:
            self._pass(self._sort())
        if isinstance(self._sorted, BlobReader):
            self._archive.add(self._path, self._sorted.finish())
        elif self._sorted is not None:
            self._archive.keep(self._path, bytes(self._sorted))


def _ignore(_piece: bytes) -> None:
    pass


@dataclass(kw_only=True)
class _Compressed:
    """An archive that is compressed as a whole."""

    file: File
    request: Request
    cancelled: threading.Event
    archive: StreamedArchive = field(init=False)

    def read(self) -> StreamedArchive:
        """The archive, once all of it has been read."""
        self.archive = StreamedArchive(self.request, self.file.name)
        behind = Behind(self.archive)
        try:
            self._decompress(behind.write)
        finally:
            behind.close()
        behind.check()
        self.archive.finish()
        return self.archive

    def _decompress(self, emit: Callable[[bytes], None]) -> None:
        head = self.file.read(0, min(LONGEST_MAGIC, self.file.size))
        decoder = decoder_for(head, emit, self.request.limits, self.file.name)
        assert decoder is not None
        for piece in self.file.pieces(0, self.file.size):
            if self.cancelled.is_set():
                raise Interrupted
            decoder.write(piece)
        decoder.close()


def open_archive(file: File, request: Request, cancelled: threading.Event) -> Place:
    """The archive in `file`; one that is compressed as a whole is read through, layers included."""
    head = file.read(0, min(LONGEST_MAGIC, file.size))
    if decoder_for(head, _ignore, request.limits, file.name) is None:
        return PlainArchive(file, request, cancelled)
    return _Compressed(file=file, request=request, cancelled=cancelled).read()
