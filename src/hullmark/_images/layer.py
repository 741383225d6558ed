"""From the tar of a layer to its entries, per the OCI image specification, "layer.md"."""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from typing import IO, TYPE_CHECKING

from hullmark.errors import DamagedImage
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

OPAQUE = ".wh..wh..opq"
WHITEOUT = ".wh."
_CHUNK = 1 << 20


class _Hashing:
    """A readable that hashes what is read through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        return data


def read_layer(stream: IO[bytes], name: str) -> Layer:
    """The layer whose uncompressed tar `stream` yields; its diff ID is computed on the way.

    Nothing is extracted. Raises `DamagedImage`, naming the layer by `name`, when it is no tar or ends too early.
    """
    hashing = _Hashing(stream)
    try:
        with tarfile.open(fileobj=hashing, mode="r|", errorlevel=1) as archive:  # type: ignore[call-overload]
            table = FileTable.of(list(_entries(archive)))
        while hashing.read(_CHUNK):  # the padding after the end belongs to the diff ID
            pass
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise DamagedImage(f"{name}: the layer is no readable tar archive: {error}") from error
    return Layer(diff_id=DiffId.parse(f"sha256:{hashing.sha256.hexdigest()}"), table=table)


def _entries(archive: tarfile.TarFile) -> Iterator[Entry]:
    for member in archive:
        # tarfile keeps every header it has seen, and a layer can have a million.
        archive.members.clear()  # type: ignore[attr-defined]  # public, and missing from the stubs
        path = posixpath.normpath(f"/{member.name}".replace("//", "/"))
        parent, name = posixpath.split(path)
        if name == OPAQUE:
            yield Entry(path=parent, kind=Kind.OPAQUE)
        elif name.startswith(WHITEOUT):
            if name == WHITEOUT:
                raise DamagedImage(f"the layer holds `{path}`, a whiteout of nothing")
            yield Entry(path=posixpath.join(parent, name.removeprefix(WHITEOUT)), kind=Kind.WHITEOUT)
        else:
            kind = _kind(member)
            yield Entry(path=path, kind=kind, size=member.size if kind is Kind.FILE else 0)


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return Kind.DIRECTORY
    if member.issym():
        return Kind.SYMLINK
    if member.islnk():
        return Kind.HARDLINK
    if member.isfifo():
        return Kind.FIFO
    if member.isdev():
        return Kind.CHARACTER_DEVICE
    return Kind.FILE
