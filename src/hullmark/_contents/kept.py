"""What a JSON report that was kept still tells of an image, as one side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from hullmark._contents.kept_image import KeptImage, KeptSize, contents  # noqa: TC001  # msgspec reads it
from hullmark.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from hullmark.model.difference import Contents

_SCHEMAS = ("hullmark/report/1", "hullmark/size/1")


class _Named(msgspec.Struct):
    reference: str
    config_digest: str | None = None
    digest: str | None = None


class _Sized(msgspec.Struct):
    size: KeptSize
    budget: int | None = None


# Made before threads share it.
_IMAGE = msgspec.json.Decoder(KeptImage)
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
    return replace(contents(image, name), reference=f"{image.reference} ({name})")


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


def _document(text: bytes, name: str, schemas: tuple[str, ...]) -> dict[str, Any]:
    document = msgspec.json.decode(text)
    if not isinstance(document, dict) or document.get("schema") not in schemas:
        raise ConfigurationError(
            [f"{name}: no JSON report of hullmark; expected `schema` to be one of {', '.join(schemas)}"]
        )
    return document


def _read(text: bytes, name: str, service: str | None) -> KeptImage:
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
