"""Service fails its own health check.

What it checks
    Every service of the stack under test that has a health check: whether the engine declares it unhealthy.

Why it matters
    What depends on it does not start, and in production it would be replaced for ever.

How to fix
    Look at what the health check printed, shown beside the finding: is the port right, is the program that it
    calls in the final stage, is the start period long enough?
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import ServiceRun, State


@rule(summary="service is unhealthy", severity=Severity.ERROR, since="0.1")
def unhealthy_service(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.UNHEALTHY:
        said = f": {' '.join(run.health_output.split())[:200]}" if run.health_output else ""
        yield Observation(
            location=run.span,
            seen=f"the health check fails{said}",
            expected="a health check that passes",
            remedy=(
                f"try the health check by hand with `docker compose exec {run.service} ...`; correct its port or "
                "program, or give it a longer `start_period`"
            ),
            key="unhealthy",
        )
