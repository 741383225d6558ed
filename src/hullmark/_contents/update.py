"""Bytes that a host with one image must pull for the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.difference import Update

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.digest import DiffId, Digest
    from hullmark.model.image import Image, Layer


def update(
    previous: Image, current: Image, *, previous_stage: Image | None = None, stage: Image | None = None
) -> Update:
    """What a host that has `previous` must pull for `current`.

    For squashed images, the stages that they were squashed from tell what an image of their layers would need.
    """
    found = _pulled(previous, current)
    if previous_stage is None or stage is None:
        return found
    return replace(found, unsquashed=_pulled(previous_stage, stage))


def _pulled(previous: Image, current: Image) -> Update:
    there: dict[DiffId, list[Digest | None]] = {}
    for layer in previous.layers:
        there.setdefault(layer.diff_id, []).append(layer.digest)
    pulled: dict[DiffId, Layer] = {}
    kept: dict[DiffId, None] = {}
    for layer in current.layers:
        if _has(there, layer):
            kept[layer.diff_id] = None
        else:
            pulled.setdefault(layer.diff_id, layer)
    transfers = [layer.transfer for layer in pulled.values()]
    known = [size for size in transfers if size is not None]
    compressed = len(known) == len(transfers)
    return Update(
        bytes=sum(known) if compressed else sum(layer.unpacked for layer in pulled.values()),
        compressed=compressed,
        pulled=tuple(map(str, pulled)),
        kept=tuple(map(str, kept)),
    )


def _has(there: Mapping[DiffId, list[Digest | None]], layer: Layer) -> bool:
    """Whether the host has the layer: by the digest of its blob, or where one side has none, by its diff ID."""
    digests = there.get(layer.diff_id)
    if digests is None:
        return False
    # The same content, compressed anew, is another blob and pulled again.
    return layer.digest is None or None in digests or layer.digest in digests
