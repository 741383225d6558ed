"""Service exits although it should keep running.

What it checks
    Every service of the stack under test: whether its container ended. Ending with exit code 0 is success for
    services that others wait for with `service_completed_successfully`, and for those that publish no port, have
    no probe, and nobody depends on.

Why it matters
    The rest of the stack waits for it in vain.

How to fix
    Read the last lines of its log, shown beside the finding. Exit code 137 means that it was killed, often for
    lack of memory; 127 that its program does not exist; 126 that it cannot be executed.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import ServiceRun, State


@rule(summary="service exited", severity=Severity.ERROR, since="0.1")
def service_exited(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.EXITED:
        memory = ", out of memory" if run.out_of_memory else ""
        yield Observation(
            location=run.span,
            seen=f"exited with code {run.exit_code}{memory}",
            expected="a service that keeps running",
            remedy=run.remedy,
            key="exited",
        )
