"""What a container of an image sees: the layers put on top of each other, and who hides what."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from hullmark.model.table import Kind

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Mapping, Sequence

    from hullmark.model.image import Layer
    from hullmark.model.table import Entry

HOPS = 40
"""Symbolic links that are followed on the way to one file, as in Linux; more is a loop."""
_LONGEST_LINK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A regular file whose bytes are in a layer and can no longer be reached."""

    number: int
    by: int
    """The number of the entry that took its last name away: a whiteout, an opaque directory, the file or directory
    that replaced it, or what replaced or removed a directory above it."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileSystem:
    """The final file system of some layers.

    Every entry of every layer has a number: those of the lowest layer come first, in the order of its archive. The
    columns below go by that number. Paths are as in `Entry.path`.
    """

    layers: tuple[Layer, ...]
    """From the bottom up."""
    starts: tuple[int, ...]
    """The number of the first entry of each layer."""
    visible: Mapping[str, int]
    """The number of the entry that is seen at a path. Everything above a path that is visible is a directory."""
    implied: frozenset[str]
    """Directories that are there because something lies below them, and that no entry describes."""
    paths: Sequence[str]
    kinds: bytes
    """Values of `Kind`."""
    sizes: array[int]
    hidden_by: array[int]
    """The number of the entry that took the name away, -1 where nothing did: the entry is visible, or it is a
    whiteout. An entry that never could be seen names itself."""
    inodes: Mapping[int, int]
    """Of each hard link the number of the entry that holds what it names; none for one that names nothing."""
    moved: Mapping[int, str]
    """Where an entry lies that was stored below a symbolic link of its own layer; all others lie where `paths` says."""
    children: Mapping[str, Sequence[int]]
    """For `listing`: where the entries of a directory begin in each stretch of an archive."""
    implied_children: Mapping[str, Sequence[str]]
    """For `listing`: the implied directories in a directory; the root is the empty text in both."""
    unpacked: int
    """Bytes of regular files over all layers, a hard link once."""
    visible_bytes: int
    """Bytes of regular files that can be reached, a hard link once."""

    @property
    def masked_bytes(self) -> int:
        """Bytes that a squash would reclaim."""
        return self.unpacked - self.visible_bytes

    def layer_of(self, number: int) -> int:
        """The position of the layer that holds the entry."""
        return bisect_right(self.starts, number) - 1

    def place(self, number: int) -> tuple[int, int]:
        """The position of the layer of an entry, and its row there."""
        layer = self.layer_of(number)
        return layer, number - self.starts[layer]

    def entry(self, number: int) -> Entry:
        """The entry as its layer has it."""
        layer, row = self.place(number)
        return self.layers[layer].table.entry(row)

    def path(self, number: int) -> str:
        """Where the entry lies or lay."""
        return self.moved.get(number) or self.paths[number]

    def inode(self, number: int) -> int:
        """The entry that holds what the entry names: itself, but for hard links."""
        return self.inodes.get(number, number)

    def kind(self, path: str) -> Kind | None:
        """What is visible at `path`: a hard link is what it names. `None` where nothing is."""
        number = self.visible.get(path)
        if number is None:
            return Kind.DIRECTORY if path in self.implied or path == "/" else None
        return Kind(self.kinds[self.inode(number)])

    def size(self, path: str) -> int:
        """Bytes of the file at `path`, through hard links but not symbolic ones; 0 where there is no file."""
        number = self.visible.get(path)
        return 0 if number is None else self.sizes[self.inode(number)]

    def captured(self, path: str) -> bytes | None:
        """What was kept of the regular file that is visible at `path`; `None` if nothing was or there is none."""
        number = self.visible.get(path)
        return None if number is None else self.content(number)

    def content(self, number: int) -> bytes | None:
        """What was kept of a regular file, visible or not."""
        number = self.inode(number)
        if self.kinds[number] != Kind.FILE:
            return None
        return self.layers[self.layer_of(number)].captured.get(self.paths[number])

    def link(self, path: str) -> str | None:
        """The text of the symbolic link at `path`, `None` where there is none."""
        number = self.visible.get(path)
        return None if number is None else self._link(number)

    def _link(self, number: int) -> str | None:
        number = self.inode(number)
        if self.kinds[number] != Kind.SYMLINK:
            return None
        layer, row = self.place(number)
        return self.layers[layer].table.links.get(row, "")

    def resolve(self, path: str, *, last: bool = True) -> str | None:
        """The path of what a process in the container gets when it opens `path`; `None` where it gets nothing.

        Symbolic links are followed, and if not `last`, the one that `path` itself may be is not. None leads out of
        the file system, and a loop leads nowhere.
        """
        number = self.visible.get(path)
        if number is not None and (not last or self.kinds[self.inode(number)] != Kind.SYMLINK):
            return path
        done = ""
        todo = path.split("/")
        todo.reverse()
        hops = 0
        while todo:
            name = todo.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                done = done[: max(done.rfind("/"), 0)]
                continue
            step = f"{done}/{name}"
            kind = self.kind(step)
            if kind is Kind.DIRECTORY:
                done = step
            elif kind is Kind.SYMLINK and (last or any(todo)):
                hops += 1
                text = self.link(step) or ""
                if hops > HOPS or not text or len(text) > _LONGEST_LINK:
                    return None
                if text.startswith("/"):
                    done = ""
                todo.extend(reversed(text.split("/")))
            elif kind is None or any(todo):
                return None
            else:
                done = step
        return done or "/"

    def listing(self, directory: str) -> Iterator[str]:
        """The paths of what is visible in a directory, in no order; nothing for what is none."""
        parent = directory.rstrip("/")
        for number, path in stored_in(parent, self.children.get(parent, ()), self.paths, self.moved):
            if self.visible.get(path) == number:
                yield path
        for path in dict.fromkeys(self.implied_children.get(parent, ())):
            if path in self.implied:
                yield path

    def masked(self) -> Iterator[Masked]:
        """Every regular file that is masked, by number."""
        alive = {self.inodes[number] for number in self.inodes if self.hidden_by[number] < 0}
        last = dict[int, int]()
        for number, inode in self.inodes.items():
            last[inode] = max(last.get(inode, -1), self.hidden_by[number])
        for number, by in enumerate(self.hidden_by):
            if by >= 0 and self.kinds[number] == Kind.FILE and number not in alive:
                yield Masked(number=number, by=max(by, last.get(number, -1)), size=self.sizes[number])


def stored_in(
    parent: str, starts: Sequence[int], paths: Sequence[str], moved: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    """The entries that lie in the directory `parent`, visible or not; its stretches begin at `starts`."""
    depth = len(parent)
    for first, limit in zip(starts, chain(starts[1:], (len(paths),)), strict=False):
        for number in range(first, limit):
            path = moved[number] if number in moved else paths[number]
            if path.rfind("/") != depth or not path.startswith(parent):
                break
            if len(path) > depth + 1:
                yield number, path
