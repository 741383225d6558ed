"""Service was healthy and does not stay so.

What it checks
    Every service of the stack under test that has a health check: whether it was healthy, and the engine declares it
    unhealthy afterwards, also when it gets healthy again.

Why it matters
    What waited for it was started on a promise that did not hold. In production traffic comes and goes with each turn.

How to fix
    Look at what the health check printed, and at the log of that moment, shown beside the finding. Either the service
    breaks down (memory, connections that run out, a dependency that went away), or the health check asks for more than
    the service can always answer in time: give it a longer `timeout`, or more `retries`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.duration import format_duration
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun, State


@rule(summary="service does not stay healthy", severity=Severity.ERROR, since="0.1")
def unsteady_service(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.UNHEALTHY and run.healthy is not None and run.ended is not None:
        again = f", healthy again after {format_duration(run.recovered)}" if run.recovered is not None else ""
        said = " ".join(run.health_output.split())[:200]
        yield Observation(
            location=run.span,
            seen=f"healthy after {format_duration(run.healthy)}, unhealthy after {format_duration(run.ended)}{again}"
            f"{f': {said}' if said else ''}",
            expected="a service that stays healthy",
            remedy="see in its log what happened in between; if it only answers late at times, give the health check a "
            "longer `timeout` or more `retries`",
            key="unsteady",
        )
