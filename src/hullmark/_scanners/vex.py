"""Reads VEX documents, in OpenVEX and CycloneDX: who made software says which vulnerabilities do not affect it."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING

import msgspec

from hullmark._scanners.suppressions import Suppression, image_name, is_of_image, parsed
from hullmark.errors import ConfigurationError
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNHARMED = frozenset({"not_affected", "fixed"})
_ANALYSED = frozenset({"not_affected", "false_positive", "resolved", "resolved_with_pedigree"})


class _Component(msgspec.Struct):
    id: str = msgspec.field(name="@id", default="")
    identifiers: dict[str, str] = {}

    @property
    def purl(self) -> str:
        return self.identifiers.get("purl") or self.id


class _Product(msgspec.Struct):
    id: str = msgspec.field(name="@id", default="")
    identifiers: dict[str, str] = {}
    subcomponents: list[_Component] = []

    @property
    def purl(self) -> str:
        return self.identifiers.get("purl") or self.id


class _Named(msgspec.Struct):
    name: str = ""
    id: str = msgspec.field(name="@id", default="")
    aliases: list[str] = []


class _Statement(msgspec.Struct):
    vulnerability: _Named
    status: str
    timestamp: str = ""
    products: list[_Product] = []
    justification: str = ""
    impact_statement: str = ""


class _OpenVex(msgspec.Struct):
    statements: list[_Statement]
    timestamp: str = ""


class _Part(msgspec.Struct):
    ref: str = msgspec.field(name="bom-ref", default="")
    type: str = ""
    name: str = ""
    purl: str = ""
    components: list[_Part] = []


class _Analysis(msgspec.Struct):
    state: str = ""
    justification: str = ""
    detail: str = ""


class _Affects(msgspec.Struct):
    ref: str


class _Entry(msgspec.Struct):
    id: str
    analysis: _Analysis | None = None
    affects: list[_Affects] = []


class _Metadata(msgspec.Struct):
    component: _Part | None = None


class _CycloneDx(msgspec.Struct):
    bomFormat: str  # noqa: N815  # the document's name
    vulnerabilities: list[_Entry] = []
    components: list[_Part] = []
    metadata: _Metadata | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_OPENVEX = msgspec.json.Decoder(_OpenVex)
_CYCLONEDX = msgspec.json.Decoder(_CycloneDx)


def read_vex(text: str, file: str) -> Iterator[Suppression]:
    """The statements of a document that an image is not affected; raises `ConfigurationError` for any other format."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            [f"{file}: this is no JSON; expected a document in OpenVEX or CycloneDX"]
        ) from error
    keys = document if isinstance(document, dict) else {}
    context = keys.get("@context")
    try:
        if isinstance(context, str) and "openvex" in context:
            yield from _open_vex(_OPENVEX.decode(text), text, file)
        elif keys.get("bomFormat") == "CycloneDX":
            yield from _cyclone_dx(_CYCLONEDX.decode(text), text, file)
        elif isinstance(keys.get("document"), dict) and "csaf_version" in keys["document"]:
            raise ConfigurationError(
                [f"{file}: CSAF is not read; take the document in OpenVEX or CycloneDX, or convert it"]
            )
        else:
            raise ConfigurationError([f"{file}: expected a document in OpenVEX or CycloneDX"])
    except msgspec.DecodeError as error:
        raise ConfigurationError([f"{file}: {error}"]) from error


def _open_vex(document: _OpenVex, text: str, file: str) -> Iterator[Suppression]:
    last: dict[tuple[str, str, str], int] = {}
    dated = sorted(document.statements, key=lambda each: _when(each.timestamp or document.timestamp))
    # What was said last of a vulnerability in a product replaces what was said before, wherever it stands.
    for number, each in enumerate(dated):
        for product in each.products or [_Product()]:
            for part in product.subcomponents or [_Component()]:
                last[min(_names(each, file)), product.purl, part.purl] = number
    parts: dict[tuple[int, str], list[str]] = {}
    for (_, product_purl, part_purl), number in last.items():
        parts.setdefault((number, product_purl), []).append(part_purl)
    for (number, product_purl), purls in parts.items():
        each = dated[number]
        if each.status not in _UNHARMED:
            continue
        of_image = is_of_image(product_purl)
        names = _names(each, file)
        yield Suppression(
            names=names,
            span=_span(text, file, min(names)),
            reason=each.impact_statement or each.justification or each.status,
            purls=tuple(filter(None, purls)) or (() if of_image or not product_purl else (product_purl,)),
            product=product_purl if of_image else "",
            statement=True,
        )


def _names(each: _Statement, file: str) -> frozenset[str]:
    """What the vulnerability of a statement is called."""
    named = each.vulnerability
    names = frozenset({named.name or named.id.rpartition("/")[2], *named.aliases} - {""})
    if not names:
        raise ConfigurationError([f"{file}: a statement names no vulnerability"])
    return names


def _when(text: str) -> dt.datetime:
    """When a statement was made; one that does not say it was made before all others."""
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _cyclone_dx(document: _CycloneDx, text: str, file: str) -> Iterator[Suppression]:
    purls = dict(_parts(document.components))
    own = document.metadata.component if document.metadata else None
    for each in document.vulnerabilities:
        if each.analysis is None or each.analysis.state not in _ANALYSED:
            continue
        # A reference from another document ends with what it is called there.
        refs = [
            ref.ref.rpartition("#")[2] if ref.ref.startswith("urn:cdx:") else ref.ref for ref in each.affects
        ]
        packages = [purls.get(ref, ref) for ref in refs if own is None or ref != own.ref]
        known = [purl for purl in packages if parsed(purl) is not None]
        yield Suppression(
            names=frozenset({each.id}),
            span=_span(text, file, each.id),
            reason=each.analysis.detail or each.analysis.justification or each.analysis.state,
            # A reference that leads nowhere matches nothing, and is reported for that.
            purls=tuple(known) or tuple(packages),
            product=_image(own),
            statement=True,
        )


def _image(own: _Part | None) -> str:
    """The package URL of the image that a document is about, empty where it is about none."""
    if own is None:
        return ""
    if own.purl:
        return own.purl if is_of_image(own.purl) else ""
    name = image_name(own.name)
    return f"pkg:oci/{name}" if own.type == "container" and name else ""


def _parts(components: list[_Part]) -> Iterator[tuple[str, str]]:
    for each in components:
        if each.ref and each.purl:
            yield each.ref, each.purl
        yield from _parts(each.components)


def _span(text: str, file: str, name: str) -> SourceSpan:
    """Where a document speaks of a vulnerability first."""
    # A longer number may begin alike.
    place = re.search(rf"{re.escape(name)}(?![0-9A-Za-z])", text)
    return SourceSpan(path=file, line=text.count("\n", 0, place.start()) + 1 if place else 1)
