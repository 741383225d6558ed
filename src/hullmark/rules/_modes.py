"""Entries of the final file system by their mode; two rules share this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.location import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Moded:
    """One visible name."""

    path: str
    number: int
    """Of the entry that is seen there."""
    layer: int
    """The one that holds what is named."""
    row: int
    """Of what is named, in the table of that layer."""
    kind: Kind
    mode: int
    size: int
    uid: int
    gid: int


def setter(anatomy: Anatomy, found: Moded) -> SourceSpan | None:
    """The instruction that gave it its mode."""
    return anatomy.attribution.mode_origin(found.layer, found.row).first.span


def with_mode(files: FileSystem, bits: int) -> list[Moded]:
    """What has at least one of these bits, by path."""
    return sorted(_found(files, bits))


def _found(files: FileSystem, bits: int) -> Iterator[Moded]:
    # Few have any of them: the columns are looked through, and only these are asked for.
    inodes = {
        start + row
        for start, layer in zip(files.starts, files.layers, strict=True)
        for row, mode in enumerate(layer.table.modes)
        if mode & bits
    }
    links = {number: inode for number, inode in files.inodes.items() if inode in inodes}
    for number, inode in ({number: number for number in inodes} | links).items():
        path = files.path(number)
        kind = files.kinds[inode]
        if files.visible.get(path) != number or kind in {Kind.WHITEOUT, Kind.OPAQUE, Kind.HARDLINK}:
            continue
        layer, row = files.place(inode)
        table = files.layers[layer].table
        yield Moded(
            path=path,
            number=number,
            layer=layer,
            row=row,
            kind=Kind(kind),
            mode=table.modes[row],
            size=table.sizes[row],
            uid=table.uids[row],
            gid=table.gids[row],
        )
