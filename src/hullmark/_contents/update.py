"""Bytes that a host with one image must pull for the next one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hullmark._contents.layouts import layouts
from hullmark._contents.pulled import pulled
from hullmark.model.difference import Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.difference import Contents
    from hullmark.model.image import Layer
    from hullmark.model.table import FileTable

_BLOCK = 512
_END = 20 * _BLOCK
_NAME = 99
_INCOMPRESSIBLE = 1.001
"""What compression adds at worst, to what cannot be compressed."""
_BLOB = 1 << 10


def update(before: Contents, after: Contents) -> Update:
    """What a host must pull for `after` that has the layers of `before`."""
    kept, lacking = pulled(before.layers, after.layers)
    transfers = [layer.transfer for layer in lacking]
    known = [size for size in transfers if size is not None]
    compressed = len(known) == len(transfers)
    missing = {layer.diff_id for layer in lacking}
    whole = () if after.attribution is None else after.attribution.whole
    squashed = tuple(index for index in whole if after.layers[index].diff_id in missing)
    return Update(
        previous=before.reference,
        bytes=sum(known) if compressed else sum(layer.unpacked for layer in lacking),
        compressed=compressed,
        pulled=tuple(layer.diff_id for layer in lacking),
        kept=tuple(layer.diff_id for layer in kept),
        estimated=compressed and any(layer.estimated for layer in lacking),
        squashed=bool(squashed),
        layouts=layouts(before, after, compressed=compressed) if squashed else (),
    )


def largest_transfer(layers: Iterable[Layer]) -> int:
    """Bytes that the blobs of `layers` cannot exceed, however badly their archives compress."""
    return sum(_BLOB + math.ceil(_archive(layer.table) * _INCOMPRESSIBLE) for layer in layers)


def _archive(table: FileTable) -> int:
    """Bytes that an archive of the entries needs at most."""
    size = table.unpacked + len(table) * (_BLOCK + _BLOCK - 1) + _END
    # What does not fit into a header stands in blocks of its own, once as PAX and once as GNU have it.
    for row, path in enumerate(table.paths):
        link = table.links.get(row, "")
        if len(path) > _NAME or len(link) > _NAME or not (path + link).isascii() or row in table.xattrs:
            names = len(path.encode("utf-8", "surrogateescape")) + len(
                link.encode("utf-8", "surrogateescape")
            )
            values = sum(len(name) + 2 * len(value) for name, value in table.xattrs.get(row, ()))
            size += 6 * _BLOCK + 2 * (names + values)
    return size
