"""What gave directories their modes: every layer that puts something into one has it anew."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullmark.model.image import Image
    from hullmark.model.table import FileTable


def keep_modes(image: Image, rows: Sequence[Sequence[int]], modes: Sequence[dict[int, int]]) -> None:
    """Notes of every directory that has the mode that it had in a lower layer what set it there."""
    before: dict[str, tuple[int, int, int]] = {}
    cleared: dict[str, int] = {}
    for position, layer in enumerate(image.layers):
        table = layer.table
        for special in (Kind.WHITEOUT, Kind.OPAQUE):
            for row in _of_kind(table, special):
                cleared[table.paths[row]] = position
        for row in _of_kind(table, Kind.DIRECTORY):
            path, mode = table.paths[row], table.modes[row]
            setter = modes[position].get(row, rows[position][row])
            kept = before.get(path)
            if kept is not None and kept[0] == mode and not _is_cleared(path, kept[2], cleared):
                setter = kept[1]
                modes[position][row] = setter
            before[path] = (mode, setter, position)


def _of_kind(table: FileTable, kind: Kind) -> Iterator[int]:
    row = table.kinds.find(kind)
    while row >= 0:
        yield row
        row = table.kinds.find(kind, row + 1)


def _is_cleared(path: str, since: int, cleared: Mapping[str, int]) -> bool:
    """Whether a layer above the one at `since` removed the directory, or one that it lies in."""
    if not cleared:
        return False
    while len(path) > 1:
        if cleared.get(path, -1) > since:
            return True
        path = posixpath.dirname(path)
    return False
