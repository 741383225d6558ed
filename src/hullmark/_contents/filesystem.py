"""Layers put on top of each other, per the OCI image specification, "layer.md", as the kernel shows them.

One pass over the entries, with two dictionaries: the entry that is visible at a path, and where the entries of a
directory begin. The second makes it possible to hide a directory without looking at everything else.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from hullmark.model.filesystem import HOPS, FileSystem, stored_in
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.image import Layer

_IMPLIED = -1
"""Stands in `_Overlay.visible` for a directory without an entry."""
_MOST_IMPLIED = 1 << 26
"""Characters of the paths of implied directories: an entry of a few bytes can claim to lie a million directories deep.
Beyond that, such directories are not listed."""
_LONGEST_WALK = 1 << 28
"""Characters of the paths on the way to directories that no entry describes, for the same reason."""
_FILE, _DIRECTORY, _SYMLINK, _HARDLINK, _WHITEOUT, _OPAQUE = (
    *(int(Kind.FILE), int(Kind.DIRECTORY), int(Kind.SYMLINK), int(Kind.HARDLINK)),
    *(int(Kind.WHITEOUT), int(Kind.OPAQUE)),
)


def overlay(layers: Sequence[Layer]) -> FileSystem:
    """The final file system of `layers`, given from the bottom up."""
    building = _Overlay(layers)
    for position in range(len(layers)):
        building.apply(position)
    return building.finished()


class _Overlay:
    """The file system as far as the layers have been applied."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self.starts = [0]
        for layer in layers:
            self.starts.append(self.starts[-1] + len(layer.table))
        self.paths = list(chain.from_iterable(layer.table.paths for layer in layers))
        self.kinds = b"".join(layer.table.kinds for layer in layers)
        self.visible = dict[str, int]()
        self.hidden_by = array("l", [-1]) * len(self.paths)
        self.inodes = dict[int, int]()
        self.moved = dict[int, str]()
        self.children = defaultdict[str, list[int]](list)
        self.implied_children = defaultdict[str, list[str]](list)
        self.implied_room = _MOST_IMPLIED
        self.walk_room = _LONGEST_WALK
        # Of the layer that is being applied:
        self.start = 0
        self.own = {""}
        """Directories that the layer holds, described or implied."""
        self.removed = dict[str, int]()
        """What the layer's whiteouts have hidden, if it has hard links that may still name it."""
        self.remembers = False

    def apply(self, position: int) -> None:  # noqa: C901, PLR0912  # a call for each entry would double the time
        """Put the next layer on top."""
        self.start, end = self.starts[position], self.starts[position + 1]
        table = self.layers[position].table
        self.own = {""}
        self.removed = {}
        self.remembers = _HARDLINK in table.kinds
        # Whiteouts act on lower layers wherever they stand in the archive, so they go first.
        for special in (_WHITEOUT, _OPAQUE):
            row = table.kinds.find(special)
            while row >= 0:
                self._white_out(self.start + row, table.paths[row], whole=special == _WHITEOUT)
                row = table.kinds.find(special, row + 1)
        dangling = list[int]()
        visible, kinds, children, hidden_by = self.visible, self.kinds, self.children, self.hidden_by
        own, last, real, aside = self.own, None, "", False
        odd_root = "/" in table.paths
        for number, path, kind in zip(range(self.start, end), table.paths, table.kinds, strict=True):
            cut = path.rfind("/")
            parent = path[:cut]
            if parent != last:
                last = parent
                real = parent if parent in own else self._make_parents(parent, number)
                aside = real != parent
                children[real].append(number)
            if aside:
                path = f"{real}{path[cut:]}"  # noqa: PLW2901  # where it really lies
                self.moved[number] = path
            if kind != _FILE:
                if kind == _DIRECTORY:
                    own.add("" if path == "/" else path)
                elif kind >= _WHITEOUT:
                    if kind == _OPAQUE and path != "/":
                        self._make_parents(path, number)
                    continue
                elif kind == _HARDLINK and not self._link(number, table.links.get(number - self.start, "")):
                    dangling.append(number)
            if odd_root and path == "/" and kind != _DIRECTORY:
                hidden_by[number] = number  # the root is a directory, whatever an archive says
                continue
            before = visible.get(path)
            visible[path] = number
            if before is not None:
                if before != _IMPLIED:
                    hidden_by[before] = number
                if kind != _DIRECTORY and (before == _IMPLIED or kinds[before] == _DIRECTORY):
                    self._hide_below(path, number)
                    own.discard(path)
        for number in dangling:
            self._link(number, table.links.get(number - self.start, ""))

    def _white_out(self, number: int, path: str, *, whole: bool) -> None:
        if path == "/":
            self._hide_below("", number)
            return
        if not whole:
            self._hide_below(path, number)
            return
        before = self.visible.pop(path, None)
        if before is None:
            return
        if before != _IMPLIED:
            self.hidden_by[before] = number
            if self.remembers:
                self.removed[path] = before
        if before == _IMPLIED or self.kinds[before] == _DIRECTORY:
            self._hide_below(path, number)

    def _hide_below(self, directory: str, by: int) -> None:
        """Take the names of everything in the directory away."""
        visible, kinds = self.visible, self.kinds
        stack = [directory]
        while stack:
            parent = stack.pop()
            for number, path in stored_in(parent, self.children.pop(parent, ()), self.paths, self.moved):
                if visible.get(path) != number:
                    continue
                del visible[path]
                self.hidden_by[number] = by
                if kinds[number] == _DIRECTORY:
                    self.own.discard(path)
                    stack.append(path)
                elif self.remembers and number < self.start:
                    self.removed[path] = number
            for path in self.implied_children.pop(parent, ()):
                if visible.get(path) == _IMPLIED:
                    del visible[path]
                self.own.discard(path)
                stack.append(path)

    def _make_parents(self, directory: str, number: int) -> str:
        """Where `directory` lies once every step of it is a directory of this layer, as extracting it would do.

        A symbolic link of a lower layer is replaced, like any other file; one of the same layer is followed.
        """
        if directory in self.own:
            return directory
        done, hops = "", 0
        todo = directory.split("/")
        todo.reverse()
        while todo:
            name = todo.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                done = done[: max(done.rfind("/"), 0)]
                continue
            if self.implied_room < 0 or self.walk_room < 0:
                return directory
            step = f"{done}/{name}"
            self.walk_room -= len(step)
            if step not in self.own:
                self.implied_room -= len(step) if step not in self.visible else 0
                before = self.visible.get(step)
                if before is not None and before >= self.start and hops < HOPS:
                    text = self._text(before)
                    if text:
                        hops += 1
                        done = "" if text.startswith("/") else done
                        todo.extend(reversed(text.split("/")))
                        continue
                self._make_directory(step, done, before, number)
            done = step
        return done

    def _make_directory(self, path: str, parent: str, before: int | None, number: int) -> None:
        if before is None or (before != _IMPLIED and self.kinds[before] != _DIRECTORY):
            if before is not None:
                self.hidden_by[before] = number
            self.visible[path] = _IMPLIED
            self.implied_children[parent].append(path)
        self.own.add(path)

    def _text(self, number: int) -> str:
        """The text of a symbolic link, empty for anything else."""
        number = self.inodes.get(number, number)
        if self.kinds[number] != _SYMLINK:
            return ""
        position = next(at for at, start in enumerate(self.starts) if number < start) - 1
        return self.layers[position].table.links.get(number - self.starts[position], "")

    def _link(self, number: int, target: str) -> bool:
        """Find what the hard link names: a file of this layer or a lower one, also one that this layer removes."""
        named = self.visible.get(target, _IMPLIED)
        if named == _IMPLIED:
            named = self.removed.get(target, _IMPLIED)
        if named in {_IMPLIED, number}:
            return False
        inode = self.inodes.get(named, named)
        if self.kinds[inode] in {_DIRECTORY, _HARDLINK}:
            return False
        self.inodes[number] = inode
        return True

    def finished(self) -> FileSystem:
        """What has been built; nothing can be applied any more."""
        implied = frozenset(path for paths in self.implied_children.values() for path in paths)
        implied = frozenset(path for path in implied if self.visible.get(path) == _IMPLIED)
        for path in implied:
            del self.visible[path]
        sizes = array("q")
        for layer in self.layers:
            sizes.extend(layer.table.sizes)
        seen = sum(map(sizes.__getitem__, self.visible.values()))
        # A file that lost its first name is still there when another one is left.
        linked = {inode for number, inode in self.inodes.items() if self.hidden_by[number] < 0}
        seen += sum(sizes[inode] for inode in linked if self.hidden_by[inode] >= 0)
        return FileSystem(
            layers=self.layers,
            starts=tuple(self.starts[:-1]),
            visible=self.visible,
            implied=implied,
            paths=self.paths,
            kinds=self.kinds,
            sizes=sizes,
            hidden_by=self.hidden_by,
            inodes=self.inodes,
            moved=self.moved,
            children=self.children,
            implied_children=self.implied_children,
            unpacked=sum(sizes),
            visible_bytes=seen,
        )
