"""What a JSON report that was kept still tells of an image, as one side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.difference import Contents, Holding, LayerSize
from hullmark.model.digest import DiffId, Digest
from hullmark.model.owner import OwnerKind  # noqa: TC001  # msgspec reads the annotations

_SCHEMAS = ("hullmark/report/1", "hullmark/size/1")


class _Size(msgspec.Struct):
    unpacked: int
    transfer: int | None = None
    visible: int | None = None


class _Step(msgspec.Struct):
    text: str = ""


class _Layer(msgspec.Struct):
    diff_id: str
    unpacked: int
    digest: str | None = None
    transfer: int | None = None
    instruction: str | None = None
    step: _Step | None = None


class _Owner(msgspec.Struct):
    kind: OwnerKind
    name: str
    bytes: int
    files: int
    version: str | None = None
    why: list[str] = msgspec.field(default_factory=list)


class _Named(msgspec.Struct):
    reference: str
    config_digest: str | None = None
    digest: str | None = None


class _Image(msgspec.Struct):
    reference: str
    size: _Size
    layers: list[_Layer]
    owners: list[_Owner] | None = None


class _Sized(msgspec.Struct):
    size: _Size
    budget: int | None = None


# Made before threads share it.
_IMAGE = msgspec.json.Decoder(_Image)
_NAMED = msgspec.json.Decoder(dict[str, _Named])
_SIZED = msgspec.json.Decoder(dict[str, _Sized])


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """Which image a service had."""

    reference: str
    """What it was called then; a name may stand for another image by now."""
    config_digest: str | None = None
    digest: str | None = None
    """Of its manifest, where it had one."""


def report_named(name: str) -> tuple[str, str | None] | None:
    """The file and the service of `FILE.json[:SERVICE]`; `None` where `name` is something else."""
    file, colon, service = name.rpartition(":") if ".json:" in name else (name, "", "")
    return (file, service if colon else None) if file.endswith(".json") else None


def contents_in(text: bytes, name: str, service: str | None) -> Contents:
    """The image that the report `text`, called `name` in messages, tells of: that of `service`, where it has several.

    Raises `ConfigurationError` for what is no report of this tool, and `UsageError` where it has no such service or
    none is named.
    """
    image = _read(text, name, service)
    # Owners that were cut off, or were never looked for, cannot stand for the whole.
    owners = [owner for owner in image.owners or () if owner.files]  # the others are masked
    whole = bool(owners) and sum(owner.bytes for owner in owners) == image.size.visible
    return Contents(
        reference=f"{image.reference} ({name})",
        unpacked=image.size.unpacked,
        visible=image.size.visible,
        transfer=image.size.transfer,
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


def images_in(text: bytes, name: str) -> dict[str, NamedImage]:
    """The images that the report `text`, called `name` in messages, tells of, by service.

    Raises `ConfigurationError` for what is no report of the images of services.
    """
    try:
        images = _NAMED.decode(msgspec.json.encode(_document(text, name, _SCHEMAS[:1]).get("images") or {}))
    except msgspec.MsgspecError as error:
        raise ConfigurationError([f"{name}: not a report of hullmark as it writes them: {error}"]) from error
    return {
        service: NamedImage(reference=image.reference, config_digest=image.config_digest, digest=image.digest)
        for service, image in images.items()
    }


def sizes_in(text: bytes, name: str) -> tuple[tuple[str, int, int | None], ...]:
    """The service, the unpacked size and the budget, in bytes, of every image that a report of checks tells of.

    Raises `ConfigurationError` for what is no such report, and `UsageError` for one that tells of no image.
    """
    try:
        images = _SIZED.decode(msgspec.json.encode(_document(text, name, _SCHEMAS[:1]).get("images") or {}))
    except msgspec.MsgspecError as error:
        raise ConfigurationError([f"{name}: not a report of hullmark as it writes them: {error}"]) from error
    if not images:
        raise UsageError(f"{name} tells of no image", hint="`hullmark validate` and `check` report them")
    return tuple((service, image.size.unpacked, image.budget) for service, image in sorted(images.items()))


def _layer(layer: _Layer, name: str) -> LayerSize:
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


def _document(text: bytes, name: str, schemas: tuple[str, ...]) -> dict[str, Any]:
    document = msgspec.json.decode(text)
    if not isinstance(document, dict) or document.get("schema") not in schemas:
        raise ConfigurationError(
            [f"{name}: no JSON report of hullmark; expected `schema` to be one of {', '.join(schemas)}"]
        )
    return document


def _read(text: bytes, name: str, service: str | None) -> _Image:
    try:
        document = _document(text, name, _SCHEMAS)
        return _IMAGE.decode(msgspec.json.encode(_image(document, name, service)))
    except msgspec.MsgspecError as error:
        raise ConfigurationError([f"{name}: not a report of hullmark as it writes them: {error}"]) from error


def _image(document: dict[str, Any], name: str, service: str | None) -> Any:
    if document["schema"] == "hullmark/size/1":
        return document
    images = document.get("images")
    if not isinstance(images, dict) or not images:
        raise UsageError(f"{name} tells of no image", hint="`hullmark validate` and `check` report them")
    if service is None and len(images) == 1:
        return next(iter(images.values()))
    if service not in images:
        what = f"no service `{service}`" if service else f"{len(images)} images"
        raise UsageError(
            f"{name} tells of {what}; expected `{name}:SERVICE` with one of {', '.join(sorted(images))}"
        )
    return images[service]
