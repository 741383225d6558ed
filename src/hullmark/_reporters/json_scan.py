"""Vulnerabilities and how they were looked for, in the JSON report, version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark._reporters.json_baseline import standing

if TYPE_CHECKING:
    from hullmark.model.owner import Package
    from hullmark.model.scan import ScanSummary
    from hullmark.model.vulnerability import Vulnerability


class VulnerabilityV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known vulnerability of one installed package."""

    id: str
    aliases: list[str]
    package: str
    path: str | None
    installed: str
    fixed: str | None
    severity: str
    service: str
    layer: str | None
    instruction: str | None
    """The step that brought the package."""
    origin: str | None
    """The base image that the package came with; null for what the project brought."""
    status: str
    ecosystem: str | None
    packages: list[str]
    """The packages that have it: binary packages of the source package, or one package at several places."""
    ratings: list[RatingV1]
    """By every source, the one that decides first."""
    published: str | None
    exploited: bool | None
    likelihood: float | None
    seen_by: list[str]
    """The scanners that know of it."""
    held: str | None
    """Why it does not count as a finding."""
    remedy: str | None
    standing: Literal["introduced", "disclosed", "known"] | None
    """How it stands to the baseline; null where there is none."""


class RatingV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How severe one source calls a vulnerability."""

    severity: str
    scale: str
    source: str
    record: str
    score: float | None
    vector: str | None


class ScannerV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scanner that has looked for vulnerabilities."""

    name: str
    version: str
    digest: str | None
    """Of its program, or of the image that holds it."""
    found: int
    alone: int
    """How many of these no other scanner knows of."""


class CoverageV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was looked up in one ecosystem."""

    ecosystem: str
    packages: int
    records: int
    fetched: str | None
    reason: str | None
    """Why nothing was looked up."""
    newest: str | None = None
    """When the record was changed that was changed last."""
    as_of: str | None = None
    """The moment that the database has everything of."""


class AdviceV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change, and how many vulnerabilities it takes away."""

    text: str
    fixes: int


class SetAsideV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vulnerability that was found and is ignored."""

    id: str
    package: str
    installed: str
    severity: str
    reason: str


class SystemV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The distribution of an image, as its `os-release` has it."""

    id: str
    version_id: str
    codename: str
    id_like: list[str]
    name: str


class PackageV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One package that was looked up; what is empty is not known."""

    kind: str
    name: str
    version: str
    source: str
    source_version: str
    architecture: str
    location: str
    purl: str
    maintainer: str
    part_of: tuple[str, str, str] | None
    """Kind, name and version of the package that it came in."""


class ScanV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one image was scanned for vulnerabilities."""

    distribution: str | None
    packages: dict[str, int]
    """How many of each kind are in the image."""
    scanners: list[ScannerV1]
    coverage: list[CoverageV1]
    unrecognised: dict[str, str]
    """Files whose software could not be named, with the reason."""
    advice: list[AdviceV1]
    held: dict[str, int]
    """Why vulnerabilities do not count, and how many."""
    set_aside: list[SetAsideV1]
    notes: list[str]
    system: SystemV1 | None
    inventory: list[PackageV1]


def vulnerability(found: Vulnerability) -> VulnerabilityV1:
    """One vulnerability as it is written."""
    return VulnerabilityV1(
        id=found.id,
        aliases=list(found.aliases),
        package=found.package,
        path=found.path or None,
        installed=found.installed,
        fixed=found.fixed,
        severity=found.severity,
        service=found.service,
        layer=found.layer,
        instruction=str(found.origin) if found.origin else None,
        origin=found.base or None,
        status=found.status,
        ecosystem=found.ecosystem or None,
        packages=[str(holder.owner) for holder in found.holders],
        ratings=[
            RatingV1(
                severity=each.severity,
                scale=str(each.scale),
                source=each.source,
                record=each.record,
                score=each.score,
                vector=each.vector or None,
            )
            for each in found.ratings
        ],
        published=found.published or None,
        exploited=found.exploited,
        likelihood=found.likelihood,
        seen_by=list(found.seen_by),
        held=found.held or None,
        remedy=found.remedy or None,
        standing=standing(found.standing),
    )


def scan_of(scan: ScanSummary) -> ScanV1:
    """One scan as it is written."""
    return ScanV1(
        distribution=scan.distribution or None,
        packages=dict(scan.packages),
        scanners=[
            ScannerV1(
                name=each.name,
                version=each.version,
                digest=each.digest or None,
                found=each.found,
                alone=each.alone,
            )
            for each in scan.scanners
        ],
        coverage=[
            CoverageV1(
                ecosystem=each.ecosystem,
                packages=each.packages,
                records=each.records,
                fetched=each.fetched or None,
                reason=each.reason or None,
                newest=each.newest or None,
                as_of=each.as_of or None,
            )
            for each in scan.coverage
        ],
        unrecognised={each.path: each.reason for each in scan.unrecognised},
        advice=[AdviceV1(text=each.text, fixes=each.fixes) for each in scan.advice],
        held=dict(scan.held),
        set_aside=[
            SetAsideV1(
                id=each.vulnerability.id,
                package=each.vulnerability.package,
                installed=each.vulnerability.installed,
                severity=each.vulnerability.severity,
                reason=each.reason,
            )
            for each in scan.set_aside
        ],
        notes=list(scan.notes),
        system=_system(scan),
        inventory=[] if scan.inventory is None else [_package(each) for each in scan.inventory.packages],
    )


def _system(scan: ScanSummary) -> SystemV1 | None:
    system = None if scan.inventory is None else scan.inventory.distribution
    if system is None:
        return None
    return SystemV1(
        id=system.id,
        version_id=system.version_id,
        codename=system.codename,
        id_like=list(system.id_like),
        name=system.name,
    )


def _package(package: Package) -> PackageV1:
    part_of = package.part_of
    return PackageV1(
        kind=str(package.owner.kind),
        name=package.owner.name,
        version=package.owner.version,
        source=package.source,
        source_version=package.source_version,
        architecture=package.architecture,
        location=package.location,
        purl=package.purl,
        maintainer=package.maintainer,
        part_of=None if part_of is None else (str(part_of.kind), part_of.name, part_of.version),
    )
