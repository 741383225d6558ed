"""Whether an image is the stage that a squash was copied from, and what of the squash it does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.errors import Unavailable
from hullmark.model.size import format_size
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.attribution import Attribution, Squash
    from hullmark.model.image import Image

_FITS = 0.5
"""Part of the bytes of a squash that its stage holds at least, or it is another image."""


def unattributed(image: Image, attribution: Attribution) -> Iterator[str]:
    """What of the squashes in `image` could not be followed into their stages, in a sentence each."""
    for squash in attribution.squashes:
        count, size = _lost(image, squash)
        if count:
            yield (
                f"{count:,} {'file' if count == 1 else 'files'} with {format_size(size)} of the squash "
                f"{'is' if count == 1 else 'are'} not in {squash.stage.reference} as they are here: what wrote them is "
                "not known"
            )


def unfollowed(anatomy: Anatomy) -> str | None:
    """What of an image came through squashes whose stages are not at hand, in a clause; `None` where nothing did."""
    attribution = anatomy.attribution
    followed = {squash.layer for squash in attribution.squashes}
    lost = [index for index in attribution.whole if index not in followed]
    if not lost:
        return None
    size = format_size(sum(anatomy.image.layers[index].unpacked for index in lost))
    if len(lost) == 1:
        return f"layer {lost[0] + 1} is a squash of another stage, and what wrote its {size} is not known"
    numbers = ", ".join(str(index + 1) for index in lost)
    return f"the layers {numbers} are squashes of other stages, and what wrote their {size} is not known"


def check_stage(image: Image, attribution: Attribution, stage: Image) -> None:
    """Raises `Unavailable` where `image` is no squash of `stage`, which somebody said that it is."""
    squash = next((each for each in attribution.squashes if each.stage is stage), None)
    if squash is None:
        raise Unavailable(
            f"{image.reference} is no squash: none of its layers is a copy of a whole stage",
            hint=f"leave out the stage {stage.reference}: its instructions are known without",
        )
    count, size = _lost(image, squash)
    table = image.layers[squash.layer].table
    if size > (1 - _FITS) * table.unpacked:
        files = sum(kind == Kind.FILE for kind in table.kinds)
        raise Unavailable(
            f"{stage.reference} is not the stage that {image.reference} is a squash of: of its {files:,} files "
            f"({format_size(table.unpacked)}) {files - count:,} ({format_size(table.unpacked - size)}) are there as they "
            "are in it",
            hint="the stage must come from the same build: `docker build --target STAGE` right after it",
        )


def _lost(image: Image, squash: Squash) -> tuple[int, int]:
    """How many files of the squash its stage does not hold, and their bytes."""
    table = image.layers[squash.layer].table
    lost = [
        table.sizes[row]
        for row, writer in enumerate(squash.writers)
        if writer < 0 and table.kinds[row] == Kind.FILE
    ]
    return len(lost), sum(lost)
