"""What a JSON report tells a later run that is compared with it."""

from __future__ import annotations

from collections import Counter

import msgspec

from hullmark._baseline.packages import package
from hullmark._contents.kept_image import KeptImage, contents
from hullmark._scanners.policy import HEADERS
from hullmark.errors import ConfigurationError
from hullmark.model.baseline import Baseline, KnownFinding, KnownImage, KnownVulnerability
from hullmark.model.inventory import Distribution, Inventory  # noqa: TC001  # msgspec reads the annotations
from hullmark.model.owner import OwnerKind  # noqa: TC001  # as above

_SCHEMA = "hullmark/report/1"


class _Outcome(msgspec.Struct):
    check: str
    status: str
    service: str | None = None


class _Finding(msgspec.Struct):
    rule: str
    severity: str
    fingerprint: str
    service: str | None = None
    check: str | None = None


class _Image(KeptImage, kw_only=True):
    platform: str


class _Vulnerability(msgspec.Struct):
    id: str
    package: str
    installed: str
    severity: str
    service: str
    aliases: tuple[str, ...] = ()
    held: str | None = None


class _SetAside(msgspec.Struct):
    id: str
    package: str
    installed: str
    severity: str


class _Package(msgspec.Struct):
    kind: OwnerKind
    name: str
    version: str
    source: str = ""
    source_version: str = ""
    architecture: str = ""
    location: str = ""
    purl: str = ""
    maintainer: str = ""
    part_of: tuple[OwnerKind, str, str] | None = None


class _Scan(msgspec.Struct):
    set_aside: list[_SetAside] = []
    system: Distribution | None = None
    inventory: list[_Package] | None = None


class _Report(msgspec.Struct):
    schema: str
    outcomes: list[_Outcome]
    findings: list[_Finding]
    images: dict[str, _Image] = {}
    vulnerabilities: list[_Vulnerability] = []
    scans: dict[str, _Scan] = {}


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Report)


def of_report(content: bytes, name: str) -> Baseline:
    """The baseline that the JSON report `content` is, called `name` in messages and for people.

    Raises `ConfigurationError` for anything else.
    """
    try:
        report = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError([f"{name}: neither a baseline nor a report of checks: {error}"]) from error
    if report.schema != _SCHEMA:
        raise ConfigurationError(
            [f"{name}: no report of checks; expected `{_SCHEMA}`, got `{report.schema[:60]}`"]
        )
    vulnerabilities = [
        KnownVulnerability(
            service=each.service,
            id=each.id,
            aliases=each.aliases,
            package=each.package,
            installed=each.installed,
            severity=each.severity,
        )
        for each in report.vulnerabilities
        # There are thousands of these, which nobody is told of.
        if each.held != HEADERS
    ]
    vulnerabilities += [
        KnownVulnerability(
            service=service,
            id=each.id,
            aliases=(),
            package=each.package,
            installed=each.installed,
            severity=each.severity,
        )
        for service, scan in report.scans.items()
        for each in scan.set_aside
    ]
    listed = (
        (service, _inventory(scan))
        for service, scan in sorted(report.scans.items())
        if service not in report.images
    )
    return Baseline(
        name=name,
        listed=tuple((service, each) for service, each in listed if each is not None),
        images=tuple(
            KnownImage(
                service=service,
                contents=contents(image, name),
                platform=image.platform,
                inventory=_inventory(report.scans.get(service)),
            )
            for service, image in sorted(report.images.items())
        ),
        findings=_findings(report.findings),
        vulnerabilities=tuple(vulnerabilities),
        looked=frozenset((each.check, each.service) for each in report.outcomes if each.status == "ran"),
    )


def _findings(findings: list[_Finding]) -> tuple[KnownFinding, ...]:
    """In the order of the report, which is that in which `numbered` goes through them."""
    seen: Counter[str] = Counter()
    known = []
    for each in findings:
        seen[each.fingerprint] += 1
        known.append(
            KnownFinding(
                fingerprint=f"{each.fingerprint}:{seen[each.fingerprint]}",
                rule=each.rule,
                severity=each.severity,
                service=each.service,
                check=each.check or "",
            )
        )
    return tuple(known)


def _inventory(scan: _Scan | None) -> Inventory | None:
    if scan is None or scan.inventory is None:
        return None
    return Inventory(
        packages=tuple(package(each, each.architecture) for each in scan.inventory), distribution=scan.system
    )
