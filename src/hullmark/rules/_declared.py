"""What of an image's configuration stands in its Dockerfile, and where; several rules share this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.location import ImageConfig

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Pair
    from hullmark.model.image import ShippedImage
    from hullmark.model.location import Location


def pair(shipped: ShippedImage, keyword: str, name: str) -> tuple[Instruction, Pair] | None:
    """The LABEL or ENV that gives `name` its value, in the stage that the image is or one that it is built upon."""
    return None if shipped.recipe is None else shipped.recipe.final.pair(keyword, name)


def place(shipped: ShippedImage, keyword: str, *, key: str, name: str | None = None) -> Location:
    """Where `keyword` stands that decides, for `name` where it sets several; else where the stage begins.

    Where there is no Dockerfile, it is that key of the configuration.
    """
    if shipped.recipe is not None:
        found = pair(shipped, keyword, name) if name is not None else None
        last = shipped.recipe.final.last(keyword) if name is None else None
        if found is not None:
            return found[0].span
        if last is not None:
            return last.span
    return shipped.origin or ImageConfig(image=shipped.image.reference, key=key)
