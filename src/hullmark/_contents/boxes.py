"""What takes the space in an image, as boxes in boxes: by owner, by instruction and by path.

However many files there are, a map stays small: what would be too small to be seen is folded together, and counted.
"""

from __future__ import annotations

import heapq
from array import array
from itertools import chain
from typing import TYPE_CHECKING

from hullmark._contents.summary import near, visible_files
from hullmark.model.space import SpaceMap, SpaceNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.attribution import Attribution
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

SHARE = 1000
"""A box has at least one part in that many of all bytes; a smaller one would be less than a pixel wide."""
MOST = 3000
"""Boxes of one map, whatever the image is like."""


def boxes(files: FileSystem, ownership: Ownership, attribution: Attribution) -> SpaceMap:
    """The map of all that is visible; a file with several names counts once, as in `by_owner`."""
    smallest = max(files.visible_bytes // SHARE, 1)
    owners, origins = ownership.rows, array("i", chain.from_iterable(attribution.rows))
    sizes = files.sizes
    # One cell for each directory, owner and origin: everything else is added up from these.
    space, count = dict[tuple[int, int, str], int](), dict[tuple[int, int, str], int]()
    large = list[tuple[int, int, str, int]]()
    for path, number, inode in visible_files(files):
        size = sizes[inode]
        if size >= smallest:
            large.append((owners[number], origins[inode], path, size))
            continue
        cell = owners[number], origins[inode], path[: path.rfind("/")]
        if cell in count:
            space[cell] += size
            count[cell] += 1
        else:
            space[cell], count[cell] = size, 1
    by_path, by_owner, by_origin = _Box(""), _Box(""), _Box("")
    owner_boxes = {
        at: by_owner.box(str(owner.kind)).box(str(owner)) for at, owner in enumerate(ownership.owners)
    }
    origin_boxes = {at: by_origin.box(str(origin)) for at, origin in enumerate(attribution.origins)}
    for (owner, origin, directory), size in space.items():
        amount = count[owner, origin, directory]
        for root in (by_path, owner_boxes[owner], origin_boxes[origin]):
            box = root.at(directory)
            box.small += size
            box.few += amount
    for owner, origin, path, size in large:
        for root in (by_path, owner_boxes[owner], origin_boxes[origin]):
            box = root.at(path)
            box.bytes += size
            box.files += 1
    return SpaceMap(
        owners=_drawn(by_owner, smallest),
        instructions=_drawn(by_origin, smallest),
        paths=_drawn(by_path, smallest),
        smallest=smallest,
    )


class _Box:
    """A box while it is filled; `bytes` and `files` are those of all in it once it is added up."""

    __slots__ = ("bytes", "few", "files", "inside", "name", "small", "step")

    def __init__(self, name: str, *, step: bool = False) -> None:
        self.name = name
        self.step = step
        """Whether it is a step of a path, which may be written together with the next."""
        self.bytes = self.files = 0
        self.small = self.few = 0
        """Of the small files that lie directly in it."""
        self.inside = dict[str, _Box]()

    def box(self, name: str, *, step: bool = False) -> _Box:
        """The box called `name` in it."""
        found = self.inside.get(name)
        if found is None:
            found = self.inside[name] = _Box(name, step=step)
        return found

    def at(self, path: str) -> _Box:
        """The box of what lies at `path` below it."""
        found = self
        for name in near(path).split("/")[1:]:
            found = found.box(name, step=True)
        return found

    def add_up(self) -> None:
        """Brings `bytes` and `files` of all boxes in it up to date."""
        order = [self]
        for box in order:
            order.extend(box.inside.values())
        for box in reversed(order):
            box.bytes += box.small + sum(each.bytes for each in box.inside.values())
            box.files += box.few + sum(each.files for each in box.inside.values())


def _drawn(root: _Box, smallest: int) -> SpaceNode:
    """`root` with as much of what is in it as is worth a box; the largest boxes are opened first."""
    root.add_up()
    opened = dict[int, tuple[list[_Box], int, int, int]]()
    heap = [(-root.bytes, 0, root)]
    left, ticket = MOST, 1
    while heap:
        box = heapq.heappop(heap)[2]
        shown = [each for each in _steps(box) if each.bytes >= smallest]
        if not shown or len(shown) + 1 > left:
            continue
        left -= len(shown) + 1
        rest = box.bytes - sum(each.bytes for each in shown)
        files = box.files - sum(each.files for each in shown)
        hidden = len(box.inside) - len(shown) + box.few
        opened[id(box)] = shown, rest, files, hidden
        for each in shown:
            heapq.heappush(heap, (-each.bytes, ticket, each))
            ticket += 1
    return _nodes(root, opened)


def _steps(box: _Box) -> Iterable[_Box]:
    return sorted(box.inside.values(), key=lambda each: (-each.bytes, each.name))


def _nodes(root: _Box, opened: dict[int, tuple[list[_Box], int, int, int]]) -> SpaceNode:
    """The boxes as values, innermost first, without one inside of another where there is nothing else in that."""
    done = dict[int, SpaceNode]()
    for box in reversed(list(_below(root, opened))):
        shown, rest, files, hidden = opened.get(id(box), ([], 0, 0, 0))
        inside = [done[id(each)] for each in shown]
        if files:
            inside.append(SpaceNode(name="", bytes=rest, files=files, folded=max(hidden, 1)))
        if len(inside) == 1 and not inside[0].folded and box.step:
            only = inside[0]
            done[id(box)] = SpaceNode(
                name=f"{box.name}/{only.name}",
                bytes=only.bytes,
                files=only.files,
                inside=only.inside,
                folded=only.folded,
            )
            continue
        inside.sort(key=lambda node: -node.bytes)
        done[id(box)] = SpaceNode(
            name=box.name,
            bytes=box.bytes,
            files=box.files,
            inside=tuple(inside),
        )
    return done[id(root)]


def _below(root: _Box, opened: dict[int, tuple[list[_Box], int, int, int]]) -> Iterator[_Box]:
    queue = [root]
    for box in queue:
        queue.extend(opened[id(box)][0] if id(box) in opened else ())
        yield box
