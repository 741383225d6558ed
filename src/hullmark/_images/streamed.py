"""Archives of images that are read once, as they come: from an engine, or out of what is compressed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._images.blob import BlobReader, check_digest
from hullmark._images.interface import Request
from hullmark._images.place import Members, absent, no_archive
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage

if TYPE_CHECKING:
    from hullmark._images.interface import Buffer, Unreadable, Walked
    from hullmark._images.place import Said
    from hullmark._images.tar import Consumer

_HEAD = 512
"""Bytes by which documents are told apart: spaces may stand before the first that counts."""
_MOST_DOCUMENTS = 8
"""How many times the largest document all documents of an archive may be."""
_SHOWN = 12
"""Bytes that are shown of what is no archive."""


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
        self._members: Members | None = None
        self._open: _Member | None = None

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        try:
            self._walk.feed(piece)
        except DamagedImage as error:
            if self._walk.entries:
                raise
            raise no_archive(self._name, bytes(piece[:_SHOWN]), ", once it is decompressed,") from error

    def finish(self) -> None:
        """All bytes have come."""
        table, _ = self._walk.finish()
        self._members = Members(table, self._name)

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
            raise absent(self._name, path)
        content = self._documents.get(found)
        if content is None or len(content) > limit:
            raise DamagedImage(f"{self._name}: `{path}` is no document of at most {limit} bytes")
        return content

    def layer(self, path: str, said: Said) -> Walked | Unreadable:
        """See `Place`."""
        path_ = self._path(path)
        if path_ is None:
            raise absent(self._name, path)
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
