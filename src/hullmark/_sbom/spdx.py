"""An inventory as a document of SPDX 2.3, in JSON."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from spdx_tools.spdx.model.actor import Actor, ActorType
from spdx_tools.spdx.model.annotation import Annotation, AnnotationType
from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
from spdx_tools.spdx.model.document import CreationInfo, Document
from spdx_tools.spdx.model.package import ExternalPackageRef, ExternalPackageRefCategory, PackagePurpose
from spdx_tools.spdx.model.package import Package as SpdxPackage
from spdx_tools.spdx.model.relationship import Relationship, RelationshipType
from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion
from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream

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

_DOCUMENT, _IMAGE, _DISTRIBUTION = "SPDXRef-DOCUMENT", "SPDXRef-image", "SPDXRef-distribution"


def document(inventory: Inventory, image: Image, made: datetime) -> str:
    """The document; all but the time `made` follows from what is in the image.

    What its format has no fields for is in annotations: of every package and of the image one, as `name=value` lines.
    """
    tool = Actor(ActorType.TOOL, f"hullmark-{__version__}")
    made = made.replace(microsecond=0, tzinfo=None)
    packages = [_image(image)]
    notes = [_annotation(_IMAGE, image_facts(inventory, image), tool, made)]
    for name, package in identified(inventory).items():
        packages.append(_package(f"SPDXRef-{name}", package))
        notes.append(_annotation(f"SPDXRef-{name}", facts(package), tool, made))
    if inventory.distribution is not None:
        packages.append(_operating_system(inventory.distribution))
    relations = [Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _IMAGE)]
    relations += [Relationship(_IMAGE, RelationshipType.CONTAINS, each.spdx_id) for each in packages[1:]]
    written = io.StringIO()
    write_document_to_stream(
        Document(
            creation_info=CreationInfo(
                spdx_version="SPDX-2.3",
                spdx_id=_DOCUMENT,
                name=name_of(image)[0],
                document_namespace=f"urn:uuid:{serial_number(inventory, image)}",
                creators=[tool],
                created=made,
            ),
            packages=packages,
            relationships=relations,
            annotations=notes,
        ),
        written,
        validate=False,
    )
    return f"{json.dumps(json.loads(written.getvalue()), indent=2)}\n"


def _image(image: Image) -> SpdxPackage:
    name, digest = name_of(image)
    return SpdxPackage(
        spdx_id=_IMAGE,
        name=name,
        version=digest,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, digest.removeprefix("sha256:"))],
        primary_package_purpose=PackagePurpose.CONTAINER,
        supplier=SpdxNoAssertion(),
    )


def _package(name: str, package: Package) -> SpdxPackage:
    owner = package.owner
    application = owner.kind is OwnerKind.RUNTIME
    maintainer = readable(package.maintainer)
    return SpdxPackage(
        spdx_id=name,
        name=readable(owner.name),
        version=readable(owner.version) or None,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        # Who has both a name and an address in one text is taken as a whole: there is no one way to write the two.
        supplier=Actor(ActorType.ORGANIZATION, maintainer) if maintainer else SpdxNoAssertion(),
        source_info=f"told of by {readable(package.location)}",
        primary_package_purpose=PackagePurpose.APPLICATION if application else PackagePurpose.LIBRARY,
        external_references=[
            ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", package.purl)
        ]
        if package.purl
        else [],
    )


def _operating_system(distribution: Distribution) -> SpdxPackage:
    comment = {
        f"{PREFIX}codename": distribution.codename,
        f"{PREFIX}id-like": " ".join(distribution.id_like),
        f"{PREFIX}location": distribution.path,
    }
    return SpdxPackage(
        spdx_id=_DISTRIBUTION,
        name=distribution.id,
        version=distribution.version_id or None,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        supplier=SpdxNoAssertion(),
        description=distribution.name or None,
        primary_package_purpose=PackagePurpose.OPERATING_SYSTEM,
        comment=_lines((key, value) for key, value in comment.items() if value) or None,
    )


def _annotation(name: str, pairs: Iterable[tuple[str, str]], tool: Actor, made: datetime) -> Annotation:
    return Annotation(name, AnnotationType.OTHER, tool, made, _lines(pairs))


def _lines(pairs: Iterable[tuple[str, str]]) -> str:
    """A line each; a value of several lines goes on in its own."""
    return "\n".join(f"{name}={value.replace(chr(10), ' ')}" for name, value in pairs)
