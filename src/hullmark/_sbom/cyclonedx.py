"""An inventory as a document of CycloneDX 1.6, in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from hullmark import __version__
from hullmark._sbom.facts import PREFIX, facts, identified, image_facts, name_of, serial_number
from hullmark.model.owner import OwnerKind
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hullmark.model.image import Image
    from hullmark.model.inventory import Distribution, Inventory
    from hullmark.model.owner import Package

_IMAGE, _DISTRIBUTION = "image", "distribution"
"""What the image and its distribution are called in the document."""


def document(inventory: Inventory, image: Image, made: datetime) -> str:
    """The document; all but the time `made` follows from what is in the image."""
    name, digest = name_of(image)
    root = Component(
        type=ComponentType.CONTAINER,
        name=name,
        version=digest,
        bom_ref=_IMAGE,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))],
    )
    parts = [_component(name, package) for name, package in identified(inventory).items()]
    if inventory.distribution is not None:
        parts.append(_operating_system(inventory.distribution))
    bom = Bom(
        serial_number=serial_number(inventory, image),
        components=parts,
        metadata=BomMetaData(
            timestamp=made,
            component=root,
            tools=ToolRepository(
                components=[
                    Component(
                        type=ComponentType.APPLICATION, name="hullmark", version=__version__, bom_ref="tool"
                    )
                ]
            ),
            properties=_properties(image_facts(inventory, image)),
        ),
    )
    bom.register_dependency(root, parts)
    return f"{JsonV1Dot6(bom).output_as_string(indent=2)}\n"


def _component(name: str, package: Package) -> Component:
    owner = package.owner
    group, separator, rest = "", "", owner.name
    if owner.kind is OwnerKind.NPM:
        group, separator, rest = owner.name.rpartition("/")
    elif owner.kind is OwnerKind.JAVA:
        group, separator, rest = owner.name.rpartition(":")
    return Component(
        type=ComponentType.APPLICATION if owner.kind is OwnerKind.RUNTIME else ComponentType.LIBRARY,
        bom_ref=name,
        group=readable(group) if separator else None,
        name=readable(rest),
        version=readable(owner.version) or None,
        purl=_purl(package.purl),
        supplier=OrganizationalEntity(name=readable(package.maintainer)) if package.maintainer else None,
        evidence=ComponentEvidence(occurrences=[Occurrence(location=readable(package.location))]),
        properties=_properties(facts(package)),
    )


def _operating_system(distribution: Distribution) -> Component:
    found = (
        ("codename", distribution.codename),
        ("id-like", " ".join(distribution.id_like)),
        ("location", distribution.path),
    )
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref=_DISTRIBUTION,
        name=distribution.id,
        version=distribution.version_id or None,
        description=distribution.name or None,
        properties=_properties((f"{PREFIX}{key}", value) for key, value in found if value),
    )


def _purl(text: str) -> PackageURL | None:
    if not text:
        return None
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None  # the library has rules for names of some kinds, and real packages that break them


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Property]:
    return [Property(name=name, value=value) for name, value in pairs]
