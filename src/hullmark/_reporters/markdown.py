"""The report as GitHub-flavoured Markdown, to be read as the comment of a pull request or the summary of a job.

It fits into one comment whatever was found: the worst comes first, and what is left out is counted. Text that is not
ours (file names, output of programs) stands in code spans, where it is neither markup nor a mention of anybody.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote

from hullmark._reporters import against
from hullmark._reporters.bars import LEGEND, drawn
from hullmark._reporters.failure import failures
from hullmark._reporters.places import place
from hullmark.model.baseline import Standing
from hullmark.model.duration import format_duration
from hullmark.model.finding import Severity
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.size import format_share, format_size
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._reporters.interface import Style
    from hullmark.model.baseline import Comparison
    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult, Outcome
    from hullmark.model.report import ImageSummary, Report
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import StackRun

MARKER = "<!-- hullmark -->"
"""The first line, by which a comment is found again to be replaced, of a project at the top of its repository."""
LARGEST = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""
LONGEST = 600
"""Characters of one quotation."""
OWNERS = 8
"""Owners that are listed of one image."""
_BAR = 10
_VERDICTS = {
    Status.CLEAN: "✅ clean",
    Status.FINDINGS: "❌ not clean",
    Status.UNCHECKED: "⚠️ not everything could be checked",
    Status.NOTHING: "⚠️ nothing was checked",
}
_NEW = {Standing.INTRODUCED, Standing.DISCLOSED}
_SEVERITIES = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "📝"}


def marker(prefix: str) -> str:
    """The first line for a project in the directory `prefix` of its repository, which others there do not have."""
    # Two hyphens could be the end of it.
    of = quote(prefix, safe="/").replace("--", "%2D%2D")
    return f"<!-- hullmark: {of} -->" if prefix else MARKER


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # the same everywhere
    """See `interface.render`."""
    head = [marker(report.prefix), f"## {_VERDICTS[report.verdict.status]}: {code(report.project)}", ""]
    head += [*_counts(report), ""]
    room = LARGEST - sum(len(line) + 1 for line in head)
    body: list[str] = []
    # What could not be looked at is said last, and has its part of the room before details have theirs.
    unchecked: list[str] = []
    room -= _fill(unchecked, _unchecked(report), min(room, LARGEST // 4))
    sections = (
        *(_table(report), _against(report), _failures(report), _findings(report)),
        *(_notes(report), _known(report)),
        *(_sizes(report), _stack(report)),
    )
    for section in sections:
        room -= _fill(body, section, room)
    for line in chain(head, body, unchecked):
        yield f"{line}\n"


def _fill(body: list[str], section: Iterable[tuple[str, ...]], room: int) -> int:
    """Appends the blocks of `section` as long as they fit into `room` characters; returns what they took."""
    taken = left_out = 0
    blocks = list(section)
    # The last block closes what the first one opened, so its place is kept.
    closing = blocks.pop() if blocks else ()
    reserve = sum(len(line) + 1 for line in closing) + 80
    for block in blocks:
        length = sum(len(line) + 1 for line in block)
        if taken + length + reserve > room:
            left_out += 1
            continue
        body += block
        taken += length
    if left_out:
        body += ["", f"_{left_out} more are left out here; the JSON report has all of them._", ""]
    body += closing
    return taken + reserve


def _counts(report: Report) -> Iterator[str]:
    counts = report.verdict.counts
    found = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in (
            (counts.errors, "error"),
            (counts.warnings, "warning"),
            (counts.notes, "note"),
        )
        if count
    ]
    found += [f"{counts.skipped} skipped"] if counts.skipped else []
    found += [f"{counts.broken} broken"] if counts.broken else []
    took = format_duration((report.finished - report.started).total_seconds())
    yield f"{', '.join(found) or 'no findings'}; exit {report.verdict.exit_code}; {took}"


# --- services ------------------------------------------------------------------------------------------------------


def _table(report: Report) -> Iterator[tuple[str, ...]]:
    rows: dict[str, dict[str, CheckResult]] = {}
    for result in report.results:
        rows.setdefault(result.service or "", {})[str(result.check)] = result
    images = {image.service: image for image in report.images}
    lives = {run.service: run for run in report.stack.services} if report.stack else {}
    columns = [str(check) for check in report.checks]
    comparison = report.comparison
    sizes = ["size", *(["change"] if comparison else []), "of its budget"] if images else []
    scanned = {scan.service for scan in report.scans} if comparison else set[str]()
    news = ["new vulnerabilities"] if scanned else []
    titles = [*columns, *sizes, *news, *(["up after"] if lives else [])]
    if not rows:
        yield ()
        return
    yield (f"| service | {' | '.join(titles)} |", f"| --- |{' --- |' * len(titles)}")
    for service in sorted(rows, key=lambda name: (name == "", _badness(rows[name]), _natural(name))):
        cells = [_cell(rows[service].get(column)) for column in columns]
        if images:
            image = images.get(service)
            cells += [format_size(image.unpacked) if image else ""]
            cells += [_delta(comparison, service)] if comparison else []
            cells += [_budget(image) if image else ""]
        if news:
            cells.append(_new(report, service) if service in scanned else "")
        if lives:
            cells.append(_up(lives.get(service)))
        yield (f"| {_in_cell(service) if service else 'project'} | {' | '.join(cells)} |",)
    yield ("",)


def _badness(results: Mapping[str, CheckResult]) -> tuple[int, int]:
    """Less for what is worse: what broke and errors first, then warnings, notes, and what is well."""
    if any(isinstance(each.outcome, Broken) for each in results.values()):
        return (-len(Severity) - 1, 0)
    severities = [finding.severity for each in results.values() for finding in each.findings]
    worst = max(severities, default=None)
    if worst is None:
        return (0, 0)
    return (-int(worst), -severities.count(worst))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `s2` before `s10`."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split("([0-9]+)", name) if part
    )


def _cell(result: CheckResult | None) -> str:
    return "" if result is None else _outcome(result.outcome)


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case Ran(findings=()):
            return "ok"
        case Ran(findings=findings):
            worst = max(finding.severity for finding in findings)
            count = sum(finding.severity is worst for finding in findings)
            text = f"{count} {worst}{'' if count == 1 else 's'}"
            return f"**{text}**" if worst is Severity.ERROR else text
        case Skipped():
            return "skipped"
        case Broken():
            return "**broken**"


def _budget(image: ImageSummary) -> str:
    if not image.budget:
        return ""
    share = image.unpacked / image.budget
    full = min(round(share * _BAR), _BAR)
    text = f"{'█' * full}{'░' * (_BAR - full)} {format_share(image.unpacked, image.budget)}"
    return f"**{text}**" if share > 1 else text


def _new(report: Report, service: str) -> str:
    """How many vulnerabilities a service has that the baseline does not tell of."""
    new = sum(each.service == service and each.standing in _NEW for each in report.vulnerabilities)
    return f"**{new}**" if new else "0"


def _delta(comparison: Comparison, service: str) -> str:
    """By how much an image grew; empty where the baseline has none."""
    change = comparison.image(service)
    return "" if change is None else against.grown(change) or "±0"


def _up(run: ServiceRun | None) -> str:
    if run is None:
        return ""
    if not run.ready:
        return f"**{run.state}**"
    at = run.healthy if run.healthy is not None else run.started
    return str(run.state) if at is None else format_duration(at)


# --- the baseline --------------------------------------------------------------------------------------------------


def _against(report: Report) -> Iterator[tuple[str, ...]]:
    """What changed since the baseline, and why images grew."""
    comparison = report.comparison
    if comparison is None:
        yield ()
        return
    if missing := against.missing(comparison):
        yield ("> [!WARNING]", f"> {prose(missing)}", "")
        return
    known = against.vulnerability_tally(report, comparison)
    yield (
        f"Against {code(comparison.name)}: {against.tally(report, comparison)}"
        + (f"; vulnerabilities: {known}" if known else "")
        + ("; only what is new decides" if comparison.new_only else ""),
        "",
    )
    for service, change in comparison.images:
        if (change.total("unpacked").delta or 0) > 0:
            yield (f"- why {code(service)} grew: {prose(change.why)}",)
        if told := against.settings(change):
            yield (f"- settings of {code(service)}: {prose(told)}",)
    if fixed := against.fixed(comparison):
        yield (f"- fixed: {_plain(fixed)}",)
    for service, ids in against.gone(comparison):
        yield (f"- vulnerabilities gone from {code(service)}: {_plain(ids)}",)
    yield from ((f"- {prose(note)}",) for note in comparison.notes)
    yield ("",)


# --- findings ------------------------------------------------------------------------------------------------------


def _failures(report: Report) -> Iterator[tuple[str, ...]]:
    """Why services are not up, with what they said last."""
    failed = failures(report)
    if failed:
        yield ("### What is not up", "")
    for each in failed:
        yield (
            f"- {code(each.service)} {prose(each.standing)}",
            *(f"  - {code(line)}" for line in each.evidence),
            *(f"  - what to do: {prose(remedy)}" for remedy in each.remedies),
        )
    yield ("",) if failed else ()


def _findings(report: Report) -> Iterator[tuple[str, ...]]:
    found = [finding for finding in report.findings if finding.standing is not Standing.KNOWN]
    serious = [finding for finding in found if finding.severity is not Severity.NOTE]
    if serious:
        yield ("### Findings", "")
        yield from (_finding(report, finding) for finding in serious)
    yield ("",)


def _notes(report: Report) -> Iterator[tuple[str, ...]]:
    notes = [
        finding
        for finding in report.findings
        if finding.severity is Severity.NOTE and finding.standing is not Standing.KNOWN
    ]
    yield from _folded(report, f"{len(notes)} note{'' if len(notes) == 1 else 's'}", notes)


def _known(report: Report) -> Iterator[tuple[str, ...]]:
    known = [finding for finding in report.findings if finding.standing is Standing.KNOWN]
    yield from _folded(report, f"{len(known)} that the baseline has", known)


def _folded(report: Report, summary: str, findings: list[Finding]) -> Iterator[tuple[str, ...]]:
    if findings:
        yield (f"<details><summary>{summary}</summary>", "")
        yield from (_finding(report, finding) for finding in findings)
    yield ("", "</details>", "") if findings else ()


def _finding(report: Report, finding: Finding) -> tuple[str, ...]:
    where = code(place(report, finding.location))
    if finding.origin is not None:
        where += f", from {code(place(report, finding.origin))}"
    service = f"{code(finding.service)}: " if finding.service else ""
    new = f" ({against.WORDS[finding.standing]})" if finding.standing in _NEW else ""
    return (
        f"- {_SEVERITIES[finding.severity]} **{_plain(finding.rule)}**{new}: {prose(finding.summary)}, at {where}<br>",
        f"  {service}{prose(finding.seen)}<br>",
        f"  expected {prose(finding.expected)}<br>",
        f"  fix: {prose(finding.remedy)}",
    )


# --- details -------------------------------------------------------------------------------------------------------


def _sizes(report: Report) -> Iterator[tuple[str, ...]]:
    known = [image for image in report.images if image.owners]
    if not known:
        yield ()
        return
    yield ("<details><summary>What takes the space</summary>", "")
    for image in known:
        layers = f"{len(image.layers)} layer{'' if len(image.layers) == 1 else 's'}"
        masked = format_size(image.unpacked - image.visible)
        lines = [
            f"**{code(image.service)}** {format_size(image.unpacked)} in {layers}, {masked} masked",
            "",
            "| owner | size | files |",
            "| --- | ---: | ---: |",
        ]
        lines += [
            f"| {_in_cell(f'{each.owner.kind} {each.owner.name} {each.owner.version}'.strip())} "
            f"| {format_size(each.bytes)} | {each.files:,} |"
            for each in image.owners[:OWNERS]
        ]
        yield (*lines, "")
    yield ("</details>", "")


def _stack(report: Report) -> Iterator[tuple[str, ...]]:
    stack = report.stack
    if stack is None:
        yield ()
        return
    yield (f"<details><summary>Smoke test: {prose(stack.tally)}</summary>", "")
    yield tuple(_time_line(stack))
    if stack.unproven:
        yield (f"- {prose(stack.unproven)}",)
    yield from ((f"- {code(note)}",) for note in stack.notes)
    for run in stack.probes:
        mark = "ok" if run.passed else "**failed**"
        yield (f"- {mark}: {code(f'{run.service}: {run.probe}')} {code(run.seen)}",)
        for step in () if run.passed else run.steps:
            went = "ok" if step.passed else "**failed**"
            yield (f"  - {went}: {code(step.step)} {code(step.seen)}",)
    for link in stack.links:
        mark = "ok" if link.passed else "**failed**"
        yield (f"- {mark}: {code(str(link.link))} {code(link.seen)}",)
    for drill in stack.drills:
        mark = {"passed": "ok", "skipped": "skipped"}.get(drill.status, f"**{drill.status}**")
        what = f"{drill.service}: drill {drill.drill}{f' {drill.subject}' if drill.subject else ''}"
        yield (f"- {mark}: {code(what)} {code(drill.said)}",)
    told = {each.service for each in failures(report)}
    for life in stack.services:
        if life.log and life.service not in told:
            yield (
                f"- end of the log of {code(life.service)}:",
                *(f"  - {code(line)}" for line in life.log),
            )
    yield ("", "</details>", "")


def _time_line(stack: StackRun) -> Iterator[str]:
    bars = drawn(stack)
    yield f"| service | {LEGEND} | started | up | state |"
    yield "| --- | --- | ---: | ---: | --- |"
    for run in stack.services:
        # Only spaces that do not break keep their width in a cell.
        bar = bars[run.service].replace(" ", "\N{NO-BREAK SPACE}")
        state = _plain(str(run.state) if run.ready else run.fate)
        yield f"| {_in_cell(run.service)} | {bar} | {_seconds(run.started)} | {_seconds(run.up_at)} | {state} |"
    yield ""


def _seconds(at: float | None) -> str:
    return "" if at is None else format_duration(at)


def _unchecked(report: Report) -> Iterator[tuple[str, ...]]:
    reasons: dict[str, list[str]] = {}
    for result in report.results:
        match result.outcome:
            case Skipped(reason=reason):
                reasons.setdefault(f"{result.check} skipped: {prose(reason)}", []).append(
                    result.service or ""
                )
            case Broken(error=reason):
                reasons.setdefault(f"**{result.check} broken**: {prose(reason)}", []).append(
                    result.service or ""
                )
            case Ran():
                pass
    for text, services in reasons.items():
        names = ", ".join(code(service) for service in services if service)
        yield (f"- {text}{f' ({names})' if names and len(services) < len(report.services) else ''}",)
    yield ()


def code(text: str) -> str:
    """`text` as it is, on one line: in a code span whose fence it does not hold."""
    text = "".join(c if c.isprintable() else " " for c in text).strip()
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if not text:
        return "` `"
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _in_cell(text: str) -> str:
    """`code` for a table, where a pipe ends the cell also in a code span."""
    return code(text).replace("|", "\\|")


def prose(text: str) -> str:
    """Our own sentence: what it quotes in backticks becomes code, and nothing else in it is markup or a mention."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick that nothing closes
        return code(text)
    return "".join(code(part) if index % 2 else _plain(part) for index, part in enumerate(parts))


def _plain(text: str) -> str:
    text = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\*_\[\]~|!])", r"\\\1", text)
    # Neither a person, an issue nor a page is meant; a character without width keeps them from being linked.
    return re.sub(r"([@#]|:(?=//)|www(?=\.))", "\\1\N{ZERO WIDTH SPACE}", text, flags=re.IGNORECASE)
