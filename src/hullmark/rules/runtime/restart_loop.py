"""Service is started again and again.

What it checks
    Every service of the stack under test that may be started again by its restart policy (`restarts`): whether it exits
    once more than that before it is up.

Why it matters
    A restart policy turns a crash into a service that looks busy; it never becomes ready, or late.

How to fix
    Read the last lines of its log, shown beside the finding. When it only lacks something that starts later, let
    it wait with a health condition:

        depends_on:
          db:
            condition: service_healthy
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun, State


@rule(summary="service restarts in a loop", severity=Severity.ERROR, since="0.1")
def restart_loop(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.RESTARTING:
        allowed = f"{run.restarts_allowed} restart{'' if run.restarts_allowed == 1 else 's'}"
        yield Observation(
            location=run.span,
            seen=run.fate,
            expected=f"a service that is up after {allowed} at most, which `restarts = {run.restarts_allowed}` under "
            f"`[services.{run.service}]` allows",
            remedy=run.remedy,
            key="loop",
        )
