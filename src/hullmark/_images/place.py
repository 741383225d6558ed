"""What all places have in common in which an image is in files: names, what they lead to, and what is said of layers."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hullmark._images.decompression import other_compression
from hullmark.errors import DamagedImage
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from hullmark._images.interface import Blob, Unreadable, Walked
    from hullmark.model.digest import Digest
    from hullmark.model.table import FileTable

_MOST_LINKS = 40
"""Links that lead from one name to another, as many as Linux follows."""
_ARCHIVES = (
    "archives are written by `docker save -o FILE NAME`, or by a build with `--output type=oci,dest=FILE`"
)


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


class Members:
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


def absent(archive: str, path: str) -> DamagedImage:
    """What to say of an archive that has no file `path`."""
    return DamagedImage(
        f"{archive} does not hold `{path}`, which its list of images names",
        hint="it is not whole: save it again",
    )


def no_archive(name: str, head: bytes, when: str = "") -> DamagedImage:
    """What to say of a file that begins with `head`."""
    other = other_compression(head)
    what = f"is compressed with {other}" if other else f"begins with {head!r}" if head else "is empty"
    return DamagedImage(
        f"{name} is no archive of images: it{when} {what}; expected a tar, plain or compressed with gzip or zstd",
        hint=_ARCHIVES,
    )
