"""What both kinds of documents say of a package beside what their formats have fields for, and what they call it.

Everything here is computed from what is in the image, so that two runs over one image write one document.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING

from hullmark.model.attribution import Told
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.image import Image
    from hullmark.model.inventory import Inventory
    from hullmark.model.owner import Owner, Package

PREFIX = "hullmark:"
"""Begins the name of every fact."""
_NAMESPACE = uuid.UUID("5b0b1b1e-6b0e-5b6e-9d3b-2f7c0a6d4c11")
_UNFIT = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST_NAME = 60
_DIGITS = 12


def facts(package: Package) -> Iterator[tuple[str, str]]:
    """Names and values, in the order of the names."""
    found = {
        "architecture": package.architecture,
        "declared": "true" if package.declared else "",
        "kind": str(package.owner.kind),
        "layer": str(package.layer) if package.layer is not None else "",
        "location": package.location,
        "maintainer": package.maintainer,
        "part-of": _named(package.part_of),
        "source": package.source,
        "source-version": package.source_version,
    }
    origin = package.origin
    if origin is not None:
        # What wrote it first, and not the squash that it came through.
        writer = origin.chain[-1]
        found["origin"] = str(writer.told)
        found["step" if writer.told is Told.LAYER else "instruction"] = writer.text
        found["stage"] = writer.stage
        found["base"] = writer.base
        if writer.span is not None:
            found["dockerfile"] = f"{writer.span.path}:{writer.span.line}"
        if len(origin.chain) > 1:
            found["copied-by"] = origin.text
    for name, value in sorted(found.items()):
        if value:
            yield f"{PREFIX}{name}", readable(value)


def _named(owner: Owner | None) -> str:
    return "" if owner is None else f"{owner.kind}:{owner.name}@{owner.version}"


def image_facts(inventory: Inventory, image: Image) -> Iterator[tuple[str, str]]:
    """What is said of the whole image: layers from the bottom up, and what could not be told."""
    yield f"{PREFIX}image:config-digest", str(image.config_digest)
    yield f"{PREFIX}image:platform", readable(image.platform)
    yield f"{PREFIX}image:reference", readable(image.reference)
    for number, layer in enumerate(image.layers):
        yield f"{PREFIX}image:layer:{number:03}", str(layer.diff_id)
    for note in inventory.notes:
        yield f"{PREFIX}note", readable(note)
    for each in inventory.unrecognised:
        yield f"{PREFIX}unrecognised", readable(f"{each.path}: {each.reason}")


def identifier(package: Package) -> str:
    """What a package is called in a document: of letters, digits, dots and hyphens, and the same in every run."""
    owner = package.owner
    parts = (str(owner.kind), owner.name, owner.version, package.architecture, package.location)
    digits = hashlib.sha256("\0".join(map(readable, parts)).encode()).hexdigest()[:_DIGITS]
    name = _UNFIT.sub("-", owner.name).strip("-.")[:_LONGEST_NAME]
    return "-".join(filter(None, (str(owner.kind), name, digits)))


def identified(inventory: Inventory) -> dict[str, Package]:
    """The packages by identifier, by owner and location; one that is listed twice is one."""
    found: dict[str, Package] = {}
    for package in sorted(inventory.packages, key=lambda each: (each.owner.sort_key, each.location)):
        found.setdefault(identifier(package), package)
    return found


def serial_number(inventory: Inventory, image: Image) -> uuid.UUID:
    """The number of a document: another one where the image or what is said of it is another."""
    said = hashlib.sha256(str(image.config_digest).encode())
    for name, package in identified(inventory).items():
        said.update(f"\0{name}\0{readable(package.purl)}".encode())
        for key, value in facts(package):
            said.update(f"\0{key}={value}".encode())
    for key, value in image_facts(inventory, image):
        said.update(f"\0{key}={value}".encode())
    return uuid.uuid5(_NAMESPACE, said.hexdigest())


def name_of(image: Image) -> tuple[str, str]:
    """The name of an image for people, and its digest: of its manifest where it has one."""
    digest = image.digest if image.digest is not None else image.config_digest
    return readable(image.reference), str(digest)
