"""Why a stack does not work, for a person: one page on each service that is at fault, and what waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from hullmark.model.duration import format_duration
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.report import Report
    from hullmark.model.stack import ServiceRun, StackRun

HEALTH_LINES = 5
"""Lines that are quoted of what a health check printed."""


def failures(report: Report) -> Iterator[Text]:
    """For each service that did not come up, or did not stay up: what, since when, why, who waits for it, what to do."""
    stack = report.stack
    if stack is None:
        return
    for run in stack.services:
        if _is_at_fault(run, stack):
            yield from _failure(run, stack, report)


def _is_at_fault(run: ServiceRun, stack: StackRun) -> bool:
    """Whether it failed by itself; what waits for others, or had its start cut short by their failure, did not."""
    if run.state.failed or (run.timed_out and not run.ready and not run.waits_on):
        return True
    return run.unanswered and any(not probe.passed for probe in stack.probes if probe.service == run.service)


def _failure(run: ServiceRun, stack: StackRun, report: Report) -> Iterator[Text]:
    yield Text.assemble((printable(run.service), "bold"), f" {_standing(run)}{_since(run)}")
    if run.refusal:
        yield Text(f"  {printable(run.refusal)}")
    if run.health_output:
        yield Text("  its last health check printed:")
        yield from (Text(f"    {printable(line)}") for line in run.health_output.splitlines()[-HEALTH_LINES:])
    if run.log:
        whole = run.log_lines <= len(run.log)
        many = "" if whole else f" ({len(run.log)} of its last {run.log_lines:,} lines)"
        yield Text(f"  its log{many}:")
        yield from (Text(f"    {printable(line)}") for line in run.log)
    waiting = [
        name for name in (each.service for each in stack.services) if run.service in _behind(stack, name)
    ]
    for name in waiting:
        yield Text(f"  {printable(name)} waits for {printable(stack.blocked_by(name))}")
    for remedy in _remedies(run, report):
        yield Text.assemble(("  what to do: ", "green"), printable(remedy))


def _standing(run: ServiceRun) -> str:
    if run.timed_out and not run.state.failed:
        return f"was still {run.state} when its time was over"
    fate = printable(run.fate)
    return fate if fate.split()[0] in {"exited", "cannot"} else f"is {fate}"


def _since(run: ServiceRun) -> str:
    """When what happened, in seconds since the start of the stack."""
    told = []
    if run.started is not None:
        told.append(f"started {format_duration(run.started)} after the stack")
    if run.healthy is not None and not run.ready:
        told.append(f"healthy at {format_duration(run.healthy)}")
    elif run.has_health_check and not run.ready:
        told.append("never healthy")
    if run.ended is not None and run.state.failed:
        told.append(f"failed at {format_duration(run.ended)}")
    if run.recovered is not None:
        told.append(f"healthy again at {format_duration(run.recovered)}")
    return f" ({', '.join(told)})" if told else ""


def _behind(stack: StackRun, name: str) -> set[str]:
    """All services that `name` waits for, directly or not."""
    runs = {run.service: run for run in stack.services}
    found: set[str] = set()
    todo = [*runs[name].waits_on]
    while todo:
        other = todo.pop()
        if other not in found and other in runs:
            found.add(other)
            todo += runs[other].waits_on
    return found


def _remedies(run: ServiceRun, report: Report) -> list[str]:
    """What the findings about the service itself say, or what its exit code does where these are ignored."""
    found = [
        finding.remedy
        for finding in report.findings
        if finding.service == run.service and finding.location == run.span
    ]
    if not found and run.state.failed and (run.exit_code is not None or run.refusal):
        found = [run.remedy]
    return [*dict.fromkeys(found)]
