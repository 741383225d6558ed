"""Package with a known vulnerability.

What it checks
    The packages of the image, of its distribution and of programming languages, as the scanner knows them. A
    vulnerability at or above `fail-on` of `[scan]` is an error. Otherwise one that is high or critical and has been
    fixed is a warning, and any other a note. One that was disclosed within the `grace` of `[scan]` is a note, too. What
    has no fix, and what only headers of the kernel have, is counted and no finding; see `fixable` and `kernel-headers`.

Why it matters
    Somebody has published how to attack this version of the package.

How to fix
    Where a fixed version exists, upgrade to it: rebuild on a newer base image for packages of the distribution,
    raise the requirement for those of a language; each finding names the one change. What cannot be reached is named in
    `hullmark.toml` with the reason and the last day of that, or in `.trivyignore`, or in a VEX document:

        [[scan.ignore]]
        id = "CVE-2023-12345"
        reason = "the function is never called"
        expires = 2027-06-30
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.location import ServicePlace
from hullmark.model.rule import rule
from hullmark.model.vulnerability import SEVERITIES, Exposure


@rule(summary="package has a known vulnerability", severity=Severity.NOTE, since="0.1")
def vulnerable_package(exposure: Exposure) -> Iterator[Observation]:
    found = exposure.vulnerability
    where = f" in {found.path}" if found.path else ""
    yield Observation(
        location=exposure.origin or ServicePlace(service=found.service),
        seen=f"{found.package} {found.installed}{where}: {found.id} ({', '.join(_facts(exposure))})",
        expected=f"{found.package} {found.fixed} or newer"
        if found.fixed
        else "a version without it; none is released",
        remedy=(
            found.remedy or f"upgrade {found.package} to {found.fixed}"
            if found.fixed
            else f"wait for a fix, or name {found.id} in the ignore file with the reason"
        ),
        severity=_severity(exposure),
        key=f"{found.id} {found.package} {found.path}",
    )


def _facts(exposure: Exposure) -> Iterator[str]:
    found = exposure.vulnerability
    yield f"{found.severity} by {found.ratings[0].source}" if found.ratings else found.severity
    yield "a fix is there" if found.status == "fixed" else found.status.replace("_", " ")
    if found.exploited:
        yield "known to be exploited"
    if found.likelihood is not None:
        yield f"EPSS {found.likelihood:.2f}"
    if exposure.grace is not None:
        yield f"disclosed {found.published[:10]}, does not fail until {exposure.grace}"
    if found.base:
        yield f"came with {found.base}"


def _severity(exposure: Exposure) -> Severity:
    rank = SEVERITIES.index(exposure.vulnerability.severity)
    if exposure.grace is not None:
        return Severity.NOTE
    if exposure.fail_on != "never" and rank >= SEVERITIES.index(exposure.fail_on):
        return Severity.ERROR
    if exposure.vulnerability.fixed and rank >= SEVERITIES.index("high"):
        return Severity.WARNING
    return Severity.NOTE
