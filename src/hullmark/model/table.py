"""What one layer holds, in columns: a layer can have a million entries, and one object for each would not fit."""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIGEST_SIZE = 16
"""Bytes of the content digest of one file."""
_NOTHING: Mapping[int, str] = MappingProxyType({})
_NO_XATTRS: Mapping[int, tuple[tuple[str, bytes], ...]] = MappingProxyType({})


class Kind(enum.IntEnum):
    """What an entry of a layer is; the values are what the column `FileTable.kinds` holds."""

    FILE = 1
    DIRECTORY = 2
    SYMLINK = 3
    HARDLINK = 4
    """Another name of a file of the same or of a lower layer."""
    CHARACTER_DEVICE = 5
    BLOCK_DEVICE = 6
    FIFO = 7
    WHITEOUT = 8
    """Hides the path in lower layers."""
    OPAQUE = 9
    """Hides everything that lower layers hold below the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of a table."""

    path: str
    """Absolute, without `.`, `..` and doubled slashes; for a whiteout the path that it hides. Bytes that are not UTF-8
    are held as surrogates (`surrogateescape`)."""
    kind: Kind
    size: int = 0
    """Bytes of content; 0 for everything but regular files."""
    mode: int = 0
    """Permission bits, set-user-ID and the like included; no file type."""
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    """Whole seconds since the epoch."""
    link: str = ""
    """Of a symbolic link its text as stored; of a hard link the path of the other name, normalised like `path`."""
    xattrs: tuple[tuple[str, bytes], ...] = ()
    """Extended attributes by name, for example `security.capability`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileTable:
    """The entries of a layer in the order of its archive; row `i` of every column belongs together.

    Where an archive holds a path twice, both rows are here; the later one counts. Tables are not compared: layers
    are, by their diff ID.
    """

    paths: list[str]
    """See `Entry.path`. Never changed."""
    kinds: bytes
    """Values of `Kind`."""
    sizes: array[int]
    """`array('q')`, bytes."""
    modes: array[int]
    """`array('H')`."""
    uids: array[int]
    """`array('I')`."""
    gids: array[int]
    """`array('I')`."""
    mtimes: array[int]
    """`array('q')`, whole seconds."""
    links: Mapping[int, str] = field(default_factory=lambda: _NOTHING)
    """See `Entry.link`, by row."""
    xattrs: Mapping[int, tuple[tuple[str, bytes], ...]] = field(default_factory=lambda: _NO_XATTRS)
    """See `Entry.xattrs`, by row; most rows have none."""
    digests: bytes | None = None
    """XXH3-128 of the content of each regular file, `DIGEST_SIZE` bytes a row and zeros for the rest; `None` when
    contents were not read. It tells equal files apart from others; it is no protection against forgery."""

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def unpacked(self) -> int:
        """Bytes of its regular files; a hard link adds none."""
        return sum(self.sizes)

    @property
    def files(self) -> int:
        """How many regular files it holds; a directory, a link and a whiteout are none."""
        return self.kinds.count(Kind.FILE)

    def digest(self, row: int) -> bytes | None:
        """The content digest of the regular file in `row`, where contents were read."""
        if self.digests is None or self.kinds[row] != Kind.FILE:
            return None
        return self.digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE]

    def entry(self, row: int) -> Entry:
        """One row."""
        return Entry(
            path=self.paths[row],
            kind=Kind(self.kinds[row]),
            size=self.sizes[row],
            mode=self.modes[row],
            uid=self.uids[row],
            gid=self.gids[row],
            mtime=self.mtimes[row],
            link=self.links.get(row, ""),
            xattrs=self.xattrs.get(row, ()),
        )

    def __iter__(self) -> Iterator[Entry]:
        return map(self.entry, range(len(self.paths)))

    @classmethod
    def of(cls, entries: list[Entry], digests: bytes | None = None) -> FileTable:
        """The table of `entries`, for small ones and for tests."""
        return cls(
            paths=[entry.path for entry in entries],
            kinds=bytes(entry.kind for entry in entries),
            sizes=array("q", (entry.size for entry in entries)),
            modes=array("H", (entry.mode for entry in entries)),
            uids=array("I", (entry.uid for entry in entries)),
            gids=array("I", (entry.gid for entry in entries)),
            mtimes=array("q", (entry.mtime for entry in entries)),
            links={row: entry.link for row, entry in enumerate(entries) if entry.link},
            xattrs={row: entry.xattrs for row, entry in enumerate(entries) if entry.xattrs},
            digests=digests,
        )
