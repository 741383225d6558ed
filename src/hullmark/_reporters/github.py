"""The report for the log of a GitHub job: annotations as workflow commands, and a summary in plain lines.

GitHub shows ten errors, ten warnings and ten notices of one step, and no more; those that matter most are given, and
how many there are besides is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._reporters.against import WORDS, missing, tally
from hullmark._reporters.places import in_repository
from hullmark.model.baseline import Standing
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.finding import Finding
    from hullmark.model.report import Report

MOST = 10
"""Annotations of one kind that GitHub shows for one step."""
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # the same everywhere
    """See `interface.render`."""
    for severity, command in _COMMANDS.items():
        # What the change has brought comes before what was there.
        found = sorted(
            (finding for finding in report.findings if finding.severity is severity),
            key=lambda finding: finding.standing is Standing.KNOWN,
        )
        broken = list(_broken(report)) if severity is Severity.ERROR else []
        # What could not be looked at comes first: of that, nothing else here speaks.
        shown = found[: MOST - len(broken[:MOST])]
        yield from broken[:MOST]
        yield from (_annotation(report, finding, command) for finding in shown)
        hidden = len(found) - len(shown) + len(broken[MOST:])
        if hidden:
            yield _text(
                f"{hidden} more of severity {severity} have no annotation; the report has all of them"
            )
    yield from _outcomes(report)
    if report.comparison is not None and (none := missing(report.comparison)):
        yield _command("warning", none, {"title": "No baseline"})
    elif report.comparison is not None:
        yield _text(f"against the baseline {report.comparison.name}: {tally(report, report.comparison)}")
    yield _text(f"verdict: {_VERDICTS[report.verdict.status]} (exit {report.verdict.exit_code})")


_VERDICTS = {
    Status.CLEAN: "clean",
    Status.FINDINGS: "not clean",
    Status.UNCHECKED: "not everything could be checked",
    Status.NOTHING: "nothing was checked",
}


def _annotation(report: Report, finding: Finding, command: str) -> str:
    span = finding.location if isinstance(finding.location, SourceSpan) else finding.origin
    if span is None:
        span = dict(report.places).get(finding.service or "")
    standing = f" ({WORDS[finding.standing]})" if finding.standing else ""
    properties = {"title": f"{finding.rule}: {finding.summary}{standing}"}
    if span is not None and not span.path.startswith("/"):
        properties |= {
            "file": in_repository(report, span.path),
            "line": str(span.line),
            "endLine": str(max(span.end_line, span.line)),
        }
        if span.end_line in {0, span.line}:
            properties["col"] = str(span.column)
    where = "" if isinstance(finding.location, SourceSpan) else f"{finding.location}\n"
    service = f"{finding.service}: " if finding.service else ""
    return _command(
        command,
        f"{where}{service}{finding.seen}\nexpected {finding.expected}\nfix: {finding.remedy}",
        properties,
    )


def _broken(report: Report) -> Iterator[str]:
    for result in report.results:
        if isinstance(result.outcome, Broken):
            of = f" of {result.service}" if result.service else ""
            yield _command("error", result.outcome.error, {"title": f"{result.check}{of} could not be done"})


def _outcomes(report: Report) -> Iterator[str]:
    for result in report.results:
        name = f"{result.check} {result.service}" if result.service else str(result.check)
        match result.outcome:
            case Skipped(reason=reason):
                yield _text(f"{name}: skipped: {reason}")
            case Broken(error=error):
                yield _text(f"{name}: broken: {error}")
            case Ran(findings=findings):
                yield _text(f"{name}: {len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}")


def _text(line: str) -> str:
    """A line of the log that cannot be taken for a command, whatever it quotes."""
    line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return f"{line.replace('::', ': :').replace('##[', '## [')}\n"


def _command(name: str, message: str, properties: dict[str, str]) -> str:
    joined = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {joined}::{_data(message)}\n"


def _data(text: str) -> str:
    text = "".join(c if c.isprintable() or c in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
