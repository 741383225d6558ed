"""The report for a person: services against checks, sizes, the stack over time, findings, and the verdict."""

from __future__ import annotations

import io
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hullmark._reporters import against
from hullmark._reporters.bars import LEGEND, drawn
from hullmark._reporters.failure import failures
from hullmark.model.baseline import Standing
from hullmark.model.duration import format_duration
from hullmark.model.finding import Severity
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.size import format_share, format_size
from hullmark.model.text import printable
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.drill import DrillRun
    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult, Outcome
    from hullmark.model.report import Report
    from hullmark.model.service_run import ServiceRun

MOST_NOTES = 20
"""Notes that are shown one by one; more are counted by rule."""
_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_STANDINGS = {Standing.INTRODUCED: "bold red", Standing.DISCLOSED: "yellow", Standing.KNOWN: "dim"}
_VERDICTS = {
    Status.CLEAN: ("clean", "bold green"),
    Status.FINDINGS: ("not clean", "bold red"),
    Status.UNCHECKED: ("not everything could be checked", "bold magenta"),
    Status.NOTHING: ("nothing was checked", "bold magenta"),
}
_DRILLED = {"broken": "bold magenta", "failed": "bold red", "passed": "green", "skipped": "dim"}
"""How drills end, what matters most first."""
_LEAST = 0.05
"""Seconds that are shown as more than nothing."""


def render(report: Report, style: Style) -> Iterator[str]:
    """See `interface.render`."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=style.width,
        force_terminal=style.colour,
        no_color=not style.colour,
        color_system="standard" if style.colour else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        _environ={},
    )
    blocks = [
        list(block)
        for block in (
            _fixed(report),
            _findings(report),
            _fixable(report),
            _failures(report),
            _suppressed(report, listed=style.suppressed),
            _silenced(report),
            _time_line(report),
            _drills(report),
            _sizes(report),
            _against(report),
            _checks(report),
            _unchecked(report),
            _verdict(report),
        )
    ]
    for index, block in enumerate(block for block in blocks if block):
        if index:
            console.print()
        for part in block:
            # A path or a command that is cut in two cannot be copied.
            console.print(part, soft_wrap=isinstance(part, Text))
    yield from (f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


# --- findings ------------------------------------------------------------------------------------------------------


def _findings(report: Report) -> Iterator[Text]:
    notes = [finding for finding in report.findings if finding.severity is Severity.NOTE]
    shown = [finding for finding in report.findings if finding.severity is not Severity.NOTE]
    if len(notes) <= MOST_NOTES:
        shown += notes
    for finding in shown:
        yield from _finding(finding)
    if len(notes) > MOST_NOTES:
        for rule, group in groupby(sorted(f.rule for f in notes)):
            count = len(list(group))
            yield Text.assemble(
                (f"{count} note{'' if count == 1 else 's'}", _COLOURS[Severity.NOTE]),
                f" {rule}  (all of them: --format json)",
            )


def _finding(finding: Finding) -> Iterator[Text]:
    first, *more = (printable(line) for line in finding.seen.splitlines() or [""])
    service = f"{printable(finding.service)}: " if finding.service else ""
    yield Text.assemble(
        (printable(str(finding.location)), "bold"),
        ": ",
        (str(finding.severity), _COLOURS[finding.severity]),
        f" {_named(finding)}: {printable(finding.summary)}",
        *(
            [(f" [{against.WORDS[finding.standing]}]", _STANDINGS[finding.standing])]
            if finding.standing
            else []
        ),
    )
    for line in (
        f"{service}{first}",
        *(f"  {line}" for line in more),
        *([f"written at {printable(str(finding.origin))}"] if finding.origin else []),
        f"expected {printable(finding.expected)}",
    ):
        yield Text(f"  {line}")
    yield Text.assemble(
        ("  fix: ", "green"),
        printable(finding.remedy),
        (f"  (hullmark explain {finding.rule})", "dim"),
    )


def _named(finding: Finding) -> str:
    return f"{finding.rule} ({', '.join(finding.aliases)})" if finding.aliases else finding.rule


def _fixed(report: Report) -> Iterator[Text]:
    for each in report.fixed:
        yield Text.assemble(
            (printable(str(each.location)), "bold"),
            ": ",
            ("fixed", "bold green"),
            f" {each.rule}: {printable(each.message)}",
        )


def _fixable(report: Report) -> Iterator[Text]:
    """How many of the findings a machine can deal with, and how to have that done."""
    fixes = [finding.fix for finding in report.findings if finding.fix is not None]
    safe = sum(fix.allowed(unsafe=False) for fix in fixes)
    unsafe = len(fixes) - safe
    if safe:
        more = f" ({unsafe} more with --unsafe-fixes)" if unsafe else ""
        yield Text(f"{safe} fixable with `hullmark lint --fix`{more}", style="green")
    elif unsafe:
        yield Text(f"{unsafe} fixable with `hullmark lint --fix --unsafe-fixes`", style="green")


def _suppressed(report: Report, *, listed: bool) -> Iterator[Text]:
    if report.suppressed:
        rules = ", ".join(
            sorted({f"{f.rule} ({f.service})" if f.service else f.rule for f in report.suppressed})
        )
        yield Text(f"ignored by the configuration: {rules}", style="dim")
        for finding in report.suppressed if listed else ():
            service = f" ({finding.service})" if finding.service else ""
            yield Text(printable(f"  {finding.rule}{service}: {finding.seen}"), style="dim")


def _silenced(report: Report) -> Iterator[Text]:
    """What another linter says of what is meant as it is, each rule on one line."""
    for rule, group in groupby(
        sorted(report.silenced, key=lambda f: (f.rule, f.service or "")), lambda f: f.rule
    ):
        places = ", ".join(dict.fromkeys(printable(str(finding.location)) for finding in group))
        yield Text(f"silenced: {rule} at {places}  (hullmark explain {rule})", style="dim")


# --- the stack -----------------------------------------------------------------------------------------------------


def _time_line(report: Report) -> Iterator[Table | Text]:
    if report.stack is None:
        return
    bars = drawn(report.stack)
    table = _table(f"stack  {LEGEND}", "service", "", ">started", ">healthy", "state")
    for run in report.stack.services:
        table.add_row(
            printable(run.service), bars[run.service], _at(run.started), _at(run.healthy), _state(run)
        )
    yield table
    until = "from start to removal" if report.stack.kept is None else "from its start; it stays up"
    yield Text(f"{report.stack.tally}; {format_duration(report.stack.seconds)} {until}")
    if report.stack.unproven:
        yield Text(printable(report.stack.unproven), style="yellow")
    yield from (Text(printable(note), style="dim") for note in report.stack.notes)


def _failures(report: Report) -> Iterator[Text]:
    for each in failures(report):
        yield Text.assemble((printable(each.service), "bold"), f" {printable(each.standing)}")
        yield from (Text(f"  {printable(line)}") for line in each.evidence)
        for remedy in each.remedies:
            yield Text.assemble(("  what to do: ", "green"), printable(remedy))


def _drills(report: Report) -> Iterator[Table | Text]:
    """A table of services against drills, and why some were not carried out."""
    runs = () if report.stack is None else report.stack.drills
    # What was carried out for none needs no column: below it says why.
    columns = list(dict.fromkeys(str(run.drill) for run in runs if run.status in {"passed", "failed"}))
    table = _table("drills", "service", *(f">{each}" for each in columns))
    for service in sorted({run.service for run in runs}):
        cells = [
            [run for run in runs if run.service == service and str(run.drill) == each] for each in columns
        ]
        table.add_row(printable(service), *(_drill_cell(cell) for cell in cells))
    if columns:
        yield table
        yield Text("where a drill passed, how long it took", style="dim")
    yield from _undrilled(runs)


def _undrilled(runs: tuple[DrillRun, ...]) -> Iterator[Text]:
    """Why drills were not carried out; the same is said on one line."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for run in runs:
        if run.status in {"skipped", "broken"}:
            subject = f" {run.subject}" if run.subject else ""
            told.setdefault((str(run.drill), run.status, run.said), []).append(f"{run.service}{subject}")
    joined: dict[tuple[str, str, str], list[str]] = {}
    for (drill, status, said), services in told.items():
        joined.setdefault((status, said, ", ".join(services)), []).append(drill)
    for (status, said, where), drills in joined.items():
        style = "magenta" if status == "broken" else "dim"
        yield Text.assemble(
            (f"drill{'' if len(drills) == 1 else 's'} {', '.join(drills)} {status}", style),
            f" ({printable(where)}): {printable(' '.join(said.split()))}",
        )


def _drill_cell(runs: list[DrillRun]) -> Text:
    """What became of one drill of one service, which may have been carried out for several links."""
    if not runs:
        return Text("-", style="dim")
    worst = min(runs, key=lambda run: tuple(_DRILLED).index(run.status))
    seconds = sum(run.seconds for run in runs)
    shown = (
        (format_duration(seconds) if seconds >= _LEAST else "ok")
        if worst.status == "passed"
        else worst.status
    )
    return Text(shown, style=_DRILLED[worst.status])


def _at(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


def _state(run: ServiceRun) -> Text:
    text = str(run.state)
    if run.restarts:
        text += f", {run.restarts} restart{'s' if run.restarts > 1 else ''}"
    return Text(text, style="green" if run.ready else "red")


# --- tables --------------------------------------------------------------------------------------------------------


def _sizes(report: Report) -> Iterator[Table]:
    if not report.images:
        return
    table = _table("image sizes, unpacked", "service", ">budget", ">current", ">used", ">layers")
    for image in report.images:
        over = image.budget is not None and image.unpacked > image.budget
        used = format_share(image.unpacked, image.budget) if image.budget else ""
        table.add_row(
            printable(image.service),
            format_size(image.budget) if image.budget else "none",
            format_size(image.unpacked),
            Text(used, style="bold red" if over else "green"),
            str(len(image.layers)),
        )
    yield table


def _against(report: Report) -> Iterator[Text]:
    """What changed since the baseline, a line each."""
    comparison = report.comparison
    if comparison is None:
        return
    if missing := against.missing(comparison):
        yield Text.assemble(("warning: ", "bold yellow"), printable(missing))
        return
    yield Text.assemble(
        ("against the baseline ", "bold"),
        printable(f"{comparison.name}: {against.tally(report, comparison)}"),
    )
    if known := against.vulnerability_tally(report, comparison):
        yield Text(f"  vulnerabilities: {known}")
    if fixed := against.fixed(comparison):
        yield Text.assemble("  ", ("fixed: ", "green"), printable(fixed))
    for service, ids in against.gone(comparison):
        yield Text.assemble("  ", ("gone: ", "green"), printable(f"{service}: {ids}"))
    for service, change in comparison.images:
        if grown := against.grown(change):
            yield Text(printable(f"  {service} {grown}: {change.why}"))
        if told := against.settings(change):
            yield Text(printable(f"  {service} settings: {told}"))
    yield from (Text(printable(f"  {note}"), style="dim") for note in comparison.notes)


def _checks(report: Report) -> Iterator[Table]:
    rows: dict[str, dict[str, CheckResult]] = {}
    for result in report.results:
        rows.setdefault(result.service or "(project)", {})[str(result.check)] = result
    if not rows:
        return
    columns = [str(check) for check in report.checks]
    table = _table(printable(report.project), "service", *columns)
    for service in sorted(rows, key=lambda name: (name == "(project)", name)):
        cells = (rows[service].get(column) for column in columns)
        table.add_row(
            service, *(Text("-", style="dim") if cell is None else _cell(cell.outcome) for cell in cells)
        )
    yield table


def _cell(outcome: Outcome) -> Text:
    match outcome:
        case Ran(findings=()):
            return Text("ok", style="green")
        case Ran(findings=findings):
            worst = max(finding.severity for finding in findings)
            count = sum(finding.severity is worst for finding in findings)
            return Text(f"{count} {worst}{'s' if count > 1 else ''}", style=_COLOURS[worst])
        case Skipped():
            return Text("skipped", style="dim")
        case Broken():
            return Text("broken", style="bold magenta")


def _unchecked(report: Report) -> Iterator[Text]:
    """What was skipped or broke, and why, and what is worth knowing of the rest; the same is said on one line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for result in report.results:
        match result.outcome:
            case Skipped(reason=reason):
                found.setdefault((str(result.check), "skipped", reason), []).append(result.service or "")
            case Broken(error=reason):
                found.setdefault((str(result.check), "broken", reason), []).append(result.service or "")
            case Ran(note=note) if note:
                found.setdefault((str(result.check), "done", note), []).append(result.service or "")
            case Ran():
                pass
    for (check, what, reason), services in found.items():
        names = (
            "" if services == [""] or len(services) == len(report.services) else f" ({', '.join(services)})"
        )
        first, *more = (printable(line) for line in reason.splitlines() or [""])
        yield Text.assemble(
            (f"{check} {what}", "magenta" if what == "broken" else "dim"), f"{names}: {first}"
        )
        yield from (Text(f"  {line}") for line in more)


def _verdict(report: Report) -> Iterator[Text]:
    counts = report.verdict.counts
    found = _list(
        (counts.errors, "error"),
        (counts.warnings, "warning"),
        (counts.notes, "note"),
        (counts.skipped, "check skipped", "checks skipped"),
        (counts.broken, "check broken", "checks broken"),
    )
    took = format_duration((report.finished - report.started).total_seconds())
    word, style = _VERDICTS[report.verdict.status]
    new = "; only what is new decides" if report.policy.new_only and report.comparison else ""
    yield Text.assemble(
        "verdict: ",
        (word, style),
        f" ({found or 'no findings'}{new}; exit {report.verdict.exit_code}) in {took}",
    )


def _list(*counted: tuple[int, str] | tuple[int, str, str]) -> str:
    return ", ".join(
        f"{count} {names[0] if count == 1 else (names[1] if len(names) > 1 else f'{names[0]}s')}"
        for count, *names in counted
        if count
    )


def _table(title: str, *columns: str) -> Table:
    """A table without lines; a column whose name starts with `>` is aligned to the right."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(
            column.removeprefix(">"),
            justify="right" if column.startswith(">") else "left",
            header_style="dim",
        )
    return table
