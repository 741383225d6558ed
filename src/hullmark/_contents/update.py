"""Bytes that a host with one image must pull for the next one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hullmark.model.difference import Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.digest import DiffId, Digest
    from hullmark.model.image import Image, Layer
    from hullmark.model.table import FileTable

_BLOCK = 512
_END = 20 * _BLOCK
_NAME = 99
_INCOMPRESSIBLE = 1.001
"""What compression adds at worst, to what cannot be compressed."""
_BLOB = 1 << 10


def pulled(previous: Iterable[tuple[DiffId, Digest | None]], current: Image) -> Update:
    """What a host must pull for `current` that has the layers `previous`, each with the digest of its blob if known."""
    there: dict[DiffId, list[Digest | None]] = {}
    for diff_id, digest in previous:
        there.setdefault(diff_id, []).append(digest)
    lacking: dict[DiffId, Layer] = {}
    kept: dict[DiffId, None] = {}
    for layer in current.layers:
        if _has(there, layer):
            kept[layer.diff_id] = None
        else:
            lacking.setdefault(layer.diff_id, layer)
    transfers = [layer.transfer for layer in lacking.values()]
    known = [size for size in transfers if size is not None]
    compressed = len(known) == len(transfers)
    return Update(
        bytes=sum(known) if compressed else sum(layer.unpacked for layer in lacking.values()),
        compressed=compressed,
        pulled=tuple(map(str, lacking)),
        kept=tuple(map(str, kept)),
        estimated=compressed and any(layer.estimated for layer in lacking.values()),
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


def _has(there: Mapping[DiffId, list[Digest | None]], layer: Layer) -> bool:
    """Whether the host has the layer: by the digest of its blob, or where one side has none, by its diff ID."""
    digests = there.get(layer.diff_id)
    if digests is None:
        return False
    # The same content, compressed anew, is another blob and pulled again.
    return layer.digest is None or None in digests or layer.digest in digests
