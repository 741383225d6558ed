"""An image as JSON reports tell of it, and what of that is one side of a comparison."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hullmark.errors import ConfigurationError
from hullmark.model.difference import Contents, Holding, LayerSize
from hullmark.model.digest import DiffId, Digest
from hullmark.model.owner import OwnerKind  # noqa: TC001  # msgspec reads the annotations

_Amount = Annotated[int, msgspec.Meta(ge=0)]
"""A number of bytes or files, of which nothing has fewer than none."""


class KeptSize(msgspec.Struct):
    """Its sizes, in bytes."""

    unpacked: _Amount
    transfer: _Amount | None = None
    visible: _Amount | None = None


class KeptStep(msgspec.Struct):
    """What made a layer, in reports about one image."""

    text: str = ""


class KeptLayer(msgspec.Struct):
    """One of its layers."""

    diff_id: str
    unpacked: _Amount
    digest: str | None = None
    transfer: _Amount | None = None
    instruction: str | None = None
    step: KeptStep | None = None


class KeptOwner(msgspec.Struct):
    """Who has how much of it."""

    kind: OwnerKind
    name: str
    bytes: _Amount
    files: _Amount
    version: str | None = None
    why: list[str] = msgspec.field(default_factory=list)


class KeptImage(msgspec.Struct):
    """All of it."""

    reference: str
    size: KeptSize
    layers: list[KeptLayer]
    owners: list[KeptOwner] | None = None
    settings: dict[str, str] | None = None


def contents(image: KeptImage, name: str) -> Contents:
    """What is compared of `image`, which the report called `name` tells of.

    Raises `ConfigurationError` for a layer that is none.
    """
    # Owners that were cut off, or were never looked for, cannot stand for the whole.
    owners = [owner for owner in image.owners or () if owner.files]  # the others are masked
    whole = bool(owners) and sum(owner.bytes for owner in owners) == image.size.visible
    return Contents(
        reference=image.reference,
        unpacked=image.size.unpacked,
        visible=image.size.visible,
        transfer=image.size.transfer,
        settings=None if image.settings is None else tuple(sorted(image.settings.items())),
        layers=tuple(_layer(layer, name) for layer in image.layers),
        holdings=tuple(
            Holding(
                kind=owner.kind,
                name=owner.name,
                version=owner.version or "",
                bytes=owner.bytes,
                files=owner.files,
                why=tuple(owner.why),
            )
            for owner in owners
        )
        if whole
        else None,
    )


def _layer(layer: KeptLayer, name: str) -> LayerSize:
    try:
        return LayerSize(
            diff_id=str(DiffId.parse(layer.diff_id)),
            unpacked=layer.unpacked,
            text=layer.instruction or (layer.step.text if layer.step else ""),
            digest=None if layer.digest is None else str(Digest.parse(layer.digest)),
            transfer=layer.transfer,
        )
    except ValueError as error:
        raise ConfigurationError([f"{name}: not a report of hullmark as it writes them: {error}"]) from error
