"""Archives of images on disk: what is in them, found by name, without unpacking anything."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.blob import Behind
from hullmark._images.decompression import LONGEST_MAGIC, PIECE, decoder_for
from hullmark._images.interface import Blob, Request
from hullmark._images.place import Members, absent, no_archive
from hullmark._images.streamed import StreamedArchive
from hullmark._images.tags import split
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage, Interrupted, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hullmark._images.place import Place, Said

_AT_ONCE = 1 << 20
"""Bytes that are read from a file at once."""
_SHOWN = 12
"""Bytes that are shown of what is no archive."""
_WHOLE = "save or copy it again"


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
            hint = "`oci-dir:` reads directories" if stat.S_ISDIR(found.st_mode) else None
            raise Unavailable(f"{path} is no file", hint=hint)
        yield File(descriptor=descriptor, size=found.st_size, name=str(path))
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _readable(walk: TarWalk, file: File) -> Iterator[None]:
    """Tells of what is no archive at all, and of what was cut off, as that."""
    try:
        yield
    except DamagedImage as error:
        if walk.entries:
            raise DamagedImage(error.message, hint=error.hint or _WHOLE) from error
        raise no_archive(file.name, file.read(0, min(_SHOWN, file.size))) from error


class PlainArchive:
    """A tar that is not compressed, in which files are read where they are; a `Place`."""

    def __init__(self, file: File, request: Request, cancelled: threading.Event) -> None:
        self._file = file
        walk = TarWalk(Request(limits=request.limits), file.name, offsets=True)
        position = 0
        with _readable(walk, file):
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
        self._members = Members(self._table, file.name)

    def has(self, path: str) -> bool:
        """See `Place`."""
        return self._members.row(path) is not None

    def _found(self, path: str) -> tuple[int, int]:
        row = self._members.row(path)
        if row is None:
            raise absent(self._file.name, path)
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


def _ignore(_piece: bytes) -> None:
    pass


@dataclass(kw_only=True)
class _Compressed:
    """An archive that is compressed as a whole."""

    file: File
    request: Request
    cancelled: threading.Event

    def read(self) -> StreamedArchive:
        """The archive, once all of it has been read."""
        archive = StreamedArchive(self.request, self.file.name)
        behind = Behind(archive)
        try:
            try:
                self._decompress(behind.write)
            finally:
                behind.close()
            behind.check()
            archive.finish()
        except DamagedImage as error:
            raise DamagedImage(error.message, hint=error.hint or _WHOLE) from error
        return archive

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
    if not head:
        raise no_archive(file.name, head)
    if decoder_for(head, _ignore, request.limits, file.name) is None:
        return PlainArchive(file, request, cancelled)
    return _Compressed(file=file, request=request, cancelled=cancelled).read()


@contextlib.contextmanager
def archive_at(
    reference: str, request: Request, cancelled: threading.Event
) -> Iterator[tuple[Place, str, str | None]]:
    """The archive that `reference`, which is `PATH[:TAG]`, names, its path, and the tag of the image that is meant."""
    path, tag = split(reference)
    with opened(path) as file:
        yield open_archive(file, request, cancelled), str(path), tag
