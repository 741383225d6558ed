"""What the template of the HTML report is given: the report, arranged in the order in which it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark import __version__
from hullmark._reporters._html.history import charts
from hullmark._reporters._html.smoke import timeline
from hullmark._reporters._html.text import plain
from hullmark._reporters.against import WORDS, gone, grown, missing, tally, vulnerability_tally
from hullmark._reporters.failure import failures
from hullmark._reporters.places import place
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.size import format_change, format_size
from hullmark.model.verdict import Status
from hullmark.model.vulnerability import SEVERITIES

if TYPE_CHECKING:
    from hullmark._reporters._html.history import Chart
    from hullmark._reporters._html.smoke import Timeline
    from hullmark._reporters.failure import Failure
    from hullmark.model.baseline import Comparison
    from hullmark.model.difference import Difference, OwnerChange, SettingChange
    from hullmark.model.finding import Finding, Severity
    from hullmark.model.location import Location
    from hullmark.model.outcome import Check, CheckResult, Outcome
    from hullmark.model.report import ImageSummary, Report, RuleText
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.space import SpaceNode
    from hullmark.model.vulnerability import Vulnerability

FINDINGS = 2_000
"""Findings that are shown; the worst come first."""
VULNERABILITIES = 3_000
OWNERS = 12
"""Owners that are listed of one image; the map has them all."""
VERDICTS = {
    Status.CLEAN: ("clean", "May sail"),
    Status.FINDINGS: ("findings", "May not sail"),
    Status.UNCHECKED: ("unchecked", "Not everything could be checked"),
    Status.NOTHING: ("nothing", "Nothing was checked"),
}
_NAME = 160
"""Characters of the name of a box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What became of one check on one service, in a word or two."""

    text: str
    kind: str
    """`ok`, `note`, `warning`, `error`, `skipped`, `broken` or `none`."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One service in the table of services."""

    name: str
    cells: tuple[Cell, ...]
    image: ImageSummary | None
    life: ServiceRun | None
    vulnerabilities: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding, and the check that made it."""

    check: Check
    finding: Finding
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """Why something could not be looked at, and of whom this is true."""

    kind: str
    check: Check
    reason: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What changed in the image of one service since the baseline."""

    service: str
    grown: str
    totals: tuple[tuple[str, str, str, str], ...]
    """Name, before, after and change of each size."""
    why: str
    owners: tuple[OwnerChange, ...]
    owners_left_out: int
    settings: tuple[SettingChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What there is to say of the run beside its baseline."""

    comparison: Comparison
    missing: str
    """That there is none yet; empty where there is one."""
    tally: str
    vulnerabilities: str
    images: tuple[Changed, ...]
    gone: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole page."""

    report: Report
    version: str
    verdict: str
    headline: str
    summary: str
    rows: tuple[Row, ...]
    found: tuple[Found, ...]
    findings_left_out: int
    vulnerabilities: tuple[Vulnerability, ...]
    vulnerabilities_left_out: int
    vulnerability_counts: tuple[tuple[str, int], ...]
    unchecked: tuple[Unchecked, ...]
    timeline: Timeline | None
    failures: tuple[Failure, ...]
    maps: tuple[dict[str, Any], ...]
    rules: tuple[RuleText, ...]

    against: Against | None = None
    charts: tuple[Chart, ...] = ()

    def place(self, location: Location) -> str:
        """`location` in words, a file as the repository calls it."""
        return place(self.report, location)

    @property
    def standing_words(self) -> dict[str, str]:
        """What the standings to the baseline are called."""
        return {str(standing): word for standing, word in WORDS.items()}

    @property
    def severities(self) -> tuple[tuple[str, int], ...]:
        """How many findings there are of each severity, the worst first."""
        counts = self.report.verdict.counts
        return (("error", counts.errors), ("warning", counts.warnings), ("note", counts.notes))

    @property
    def found_services(self) -> tuple[str, ...]:
        """The services that have findings."""
        return tuple(sorted({each.finding.service for each in self.found if each.finding.service}))

    @property
    def found_checks(self) -> tuple[str, ...]:
        """The checks that have findings, in order."""
        return tuple(str(check) for check in sorted({each.check for each in self.found}))

    @property
    def failed(self) -> frozenset[str]:
        """The services whose failure has a page of its own."""
        return frozenset(each.service for each in self.failures)

    @property
    def known_rules(self) -> frozenset[str]:
        """The rules that the page has the text of."""
        return frozenset(each.id for each in self.rules)


def page(report: Report) -> Page:
    """The page that shows `report`."""
    kind, headline = VERDICTS[report.verdict.status]
    found = sorted(
        (
            Found(check=result.check, finding=finding, decides=report.decides(result.check, finding))
            for result in report.results
            for finding in result.findings
        ),
        key=lambda each: (not each.decides, each.finding.sort_key),
    )
    # What was silenced is meant as it is: nobody has to read why it matters.
    told = {each.rule for each in (*report.findings, *report.suppressed)}
    known = sorted(report.vulnerabilities, key=lambda each: each.sort_key)
    return Page(
        report=report,
        version=__version__,
        verdict=kind,
        headline=headline,
        summary=_summary(report),
        rows=_rows(report),
        found=tuple(found[:FINDINGS]),
        findings_left_out=max(len(found) - FINDINGS, 0),
        vulnerabilities=tuple(known[:VULNERABILITIES]),
        vulnerabilities_left_out=max(len(known) - VULNERABILITIES, 0),
        vulnerability_counts=tuple(
            (severity, count)
            for severity in reversed(SEVERITIES)
            if (count := sum(each.severity == severity for each in known))
        ),
        unchecked=_unchecked(report),
        timeline=None if report.stack is None else timeline(report.stack),
        failures=failures(report),
        maps=tuple(_map(image) for image in report.images),
        rules=tuple(each for each in report.rules if each.id in told and (each.page or each.url)),
        charts=charts(report.history),
        against=None if report.comparison is None else _against(report, report.comparison),
    )


def _against(report: Report, comparison: Comparison) -> Against:
    return Against(
        comparison=comparison,
        missing=missing(comparison),
        tally=tally(report, comparison),
        vulnerabilities=vulnerability_tally(report, comparison),
        images=tuple(_changed(service, change) for service, change in comparison.images),
        gone=tuple(gone(comparison)),
    )


def _changed(service: str, change: Difference) -> Changed:
    owners = change.owners or ()
    return Changed(
        service=service,
        grown=grown(change),
        totals=tuple(
            (total.name, format_size(total.before), format_size(total.after), format_change(total.delta or 0))
            for total in change.totals
            if total.before is not None and total.after is not None
        ),
        why=change.why,
        owners=owners[:OWNERS],
        owners_left_out=max(len(owners) - OWNERS, 0),
        settings=(change.settings or ())[:OWNERS],
    )


def _summary(report: Report) -> str:
    counts = report.verdict.counts
    parts = [
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for count, name in (
            (counts.errors, "error"),
            (counts.warnings, "warning"),
            (counts.notes, "note"),
        )
        if count
    ] or ["no findings"]
    parts += [f"{counts.skipped} skipped"] if counts.skipped else []
    parts += [f"{counts.broken} broken"] if counts.broken else []
    return f"{', '.join(parts)} in {format_duration((report.finished - report.started).total_seconds())}"


def _rows(report: Report) -> tuple[Row, ...]:
    of: dict[str, dict[Check, CheckResult]] = {}
    for name in report.services:
        of[name] = {}
    for result in report.results:
        of.setdefault(result.service or "", {})[result.check] = result
    images = {image.service: image for image in report.images}
    lives = {run.service: run for run in report.stack.services} if report.stack else {}
    return tuple(
        Row(
            name=name,
            cells=tuple(_cell(of[name].get(check)) for check in report.checks),
            image=images.get(name),
            life=lives.get(name),
            vulnerabilities=sum(each.service == name for each in report.vulnerabilities),
        )
        for name in sorted(of, key=lambda name: (name == "", name))
    )


def _cell(result: CheckResult | None) -> Cell:
    return Cell(text="", kind="none") if result is None else _outcome(result.outcome)


def _outcome(outcome: Outcome) -> Cell:
    match outcome:
        case Ran(findings=()):
            return Cell(text="ok", kind="ok")
        case Ran(findings=findings):
            worst: Severity = max(finding.severity for finding in findings)
            count = sum(finding.severity is worst for finding in findings)
            return Cell(text=f"{count:,} {worst}{'' if count == 1 else 's'}", kind=str(worst))
        case Skipped(reason=reason):
            return Cell(text="skipped", kind="skipped", reason=reason)
        case Broken(error=error):
            return Cell(text="broken", kind="broken", reason=error)


def _unchecked(report: Report) -> tuple[Unchecked, ...]:
    reasons: dict[tuple[str, Check, str], list[str]] = {}
    for result in report.results:
        match result.outcome:
            case Skipped(reason=reason):
                reasons.setdefault(("skipped", result.check, reason), []).append(result.service or "")
            case Broken(error=reason):
                reasons.setdefault(("broken", result.check, reason), []).append(result.service or "")
            case Ran():
                pass
    return tuple(
        Unchecked(kind=kind, check=check, reason=reason, services=tuple(filter(None, services)))
        for (kind, check, reason), services in reasons.items()
    )


def _map(image: ImageSummary) -> dict[str, Any]:
    """What is drawn of one image: three times boxes in boxes, each `[name, bytes, files, folded, inside]`."""
    if image.boxes is None or not image.visible:
        return {}
    return {
        view: _node(root)
        for view, root in (
            ("owner", image.boxes.owners),
            ("instruction", image.boxes.instructions),
            ("path", image.boxes.paths),
        )
    }


def _node(node: SpaceNode) -> list[Any]:
    name = plain(node.name)
    name = name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[-_NAME // 2 :]}"
    return [name, node.bytes, node.files, node.folded, [_node(each) for each in node.inside]]
