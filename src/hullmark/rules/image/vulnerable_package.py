"""Package with a known vulnerability.

What it checks
    The packages of the image, of its distribution and of programming languages, as the scanner knows them. A
    vulnerability at or above `fail-on` of `[scan]` is an error. Otherwise one that is high or critical and has been
    fixed is a warning, and any other a note.

Why it matters
    Somebody has published how to attack this version of the package.

How to fix
    Where a fixed version exists, upgrade to it: rebuild on a newer base image for packages of the distribution,
    raise the requirement for those of a language. What cannot be reached is named, with the reason, in
    `.trivyignore`:

        CVE-2023-12345    # false positive: function not reachable
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
        seen=f"{found.package} {found.installed}{where}: {found.id} ({found.severity}, {found.status})",
        expected=f"{found.package} {found.fixed} or newer"
        if found.fixed
        else "a version without it; none is released",
        remedy=(
            f"upgrade {found.package} to {found.fixed}"
            if found.fixed
            else f"wait for a fix, or name {found.id} in the ignore file with the reason"
        ),
        severity=_severity(exposure),
        key=f"{found.id} {found.package} {found.path}",
    )


def _severity(exposure: Exposure) -> Severity:
    rank = SEVERITIES.index(exposure.vulnerability.severity)
    if exposure.fail_on != "never" and rank >= SEVERITIES.index(exposure.fail_on):
        return Severity.ERROR
    if exposure.vulnerability.fixed and rank >= SEVERITIES.index("high"):
        return Severity.WARNING
    return Severity.NOTE
