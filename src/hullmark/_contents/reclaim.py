"""What a squash and a strip would save, measured without building anything."""

from __future__ import annotations

import re
from collections import defaultdict
from heapq import nlargest
from typing import TYPE_CHECKING

from hullmark._contents.elf import kept
from hullmark.model.reclaim import Duplicate, Hidden, Reclaim, Saving, Waste, Weighed
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.attribution import Attribution, Origin
    from hullmark.model.filesystem import FileSystem

TOP = 10
"""Paths that are named for each saving."""

_LISTS = r"/var/lib/apt/lists/|/var/cache/apt/(?:src)?pkgcache\.bin$"
_OF_THE_SYSTEM = (
    r"/var/cache/(?:apt|apk|dnf|yum|libdnf5|zypp|pacman)/|/etc/apk/cache/|/usr/local/share/\.cache/"
)
_OF_USERS = (
    r"/(?:root|home/[^/]+)/\.(?:cache/(?:pip|uv|pnpm|yarn|go-build|node-gyp|composer)/"
    r"|npm/_|yarn/berry/cache/|cargo/registry/|m2/repository/|gradle/caches/|nuget/packages/)"
)
_OF_PACKAGES = r".*/(?:site-packages|dist-packages|node_modules)/(?:.*/)?(?:tests?|__tests__)/"
_OF_PYTHON = r"/usr/(?:local/)?lib/python[\d.]+/(?:.*/)?(?:tests?|idle_test)/"
_DOCUMENTS = r"/usr/(?:local/)?(?:share/)?(?:doc(?:-base)?/(?!.*/copyright$)|man/|info/|gtk-doc/|help/)"
# In order: a file is counted where it is found first.
_BY_PATH: tuple[tuple[Waste, str], ...] = (
    (Waste.PACKAGE_LISTS, _LISTS),
    (Waste.PACKAGE_CACHES, f"{_OF_THE_SYSTEM}|{_OF_USERS}"),
    (Waste.DEBUG_FILES, r"/usr/lib/debug/|.*\.(?:debug|dwo|dwp)$"),
    (Waste.BYTE_CODE, r".*\.py[co]$|.*/__pycache__/"),
    (Waste.TESTS, f"{_OF_PACKAGES}|{_OF_PYTHON}"),
    (Waste.DOCUMENTATION, _DOCUMENTS),
    (Waste.LOCALES, r"/usr/(?:local/)?share/(?:locale|i18n)/(?!locale\.alias$)"),
    (Waste.SOURCE_MAPS, r".*\.(?:[cm]?js|css)\.map$"),
    (Waste.STATIC_LIBRARIES, r".*\.(?:a|la)$"),
    (Waste.HEADERS, r"/usr/include/|.*\.(?:h|hh|hpp|hxx|pxd|pxi)$"),
)
_WASTES = tuple(waste for waste, _ in _BY_PATH)
_PATTERN = re.compile("|".join(f"(?P<w{number}>{pattern})" for number, (_, pattern) in enumerate(_BY_PATH)))
_NUMBER = {f"w{number}": number for number in range(len(_BY_PATH))}


def reclaim(files: FileSystem, attribution: Attribution, *, top: int = TOP) -> Reclaim:
    """What an image could give back; `top` paths are named for each saving.

    Debug sections are known where the layers were read with an `ElfCapture`, duplicates where contents were.
    """
    savings, duplicates = _savings(files, top)
    notes = []
    if any(layer.table.digests is None and len(layer.table) for layer in files.layers):
        notes.append("equal files were not looked for: `--duplicates` does")
    return Reclaim(
        squash=files.masked_bytes,
        hidden=_hidden(files, attribution, top),
        savings=savings,
        duplicates=duplicates,
        notes=tuple(notes),
    )


def waste_of(path: str) -> Waste | None:
    """The kind of waste that the file at `path` is by its name alone, `None` for what may be needed."""
    found = _PATTERN.match(path)
    return None if found is None else _WASTES[_NUMBER[str(found.lastgroup)]]


def _hidden(files: FileSystem, attribution: Attribution, top: int) -> tuple[Hidden, ...]:
    found: dict[tuple[Origin, Origin], dict[str, tuple[int, int]]] = defaultdict(dict)
    for masked in files.masked():
        layer, row = files.place(masked.number)
        written = attribution.origin(layer, row)
        paths = found[written, attribution.steps[files.layer_of(masked.by)]]
        path = files.path(masked.number)
        size, count = paths.get(path, (0, 0))
        paths[path] = size + masked.size, count + 1
    pairs = [
        Hidden(
            written=written,
            hidden=hidden,
            bytes=sum(size for size, _ in paths.values()),
            files=sum(count for _, count in paths.values()),
            top=_largest(((size, path) for path, (size, _) in paths.items()), top),
        )
        for (written, hidden), paths in found.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.bytes, str(pair.written), str(pair.hidden))))


def _savings(files: FileSystem, top: int) -> tuple[tuple[Saving, ...], tuple[Duplicate, ...]]:
    found: dict[Waste, list[tuple[int, str]]] = defaultdict(list)
    rest: dict[int, str] = {}
    for inode, paths in _names(files).items():
        size = files.sizes[inode]
        # Bytes are free only when the last name is gone.
        waste = waste_of(paths[0]) if len(paths) == 1 or all(map(waste_of, paths)) else None
        if waste is None:
            rest[inode] = paths[0]
        elif size:
            found[waste].append((size, paths[0]))
    duplicates, spare = _duplicates(files, rest)
    for inode in spare:
        found[Waste.DUPLICATES].append((files.sizes[inode], rest.pop(inode)))
    if any(layer.captured for layer in files.layers):
        for inode, path in rest.items():
            elf = kept(files.content(inode))
            if elf is None:
                continue
            debug = min(elf.debug, files.sizes[inode])
            if debug:
                found[Waste.DEBUG_SECTIONS].append((debug, path))
            if elf.unneeded > debug:
                found[Waste.SYMBOLS].append((min(elf.unneeded, files.sizes[inode]) - debug, path))
    savings = [
        Saving(waste=waste, bytes=sum(size for size, _ in items), files=len(items), top=_largest(items, top))
        for waste, items in found.items()
    ]
    return tuple(sorted(savings, key=lambda saving: (-saving.bytes, saving.waste))), duplicates


def _names(files: FileSystem) -> dict[int, list[str]]:
    """The visible names of every regular file, by its inode; the first name is its own where that is visible."""
    names: dict[int, list[str]] = {}
    kinds, inodes = files.kinds, files.inodes
    for path, number in files.visible.items():
        inode = inodes.get(number, number)
        if kinds[inode] == Kind.FILE:
            names.setdefault(inode, []).append(path)
    for paths in names.values():
        if len(paths) > 1:
            paths.sort()
    return names


def _duplicates(files: FileSystem, candidates: dict[int, str]) -> tuple[tuple[Duplicate, ...], list[int]]:
    """Files of one content among `candidates`, and the inodes of all but one of each."""
    if all(layer.table.digests is None for layer in files.layers):
        return (), []
    sizes = defaultdict[int, list[int]](list)
    for inode in candidates:
        if files.sizes[inode]:
            sizes[files.sizes[inode]].append(inode)
    found, spare = [], []
    for size, inodes in sizes.items():
        if len(inodes) == 1:
            continue
        contents = defaultdict[bytes, list[int]](list)
        for inode in inodes:
            layer, row = files.place(inode)
            digest = files.layers[layer].table.digest(row)
            if digest is not None:
                contents[digest].append(inode)
        for same in contents.values():
            if len(same) > 1:
                same.sort(key=candidates.__getitem__)
                found.append(Duplicate(size=size, paths=tuple(candidates[inode] for inode in same)))
                spare += same[1:]
    found.sort(key=lambda each: (-each.wasted, each.paths))
    return tuple(found), spare


def _largest(items: Iterable[tuple[int, str]], top: int) -> tuple[Weighed, ...]:
    return tuple(Weighed(path=path, bytes=size) for size, path in nlargest(top, items))
