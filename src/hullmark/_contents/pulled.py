"""The layers of an image as a host sees them that pulls it: which it has, and which it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.difference import LayerSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullmark.model.attribution import Origin
    from hullmark.model.image import Image


def layer_sizes(image: Image, steps: Sequence[Origin] | None = None) -> tuple[LayerSize, ...]:
    """The layers of `image` as a comparison needs them; `steps` are what made them."""
    texts = [""] * len(image.layers) if steps is None else [str(step.text) for step in steps]
    return tuple(
        LayerSize(
            diff_id=str(layer.diff_id),
            unpacked=layer.unpacked,
            text=text,
            digest=None if layer.digest is None else str(layer.digest),
            transfer=layer.transfer,
            estimated=layer.estimated,
        )
        for layer, text in zip(image.layers, texts, strict=True)
    )


def pulled(
    before: Iterable[LayerSize], after: Iterable[LayerSize]
) -> tuple[tuple[LayerSize, ...], tuple[LayerSize, ...]]:
    """The layers of `after` that a host has which has `before`, and those that it lacks; each once, however often."""
    there: dict[str, list[str | None]] = {}
    for layer in before:
        there.setdefault(layer.diff_id, []).append(layer.digest)
    kept: dict[str, LayerSize] = {}
    lacking: dict[str, LayerSize] = {}
    for layer in after:
        (kept if _has(there, layer) else lacking).setdefault(layer.diff_id, layer)
    return tuple(kept.values()), tuple(lacking.values())


def _has(there: Mapping[str, list[str | None]], layer: LayerSize) -> bool:
    """Whether the host has the layer: by the digest of its blob, or where one side has none, by its diff ID."""
    digests = there.get(layer.diff_id)
    if digests is None:
        return False
    # The same content, compressed anew, is another blob and pulled again.
    return layer.digest is None or None in digests or layer.digest in digests
