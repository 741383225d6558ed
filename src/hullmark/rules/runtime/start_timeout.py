"""Service does not come up in time.

What it checks
    Every service of the stack under test: whether it is healthy (or, without a health check, running) within
    `timeout` of `[smoke]`, and within a `timeout` of its own, which counts from the start of its container. A service
    that was never started because another did not come up is not counted: the other is. Of one without a health check
    probes say whether it is up: see `failed-probe`.

Why it matters
    A stack that starts too slowly is a stack that does not start, for whoever waits for it.

How to fix
    Look at the health check's output and the log, shown beside the finding. If the service really needs longer:

        [smoke]
        timeout = "10 min"

        [services.rag]
        timeout = "5 min"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.duration import format_duration
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun


@rule(summary="service does not come up in time", severity=Severity.ERROR, since="0.1")
def start_timeout(run: ServiceRun) -> Iterator[Observation]:
    if run.timed_out and not run.ready and not run.state.failed and not run.waits_on:
        yield Observation(
            location=run.span,
            seen=f"{run.fate if run.unsettled else f'still {run.state}'} after {format_duration(run.waited_for)}",
            expected="healthy" if run.has_health_check else "running",
            remedy=f"see what its health check and log say last, or {_longer(run)}",
            key="timeout",
        )


def _longer(run: ServiceRun) -> str:
    """How to give it more time, where the time that it has is set."""
    if run.timeout_origin:
        return f"allow more time where it is set: {run.timeout_origin}"
    return "set a longer `timeout` under `[smoke]`"
