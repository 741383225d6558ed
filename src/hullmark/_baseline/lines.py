"""A baseline as a file for git: one fact on each line, in an order that changes with nothing but the facts.

The first line says which version of the format it is. Each line is a JSON array that begins with the kind of the fact;
two runs over the same images and files write the same bytes, and a change of one thing changes the lines about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hullmark._baseline.packages import package
from hullmark.errors import ConfigurationError
from hullmark.model.baseline import Baseline, KnownFinding, KnownImage, KnownVulnerability
from hullmark.model.difference import Contents, Holding, LayerSize
from hullmark.model.inventory import Distribution, Inventory
from hullmark.model.outcome import Check  # msgspec reads the annotations
from hullmark.model.owner import OwnerKind  # noqa: TC001  # as above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "hullmark/baseline/1"
LARGEST = 64 << 20
"""Bytes of a file that is read."""
_FIRST = msgspec.json.encode([FORMAT])

_Bytes = Annotated[int, msgspec.Meta(ge=0)]
_ARRAY: dict[str, Any] = {"array_like": True, "frozen": True, "forbid_unknown_fields": True}


class _Looked(msgspec.Struct, tag="looked", **_ARRAY):
    service: str
    """Empty for the whole project."""
    check: Check


class _Image(msgspec.Struct, tag="image", **_ARRAY):
    service: str
    reference: str
    platform: str


class _Size(msgspec.Struct, tag="size", **_ARRAY):
    service: str
    name: str
    bytes: _Bytes


class _Setting(msgspec.Struct, tag="setting", **_ARRAY):
    service: str
    name: str
    value: str


class _Layer(msgspec.Struct, tag="layer", **_ARRAY):
    service: str
    number: _Bytes
    diff_id: str
    bytes: _Bytes
    instruction: str


class _Owner(msgspec.Struct, tag="owner", **_ARRAY):
    service: str
    kind: OwnerKind
    name: str
    version: str
    bytes: _Bytes
    files: _Bytes


class _System(msgspec.Struct, tag="system", **_ARRAY):
    service: str
    id: str
    """Empty where nothing says which distribution it is."""
    version_id: str
    codename: str
    id_like: tuple[str, ...]
    name: str


class _Package(msgspec.Struct, tag="package", **_ARRAY):
    service: str
    kind: OwnerKind
    name: str
    version: str
    location: str
    source: str
    source_version: str
    maintainer: str
    purl: str
    part_of: tuple[OwnerKind, str, str] | None = None


class _Finding(msgspec.Struct, tag="finding", **_ARRAY):
    service: str
    """Empty for one that is about none."""
    rule: str
    fingerprint: str
    severity: str
    check: str


class _Vulnerability(msgspec.Struct, tag="vulnerability", **_ARRAY):
    service: str
    package: str
    id: str
    installed: str
    severity: str
    aliases: tuple[str, ...]


_Fact = _Looked | _Image | _Size | _Setting | _Layer | _Owner | _System | _Package | _Finding | _Vulnerability
_ORDER = (
    _Looked,
    _Image,
    _Size,
    _Setting,
    _Layer,
    _Owner,
    _System,
    _Package,
    _Finding,
    _Vulnerability,
)
_SIZES = ("transfer", "unpacked", "visible")

# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER: msgspec.json.Decoder[_Fact] = msgspec.json.Decoder(_Fact)


def write(baseline: Baseline) -> bytes:
    """The lines of a baseline."""
    facts = sorted(set(_facts(baseline)), key=_place)
    return b"".join(line + b"\n" for line in (_FIRST, *(msgspec.json.encode(fact) for fact in facts)))


def _place(fact: _Fact) -> tuple[str, int, int, bytes]:
    number = fact.number if isinstance(fact, _Layer) else 0
    return (fact.service, _ORDER.index(type(fact)), number, msgspec.json.encode(fact))


def _facts(baseline: Baseline) -> Iterator[_Fact]:
    for check, service in baseline.looked:
        yield _Looked(service or "", Check(check))
    for image in baseline.images:
        yield from _of_image(image)
    for service, listed in baseline.listed:
        yield from _of_inventory(service, listed)
    for finding in baseline.findings:
        yield _Finding(
            finding.service or "", finding.rule, finding.fingerprint, finding.severity, finding.check
        )
    for each in baseline.vulnerabilities:
        yield _Vulnerability(
            each.service, each.package, each.id, each.installed, each.severity, tuple(sorted(each.aliases))
        )


def _of_image(image: KnownImage) -> Iterator[_Fact]:
    service, held = image.service, image.contents
    yield _Image(service, held.reference, image.platform)
    for name in _SIZES:
        size = getattr(held, name)
        if size is not None:
            yield _Size(service, name, size)
    for name, value in held.settings or ():
        yield _Setting(service, name, value)
    for number, layer in enumerate(held.layers):
        yield _Layer(service, number, layer.diff_id, layer.unpacked, layer.text)
    for owner in held.holdings or ():
        yield _Owner(service, owner.kind, owner.name, owner.version, owner.bytes, owner.files)
    if image.inventory is not None:
        yield from _of_inventory(service, image.inventory)


def _of_inventory(service: str, listed: Inventory) -> Iterator[_Fact]:
    system = listed.distribution or Distribution(id="")
    yield _System(service, system.id, system.version_id, system.codename, system.id_like, system.name)
    for each in listed.packages:
        part_of = each.part_of
        yield _Package(
            service,
            each.owner.kind,
            each.owner.name,
            each.owner.version,
            each.location,
            each.source,
            each.source_version,
            each.maintainer,
            each.purl,
            None if part_of is None else (part_of.kind, part_of.name, part_of.version),
        )


def is_baseline(content: bytes) -> bool:
    """Whether `content` begins as a baseline does, of whatever version."""
    return content.startswith(b'["hullmark/baseline/')


def read(content: bytes, name: str) -> Baseline:
    """The baseline that `write` has made of it; messages call it `name`. One without any fact stands for none yet.

    Raises `ConfigurationError`, with the line, for anything else.
    """
    if len(content) > LARGEST:
        raise ConfigurationError([f"{name}: more than {LARGEST >> 20} MiB, which no baseline has"])
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.startswith((b"<<<<<<< ", b">>>>>>> ")):
            raise ConfigurationError(
                [f"{name}:{number}: a merge has left its conflict here"],
                hint="take either side as a whole, and let `hullmark baseline save` write it anew",
            )
    if lines[0].rstrip(b"\r") != _FIRST:
        what = lines[0][:60].decode("utf-8", "replace")
        raise ConfigurationError(
            [f"{name}:1: no baseline of this version; expected {_FIRST.decode()}, got `{what}`"],
            hint="`hullmark baseline save` writes it",
        )
    facts: list[_Fact] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            facts.append(_DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigurationError([f"{name}:{number}: no fact of a baseline: {error}"]) from error
    return _baseline(facts, name) if facts else Baseline(name=name, first=True)


def _baseline(facts: Iterable[_Fact], name: str) -> Baseline:
    by_service: dict[str, list[_Fact]] = {}
    seen = set[_Fact]()
    for fact in facts:
        # Two branches that were merged may have brought the same line.
        if fact not in seen:
            seen.add(fact)
            by_service.setdefault(fact.service, []).append(fact)
    images = tuple(
        _image(service, held, name)
        for service, held in sorted(by_service.items())
        if any(isinstance(fact, _Image) for fact in held)
    )
    measured = {image.service for image in images}
    listed = (
        (service, _inventory(held)) for service, held in sorted(by_service.items()) if service not in measured
    )
    every = [fact for held in by_service.values() for fact in held]
    return Baseline(
        name=name,
        images=images,
        listed=tuple((service, each) for service, each in listed if each is not None),
        looked=frozenset((fact.check, fact.service or None) for fact in every if isinstance(fact, _Looked)),
        findings=tuple(
            KnownFinding(
                fingerprint=fact.fingerprint,
                rule=fact.rule,
                severity=fact.severity,
                service=fact.service or None,
                check=fact.check,
            )
            for fact in every
            if isinstance(fact, _Finding)
        ),
        vulnerabilities=tuple(
            KnownVulnerability(
                service=fact.service,
                id=fact.id,
                aliases=fact.aliases,
                package=fact.package,
                installed=fact.installed,
                severity=fact.severity,
            )
            for fact in every
            if isinstance(fact, _Vulnerability)
        ),
    )


def _image(service: str, facts: list[_Fact], name: str) -> KnownImage:
    images = [fact for fact in facts if isinstance(fact, _Image)]
    sizes = {fact.name: fact.bytes for fact in facts if isinstance(fact, _Size)}
    several = len(images) > 1 or len(sizes) < sum(isinstance(fact, _Size) for fact in facts)
    if several or "unpacked" not in sizes or not set(sizes) <= set(_SIZES):
        what = "two images" if several else f"sizes called {', '.join(sorted(sizes)) or 'nothing'}"
        raise ConfigurationError(
            [f"{name}: of service `{service}` it has {what}; expected one image with its `unpacked` size"],
            hint="was it put together of two by a merge? `hullmark baseline save` writes it anew",
        )
    owners = [fact for fact in facts if isinstance(fact, _Owner)]
    layers = sorted((fact for fact in facts if isinstance(fact, _Layer)), key=lambda fact: fact.number)
    contents = Contents(
        reference=images[0].reference,
        unpacked=sizes["unpacked"],
        visible=sizes.get("visible"),
        transfer=sizes.get("transfer"),
        settings=tuple(sorted((fact.name, fact.value) for fact in facts if isinstance(fact, _Setting)))
        or None,
        layers=tuple(
            LayerSize(diff_id=fact.diff_id, unpacked=fact.bytes, text=fact.instruction) for fact in layers
        ),
        holdings=tuple(
            Holding(kind=fact.kind, name=fact.name, version=fact.version, bytes=fact.bytes, files=fact.files)
            for fact in owners
        )
        or None,
    )
    return KnownImage(
        service=service,
        contents=contents,
        platform=images[0].platform,
        inventory=_inventory(facts),
    )


def _inventory(facts: list[_Fact]) -> Inventory | None:
    system = next((fact for fact in facts if isinstance(fact, _System)), None)
    if system is None:
        return None
    return Inventory(
        packages=tuple(package(fact) for fact in facts if isinstance(fact, _Package)),
        distribution=Distribution(
            id=system.id,
            version_id=system.version_id,
            codename=system.codename,
            id_like=system.id_like,
            name=system.name,
        )
        if system.id
        else None,
    )
