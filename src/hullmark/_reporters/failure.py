"""Why a stack does not work: a page on each service that is at fault, and what waits for it; for every format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.location import SourceSpan
    from hullmark.model.report import Report
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import StackRun

HEALTH_LINES = 5
"""Lines that are quoted of what a health check printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One service that did not come up, or did not stay up. Its texts may hold any character."""

    service: str
    span: SourceSpan
    standing: str
    """What became of it and when, as the rest of a sentence that begins with its name."""
    refusal: str
    """Why the engine could not create or start it; empty when it could."""
    health: tuple[str, ...]
    """The last lines of what its health check printed."""
    log: tuple[str, ...]
    log_title: str
    waiting: tuple[tuple[str, str], ...]
    """Services that wait for it, and for what exactly."""
    remedies: tuple[str, ...]

    @property
    def evidence(self) -> Iterator[str]:
        """What there is to see of it beside its standing, line by line."""
        if self.refusal:
            yield self.refusal
        if self.health:
            yield "its last health check printed:"
            yield from (f"  {line}" for line in self.health)
        if self.log:
            yield f"{self.log_title}:"
            yield from (f"  {line}" for line in self.log)
        yield from (f"{name} waits for {what}" for name, what in self.waiting)


def failures(report: Report) -> tuple[Failure, ...]:
    """The page of each service that is at fault: what, since when, why, who waits for it, what to do."""
    stack = report.stack
    if stack is None:
        return ()
    return tuple(_failure(run, stack, report) for run in stack.services if _is_at_fault(run, stack))


def _is_at_fault(run: ServiceRun, stack: StackRun) -> bool:
    """Whether it failed by itself; what waits for others, or had its start cut short by their failure, did not."""
    if run.state.failed or (run.timed_out and not run.ready and not run.waits_on):
        return True
    return run.unanswered and any(not probe.passed for probe in stack.probes if probe.service == run.service)


def _failure(run: ServiceRun, stack: StackRun, report: Report) -> Failure:
    whole = run.log_lines <= len(run.log)
    return Failure(
        service=run.service,
        span=run.span,
        standing=f"{_standing(run)}{_since(run)}",
        refusal=run.refusal,
        health=tuple(run.health_output.splitlines()[-HEALTH_LINES:]),
        log=run.log,
        log_title=f"its log{'' if whole else f' ({len(run.log)} of its last {run.log_lines:,} lines)'}",
        waiting=tuple(
            (each.service, stack.blocked_by(each.service))
            for each in stack.services
            if run.service in _behind(stack, each.service)
        ),
        remedies=tuple(_remedies(run, report)),
    )


def _standing(run: ServiceRun) -> str:
    if run.timed_out and not run.state.failed:
        return f"was still {run.state} when its time was over"
    return run.fate if run.fate.split()[0] in {"exited", "cannot"} else f"is {run.fate}"


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
