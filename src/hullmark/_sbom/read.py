"""An inventory from a document that somebody made: CycloneDX or SPDX 2, in JSON, bare or as it is attested.

Unknown fields are passed over, as the formats want it; a field of another shape than the format gives it is an error.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from hullmark._sbom.facts import PREFIX
from hullmark._sbom.listed import IMAGES, Unlisted, distribution_of, listed
from hullmark.errors import ConfigurationError
from hullmark.model.inventory import Distribution, Inventory, Unrecognised
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark.model.owner import Package

LARGEST = 1 << 28
"""Bytes of the largest document that is read."""
PREDICATES = ("https://cyclonedx.org/bom", "https://cyclonedx.org/schema", "https://spdx.dev/Document")
"""How the types of attestations begin that are lists of software."""
# Not sets: what a document says need not be hashable.
_CYCLONEDX = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
_SPDX_2 = ("SPDX-2.2", "SPDX-2.3")
_DEEPEST = 4
"""Envelopes in each other."""
_HINT = "CycloneDX 1.2 to 1.7 and SPDX 2.2 and 2.3 can be read, as JSON, also in an attestation of in-toto"


class _Head(msgspec.Struct, frozen=True):
    bom_format: Any = msgspec.field(name="bomFormat", default=None)
    spec_version: Any = msgspec.field(name="specVersion", default=None)
    spdx_version: Any = msgspec.field(name="spdxVersion", default=None)
    graph: Any = msgspec.field(name="@graph", default=None)
    predicate_type: Any = msgspec.field(name="predicateType", default=None)
    predicate: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    payload_type: Any = msgspec.field(name="payloadType", default=None)
    payload: Any = None


class _Property(msgspec.Struct, frozen=True):
    name: str
    value: str = ""


class _Occurrence(msgspec.Struct, frozen=True):
    location: str


class _Evidence(msgspec.Struct, frozen=True):
    occurrences: tuple[_Occurrence, ...] = ()


class _Component(msgspec.Struct, frozen=True):
    type: str
    name: str
    version: str | None = None
    group: str | None = None
    purl: str | None = None
    description: str | None = None
    properties: tuple[_Property, ...] = ()
    evidence: _Evidence | None = None
    components: tuple[_Component, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    properties: tuple[_Property, ...] = ()
    component: _Component | None = None


class _Bom(msgspec.Struct, frozen=True):
    components: tuple[_Component, ...] = ()
    metadata: _Metadata | None = None


class _Reference(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="referenceType")
    locator: str = msgspec.field(name="referenceLocator")


class _Annotation(msgspec.Struct, frozen=True):
    comment: str = ""


class _SpdxPackage(msgspec.Struct, frozen=True):
    name: str
    version: str | None = msgspec.field(name="versionInfo", default=None)
    description: str | None = None
    comment: str | None = None
    purpose: str | None = msgspec.field(name="primaryPackagePurpose", default=None)
    references: tuple[_Reference, ...] = msgspec.field(name="externalRefs", default=())
    annotations: tuple[_Annotation, ...] = ()


class _Spdx(msgspec.Struct, frozen=True):
    packages: tuple[_SpdxPackage, ...] = ()


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_HEAD = msgspec.json.Decoder(_Head)
_BOM = msgspec.json.Decoder(_Bom)
_SPDX = msgspec.json.Decoder(_Spdx)


def read(content: bytes, name: str) -> Inventory:
    """The software that the document called `name` lists; raises `ConfigurationError` for what is no such document."""
    if len(content) > LARGEST:
        raise _refused(name, f"its {len(content)} bytes are more than a list of software has")
    try:
        return _read(content.removeprefix(b"\xef\xbb\xbf"), name, 0)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _refused(name, f"{str(error)[:200]}") from None
    except RecursionError:
        raise _refused(name, "it is nested too deeply") from None


def told(content: bytes) -> bool:
    """Whether a document says of itself that it is a list of software, or attests one."""
    try:
        head = _HEAD.decode(content)
        while (inner := _attested(head, "")) is not None:
            head = _HEAD.decode(inner)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ConfigurationError):
        return False
    return head.bom_format is not None or head.spdx_version is not None


def _refused(name: str, reason: str) -> ConfigurationError:
    return ConfigurationError([f"{name} cannot be read as a list of software: {reason}"], hint=_HINT)


def _read(content: bytes, name: str, depth: int) -> Inventory:
    head = _HEAD.decode(content)
    if depth == _DEEPEST:
        raise _refused(name, "it is nested too deeply")
    if head.bom_format is not None:
        if head.bom_format != "CycloneDX" or head.spec_version not in _CYCLONEDX:
            raise _refused(name, f"its format is {head.bom_format!r:.40} {head.spec_version!r:.40}")
        return _from_cyclonedx(_BOM.decode(content), name)
    if head.spdx_version is not None:
        if head.spdx_version not in _SPDX_2:
            raise _refused(name, f"its format is {head.spdx_version!r:.40}")
        return _from_spdx(_SPDX.decode(content), name)
    inner = _attested(head, name)
    if inner is not None:
        return _read(inner, name, depth + 1)
    raise _refused(name, "it seems to be of SPDX 3" if head.graph is not None else "it names no format")


def _attested(head: _Head, name: str) -> bytes | None:
    """The document in an attestation, or the attestation in its envelope; `None` for what is neither."""
    if head.predicate_type is not None and bytes(head.predicate):
        told = head.predicate_type
        if not isinstance(told, str) or not told.startswith(PREDICATES):
            raise _refused(name, f"it attests {told!r:.80}")
        return bytes(head.predicate)
    if head.payload_type == "application/vnd.in-toto+json" and isinstance(head.payload, str):
        try:
            return base64.b64decode(head.payload, validate=True)
        except (binascii.Error, ValueError):
            raise _refused(name, "the payload of its envelope is no base64") from None
    return None


class _Reading:
    """What is found, in whatever format."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._packages: list[Package] = []
        self._unrecognised: list[Unrecognised] = []
        self._notes: list[str] = []
        self.distribution: Distribution | None = None

    def package(
        self, name: str, version: str, url: str, facts: Mapping[str, str], location: str = ""
    ) -> None:
        """Notes a package, or why it is none."""
        try:
            self._packages.append(listed(name, version, url, facts, location))
        except Unlisted as error:
            self._unrecognised.append(
                Unrecognised(
                    path=readable(location or url or f"{name} {version}".rstrip()), reason=str(error)
                )
            )

    def about(self, pairs: Iterator[tuple[str, str]]) -> None:
        """Takes over what the image could not be told."""
        for key, value in pairs:
            if key == f"{PREFIX}note":
                self._notes.append(value)
            elif key == f"{PREFIX}unrecognised":
                path, _, reason = value.partition(": ")
                self._unrecognised.append(Unrecognised(path=path, reason=reason))

    def finished(self) -> Inventory:
        """All of it, in order."""
        found = dict.fromkeys(self._packages)
        return Inventory(
            packages=tuple(sorted(found, key=lambda each: (each.owner.sort_key, each.location))),
            distribution=self.distribution or distribution_of(each.purl for each in found),
            unrecognised=tuple(sorted(set(self._unrecognised), key=lambda each: (each.path, each.reason))),
            notes=tuple(self._notes),
            document=self._name,
        )


def _distribution(
    name: str, version: str | None, description: str | None, facts: Mapping[str, str]
) -> Distribution:
    return Distribution(
        id=name.lower(),
        version_id=version or "",
        codename=facts.get(f"{PREFIX}codename", ""),
        id_like=tuple(facts.get(f"{PREFIX}id-like", "").split()),
        name=description or "",
    )


def _from_cyclonedx(bom: _Bom, name: str) -> Inventory:
    reading = _Reading(name)
    if bom.metadata is not None:
        reading.about((each.name, each.value) for each in bom.metadata.properties)
    todo = list(reversed(bom.components))
    if bom.metadata is not None and bom.metadata.component is not None:
        todo += reversed(bom.metadata.component.components)
    while todo:
        each = todo.pop()
        todo += reversed(each.components)
        facts = {one.name: one.value for one in each.properties}
        if each.type == "operating-system":
            reading.distribution = _distribution(each.name, each.version, each.description, facts)
        elif each.purl or f"{PREFIX}kind" in facts or each.type in {"library", "framework"}:
            separator = ":" if facts.get(f"{PREFIX}kind") == "java" else "/"
            full = f"{each.group}{separator}{each.name}" if each.group else each.name
            if (each.purl or "").partition("/")[0].removeprefix("pkg:") in IMAGES:
                continue
            places = each.evidence.occurrences if each.evidence is not None else ()
            location = places[0].location if places else ""
            reading.package(full, each.version or "", each.purl or "", facts, location)
    return reading.finished()


def _from_spdx(document: _Spdx, name: str) -> Inventory:
    reading = _Reading(name)
    for each in document.packages:
        pairs = [pair for note in each.annotations for pair in _lines(note.comment)]
        urls = [one.locator for one in each.references if one.type == "purl"]
        kinds = {url.partition("/")[0].removeprefix("pkg:") for url in urls}
        purpose = (each.purpose or "").replace("-", "_")
        if purpose == "OPERATING_SYSTEM":
            facts = dict(_lines(each.comment or ""))
            reading.distribution = _distribution(each.name, each.version, each.description, facts)
        elif purpose == "CONTAINER" or kinds & IMAGES:
            reading.about(iter(pairs))
        elif urls or f"{PREFIX}kind" in dict(pairs) or purpose == "LIBRARY":
            reading.package(each.name, each.version or "", urls[0] if urls else "", dict(pairs))
    return reading.finished()


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """The facts in a comment that this tool wrote."""
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals and key.startswith(PREFIX):
            yield key, value
