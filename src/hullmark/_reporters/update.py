"""What a host must pull for an update, as the reports about single images have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from hullmark.model.difference import Plan
from hullmark.model.size import format_size
from hullmark.model.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.difference import Update

_SIZE_COLUMN = 11
_NARROWEST = 20


def update_lines(update: Update, style: Style) -> Iterator[str]:
    """The lines of the report: what is pulled, and what other layouts of a squashed image would take."""
    room = max(style.width, _NARROWEST)
    yield f"{shortened(f'update from {printable(update.previous)}', room)}\n"
    count = len(update.pulled)
    layers = f"{count} of {count + len(update.kept)} layers to pull"
    doubt = (
        " (unpacked: compressed sizes are not known)"
        if not update.compressed
        else " (estimated)"
        if update.estimated
        else ""
    )
    yield f"{format_size(update.bytes):>{_SIZE_COLUMN}}  {layers}{doubt}\n"
    for layout in update.layouts:
        guess = " (estimated)" if layout.estimated else ""
        line = f"{layout.pulled} of {layout.layers} layers, {_told(layout.plan)}{guess}"
        yield f"{format_size(layout.bytes):>{_SIZE_COLUMN}}  {line}\n"
    if update.squashed and not update.layouts:
        yield f"{'':>{_SIZE_COLUMN}}  what other layouts would take cannot be told without the files of both\n"


def _told(plan: Plan) -> str:
    match plan:
        case Plan.UNSQUASHED:
            return "were it not squashed"
        case Plan.PER_INSTRUCTION:
            return "with one for each instruction"
        case Plan.PER_OWNER:
            return "with one for each kind of owner"
        case _:
            assert_never(plan)


# --- for programs ----------------------------------------------------------------------------------------------------


class LayoutU1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the update would take, were the image laid out otherwise.

    `unsquashed` is the stage as it is, `per-instruction` the base image as it is and a layer for what each instruction
    has left, `per-owner` a layer for each kind of owner. It is estimated where it was concluded from files or other
    sizes.
    """

    plan: str
    bytes: int
    estimated: bool
    pulled: int
    layers: int


class UpdateU1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host with the previous image must pull; `pulled` and `kept` are diff IDs.

    Where `compressed` is false, unpacked sizes stand in for blobs that nobody has made. `squashed` says whether a copy
    of a whole stage is pulled; `layouts` are then what else there could be, as far as both images are at hand.
    """

    previous: str
    bytes: int
    compressed: bool
    estimated: bool
    pulled: list[str]
    kept: list[str]
    squashed: bool
    layouts: list[LayoutU1]


def update_described(update: Update) -> UpdateU1:
    """The same for programs."""
    return UpdateU1(
        previous=update.previous,
        bytes=update.bytes,
        compressed=update.compressed,
        estimated=update.estimated,
        pulled=list(update.pulled),
        kept=list(update.kept),
        squashed=update.squashed,
        layouts=[
            LayoutU1(
                plan=str(layout.plan),
                bytes=layout.bytes,
                estimated=layout.estimated,
                pulled=layout.pulled,
                layers=layout.layers,
            )
            for layout in update.layouts
        ],
    )
