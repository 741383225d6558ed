"""Steps one after another, of which later ones may use what earlier ones were answered."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, assert_never

from hullmark._smoke.probes.answers import decoded, values_at
from hullmark._smoke.probes.attempt import Answer, once, retry
from hullmark._smoke.probes.command import execute
from hullmark._smoke.probes.http import ask
from hullmark._smoke.probes.sql import query
from hullmark.errors import Interrupted
from hullmark.model.duration import format_duration
from hullmark.model.probe import ExecProbe, HttpProbe, SqlProbe
from hullmark.model.stack import StepRun

if TYPE_CHECKING:
    from hullmark._smoke.probes.filling import Filling
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import Capture, FlowProbe, Step

MISSING = object()
"""Stands for what could not be captured."""


def run_flow(
    stack: Stack, service: str, probe: FlowProbe, filling: Filling
) -> tuple[Answer, tuple[StepRun, ...]]:
    """What came of the flow, and of each step as far as it came."""
    deadline = time.monotonic() + probe.timeout
    runs: list[StepRun] = []
    for number, step in enumerate(probe.steps, 1):
        started = time.monotonic()
        left = deadline - started
        if left <= 0:
            seen = f"the {format_duration(probe.timeout)} were over before step {number} of {len(probe.steps)}: {step}"
            return Answer(passed=False, seen=seen), tuple(runs)
        if stack.engine.cancelled.is_set():
            raise Interrupted
        answer = _step(stack, step.service or service, step, filling, left)
        runs.append(
            StepRun(
                step=str(step), passed=answer.passed, seen=answer.seen, seconds=time.monotonic() - started
            )
        )
        if not answer.passed:
            seen = f"step {number} of {len(probe.steps)}, {step}: {answer.seen}"
            return Answer(passed=False, seen=seen), tuple(runs)
    return Answer(passed=True, seen=f"{len(runs)} step{'' if len(runs) == 1 else 's'} passed"), tuple(runs)


def _step(stack: Stack, service: str, step: Step, filling: Filling, left: float) -> Answer:
    def attempt(limit: float) -> Answer | None:
        answer = _act(stack, service, step, filling, limit)
        if answer is None or not answer.passed:
            return answer
        for capture in step.captures:
            value = captured(answer.body, capture)
            if value is MISSING:
                seen = f"{answer.seen} and nothing to capture as `{capture.name}` (`{capture.pattern}`): "
                return Answer(passed=False, seen=seen + filling.quote(answer.body))
            filling.captured[capture.name] = value
        return answer

    if step.until is not None:
        return retry(stack, min(step.until, left), attempt)
    # What changes something is not to be done twice, and whatever it is, nobody asked for it twice.
    return once(attempt, left) or Answer(passed=False, seen="did not end in time")


def _act(stack: Stack, service: str, step: Step, filling: Filling, left: float) -> Answer | None:
    match step.action:
        case HttpProbe() as probe:
            return ask(stack, service, probe, filling, left, whole=bool(step.captures))
        case ExecProbe() as probe:
            return execute(stack, service, probe, filling, left)
        case SqlProbe() as probe:
            return query(stack, service, probe, filling, left)
        case never:
            assert_never(never)


def captured(body: str, capture: Capture) -> Any:
    """What `capture` takes out of `body`, as JSON has it; `MISSING` when there is nothing of the kind."""
    if not capture.pattern.startswith("$"):
        found = re.search(capture.pattern, body)
        return MISSING if found is None else found[found.re.groups and 1] or ""
    try:
        document = decoded(body)
    except ValueError:
        return MISSING
    values = values_at(document, capture.pattern)
    return values[0] if values else MISSING
