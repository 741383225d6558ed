"""What takes the space: bytes and files by owner, by top directory, and of every directory with what is below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.space import OwnerSpace, PathSpace
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

_DEEPEST = 128
"""Directories below the root that are told apart; what lies deeper, in an image that was made to be, is added to the
last of them."""


def by_owner(system: FileSystem, ownership: Ownership) -> tuple[OwnerSpace, ...]:
    """Every owner, the one with the most visible bytes first; together they have all bytes of the layers."""
    rows, sizes = ownership.rows, system.sizes
    counts = range(len(ownership.owners))
    space, files = [0 for _ in counts], [0 for _ in counts]
    masked_space, masked_files = [0 for _ in counts], [0 for _ in counts]
    for _, number, inode in visible_files(system):
        owner = rows[number]
        space[owner] += sizes[inode]
        files[owner] += 1
    for masked in system.masked():
        owner = rows[masked.number]
        masked_space[owner] += masked.size
        masked_files[owner] += 1
    ways = ownership.ways()
    found = [
        OwnerSpace(
            owner=owner,
            bytes=space[at],
            files=files[at],
            masked_bytes=masked_space[at],
            masked_files=masked_files[at],
            why=ways.get(owner, ()),
        )
        for at, owner in enumerate(ownership.owners)
    ]
    return tuple(sorted(found, key=lambda each: (-each.bytes, -each.masked_bytes, each.owner.sort_key)))


def by_top(system: FileSystem) -> tuple[PathSpace, ...]:
    """What lies directly in the root, the largest first: what `du -xhd1 /` shows."""
    space, files = dict[str, int](), dict[str, int]()
    sizes = system.sizes
    for path, _, inode in visible_files(system):
        cut = path.find("/", 1)
        top = path if cut < 0 else path[:cut]
        if top in files:
            space[top] += sizes[inode]
            files[top] += 1
        else:
            space[top], files[top] = sizes[inode], 1
    return _sorted((path, space[path], files[path]) for path in files)


def by_directory(system: FileSystem) -> tuple[PathSpace, ...]:
    """Every directory that holds files, with what is below it, the largest first; `/` has everything."""
    space, files = dict[str, int](), dict[str, int]()
    sizes = system.sizes
    for path, _, inode in visible_files(system):
        parent = path[: path.rfind("/")]
        if parent in files:
            space[parent] += sizes[inode]
            files[parent] += 1
        else:
            space[parent], files[parent] = sizes[inode], 1
    # What lies deepest is added to its parent first, so that each directory is added up once.
    levels: dict[int, set[str]] = {}
    for path in [*files]:
        told = near(path)
        if told != path:
            space[told] = space.get(told, 0) + space.pop(path)
            files[told] = files.get(told, 0) + files.pop(path)
        levels.setdefault(told.count("/"), set()).add(told)
    for level in range(max(levels, default=0), 0, -1):
        for path in levels.pop(level, ()):
            parent = path[: path.rfind("/")]
            space[parent] = space.get(parent, 0) + space[path]
            files[parent] = files.get(parent, 0) + files[path]
            levels.setdefault(level - 1, set()).add(parent)
    return _sorted((path or "/", space[path], files[path]) for path in files)


def near(directory: str) -> str:
    """The directory, or the one above it that is not deeper than directories of real images are."""
    if len(directory) <= _DEEPEST or directory.count("/") <= _DEEPEST:
        return directory
    return "/".join(directory.split("/", _DEEPEST + 1)[: _DEEPEST + 1])


def visible_files(system: FileSystem) -> Iterator[tuple[str, int, int]]:
    """Every regular file once: a visible path, the entry there, and the entry that has its content."""
    kinds, inodes = system.kinds, system.inodes
    shared = set(inodes.values())
    seen = set[int]()
    for path, number in system.visible.items():
        kind = kinds[number]
        if kind == Kind.FILE:
            if number in shared:
                if number in seen:
                    continue
                seen.add(number)
            yield path, number, number
        elif kind == Kind.HARDLINK:
            inode = inodes.get(number, -1)
            if inode >= 0 and kinds[inode] == Kind.FILE and inode not in seen:
                seen.add(inode)
                yield path, number, inode


def _sorted(found: Iterable[tuple[str, int, int]]) -> tuple[PathSpace, ...]:
    return tuple(
        PathSpace(path=path, bytes=size, files=count)
        for path, size, count in sorted(found, key=lambda each: (-each[1], -each[2], each[0]))
    )
