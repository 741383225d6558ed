"""How a run stands to its baseline: which findings and vulnerabilities came with the change, and which are gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from hullmark.model.baseline import Comparison, Standing
from hullmark.model.finding import numbered
from hullmark.model.outcome import Check, Ran, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullmark.model.baseline import Baseline, KnownFinding, KnownVulnerability
    from hullmark.model.difference import Difference
    from hullmark.model.finding import Finding
    from hullmark.model.inventory import Inventory
    from hullmark.model.outcome import CheckResult
    from hullmark.model.owner import Package
    from hullmark.model.scan import ScanSummary
    from hullmark.model.vulnerability import Match, Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What of the vulnerabilities of one service was there before the change."""

    known: tuple[KnownVulnerability, ...]
    """What a scan of that time found."""
    scanned: bool
    matched: tuple[Match, ...]
    """What the records of today say of the packages of that time."""
    packages: frozenset[tuple[str, str, str]]
    """Kind, name and version of what was in the image."""
    first: bool = False
    """Whether there was no image then: what there is now is what others will be compared with."""

    def standing(self, found: Vulnerability) -> Standing:
        """How a vulnerability that is found now stands to that."""
        if self.first or any(
            each.package == found.package and each.names & found.names for each in self.known
        ):
            return Standing.KNOWN
        if self._was_there(found):
            # Without a scan of that time nobody can say since when it has been known.
            return Standing.DISCLOSED if self.scanned else Standing.KNOWN
        return Standing.INTRODUCED

    def _was_there(self, found: Vulnerability) -> bool:
        here = {found.package, *_called(found.holders)}
        if any(found.names & {each.id, *each.aliases} for each in self.matched if here & _names(each)):
            return True
        owners = {(str(each.owner.kind), each.owner.name, each.owner.version) for each in found.holders}
        # The same package in the same version has it, whoever says so.
        return bool(owners) and owners <= self.packages


def _called(packages: Iterable[Package]) -> Iterator[str]:
    return chain.from_iterable((each.owner.name, each.source) for each in packages if each.owner.name)


def _names(match: Match) -> set[str]:
    return {match.package, *_called(match.installed)}


def before(
    baseline: Baseline, service: str, match: Callable[[Inventory], tuple[Match, ...]]
) -> Before | None:
    """What was there of the vulnerabilities of `service`; `match` looks an inventory up in the records of today.

    `None` where the baseline tells nothing of that.
    """
    if baseline.first:
        return Before(known=(), scanned=False, matched=(), packages=frozenset(), first=True)
    scanned = baseline.has_looked(Check.SCAN, service)
    known = tuple(each for each in baseline.vulnerabilities if each.service == service)
    listed = baseline.inventory(service)
    if baseline.image(service) is None and listed is None and not scanned:
        # Of a project whose images are known it is a service that was not there, unless something was looked at of it.
        there = any(of == service for _, of in baseline.looked)
        if there or (not baseline.images and not baseline.listed):
            return None
        return Before(known=(), scanned=False, matched=(), packages=frozenset(), first=True)
    if listed is None and not scanned:
        return None
    return Before(
        known=known,
        scanned=scanned,
        matched=() if listed is None else match(listed),
        packages=frozenset()
        if listed is None
        else frozenset(
            (str(each.owner.kind), each.owner.name, each.owner.version) for each in listed.packages
        ),
    )


def with_standings(results: Sequence[CheckResult], baseline: Baseline) -> list[CheckResult]:
    """`results` with findings that say how they stand to `baseline`; those that do already keep that.

    A finding of a check that had not been made then has no standing: nobody knows whether it was there.
    """
    checks = {id(finding): result for result in results for finding in result.findings}
    known = {each.fingerprint for each in baseline.findings}
    standings: dict[int, Standing | None] = {}
    for finding, name in numbered(finding for result in results for finding in result.findings):
        result = checks[id(finding)]
        standings[id(finding)] = finding.standing or _standing(baseline, known, result, finding, name)
    return [_with(result, standings) for result in results]


def _standing(
    baseline: Baseline, known: set[str], result: CheckResult, finding: Finding, name: str
) -> Standing | None:
    if baseline.first or name in known:
        return Standing.KNOWN
    service = finding.service if result.service is None else result.service
    if service is None:
        return Standing.INTRODUCED if _made(baseline, result.check) else None
    looked = baseline.has_looked(result.check, service)
    # A service that was not there then has nothing that was there.
    new = not any(of == service for _, of in baseline.looked)
    return Standing.INTRODUCED if looked or (new and _made(baseline, result.check)) else None


def _made(baseline: Baseline, check: Check) -> bool:
    """Whether `check` had been made of anything."""
    return any(made == check for made, _ in baseline.looked)


def _with(result: CheckResult, standings: Mapping[int, Standing | None]) -> CheckResult:
    outcome = result.outcome
    if isinstance(outcome, Skipped):
        return result
    findings = tuple(replace(finding, standing=standings[id(finding)]) for finding in outcome.findings)
    return replace(result, outcome=replace(outcome, findings=findings))


def compare(
    baseline: Baseline,
    results: Sequence[CheckResult],
    *,
    aside: Iterable[Finding],
    vulnerabilities: Iterable[Vulnerability],
    scans: Sequence[ScanSummary],
    images: Mapping[str, Difference],
    services: Iterable[str],
    new_only: bool,
) -> Comparison:
    """What there is to say of the run as a whole; `aside` is what was found and is ignored."""
    every = [finding for result in results for finding in result.findings]
    here = {name for _, name in numbered((*every, *aside))}
    looked = {(result.check, result.service) for result in results if isinstance(result.outcome, Ran)}
    services = tuple(services)
    return Comparison(
        name=baseline.name,
        first=baseline.first,
        new_only=new_only,
        fixed=tuple(
            sorted(
                (each for each in baseline.findings if each.fingerprint not in here and _seen(each, looked)),
                key=lambda each: (each.rule, each.service or "", each.fingerprint),
            )
        ),
        gone=tuple(_gone(baseline, vulnerabilities, scans, looked)),
        images=tuple(sorted(images.items())),
        notes=tuple(_notes(baseline, results, services)),
    )


def _seen(known: KnownFinding, looked: set[tuple[Check, str | None]]) -> bool:
    """Whether the check that would find it again was made; that of vulnerabilities tells of them itself."""
    if known.check == Check.SCAN:
        return False
    if known.service is None:
        return any(check == known.check for check, _ in looked)
    return any(check == known.check and service in {known.service, None} for check, service in looked)


def _gone(
    baseline: Baseline,
    vulnerabilities: Iterable[Vulnerability],
    scans: Sequence[ScanSummary],
    looked: set[tuple[Check, str | None]],
) -> Iterator[KnownVulnerability]:
    here = {(each.service, each.package, name) for each in vulnerabilities for name in each.names}
    here |= {
        (scan.service, each.vulnerability.package, name)
        for scan in scans
        for each in scan.set_aside
        for name in each.vulnerability.names
    }
    for each in sorted(baseline.vulnerabilities, key=lambda each: (each.service, each.package, each.id)):
        there = any((each.service, each.package, name) in here for name in each.names)
        if not there and (Check.SCAN, each.service) in looked:
            yield each


def _notes(baseline: Baseline, results: Sequence[CheckResult], services: Sequence[str]) -> Iterator[str]:
    if baseline.first:
        yield "there is none yet: nothing could be told new, and what is found now is what later runs are compared with"
        return
    untold: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result.outcome, Ran) and any(each.standing is None for each in result.findings):
            untold.setdefault(str(result.check), []).append(result.service or "the project")
    for check, of in untold.items():
        yield f"it tells nothing of {check} of {', '.join(sorted(set(of)))}"
    if baseline.images:
        new = [name for name in services if baseline.image(name) is None]
        if new:
            yield f"it has no image of {', '.join(new)}"
