"""Asks a scanner for the known vulnerabilities of the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._checks.sharing import for_each
from hullmark._scanners import Missing, Trivy
from hullmark.model.outcome import Check, Ran, Skipped
from hullmark.model.vulnerability import Exposure

if TYPE_CHECKING:
    from hullmark._checks.run import Run
    from hullmark._scanners import Scanner
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service


def scan(run: Run) -> None:
    """Scans the image of every service that is checked."""
    scanner = Trivy(run.surroundings.commands, run.project.root)
    there = scanner.probe()

    def one(run: Run, service: Service) -> Outcome:
        if reason := run.failed_builds().get(service.name):
            return Skipped(reason=reason)
        if isinstance(there, Missing):
            return Skipped(reason=there.reason)
        return _scan_one(run, service, scanner)

    # One at a time: the first one fetches the database for all, and Trivy locks its cache.
    for_each(run, Check.SCAN, one, at_once=1)


def _scan_one(run: Run, service: Service, scanner: Scanner) -> Outcome:
    run.surroundings.progress.begin(Check.SCAN, service.name, "looking for known vulnerabilities")
    root, settings = run.project.root, run.project.settings.scan
    ignore_file = root / settings.ignore_file
    scanned = scanner.scan(
        service.image,
        service=service.name,
        report=root / settings.reports / f"{service.name}.json",
        ignore_file=ignore_file if ignore_file.is_file() else None,
    )
    if not scanned.recognised:
        return Skipped(reason="the scanner knows neither its distribution nor any of its packages")
    run.vulnerabilities += scanned.vulnerabilities
    origin = run.final_stage(service)
    exposures = (
        Exposure(vulnerability=found, fail_on=settings.fail_on, image=service.image, origin=origin)
        for found in scanned.vulnerabilities
    )
    return Ran(findings=tuple(f for exposure in exposures for f in apply(exposure, service.name)))
