"""Service exits although it should keep running, or cannot be started at all.

What it checks
    Every service of the stack under test: whether its container ended, or could not be created or started. Ending with
    exit code 0 is success for services that others wait for with `service_completed_successfully`, and for those that
    publish no port, have no probe, and nobody depends on.

Why it matters
    The rest of the stack waits for it in vain.

How to fix
    Read the last lines of its log, shown beside the finding. Exit code 137 means that it was killed, often for
    lack of memory; 127 that its program does not exist; 126 that it cannot be executed. When it could not even be
    started, the finding says what the engine misses: a device, a file of a secret, a user that the image has not got.

    Restart policies are off, so that a service that comes up at the second try is found. When it exits because it lacks
    something that starts later, let it wait with a health condition:

        depends_on:
          db:
            condition: service_healthy

    or say that it may be started again, and how many times, in `hullmark.toml`:

        [services.web]
        restarts = 5
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun, State


@rule(summary="service exited", severity=Severity.ERROR, since="0.1")
def service_exited(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.EXITED:
        yield Observation(
            location=run.span,
            seen=_seen(run),
            expected="a service that keeps running",
            remedy=run.remedy,
            key="exited",
        )


def _seen(run: ServiceRun) -> str:
    if run.refusal:
        code = f" (exit code {run.exit_code})" if run.exit_code in {126, 127} else ""
        return f"cannot be started{code}: {run.refusal}"
    return f"{run.fate}; its restart policy is off in the test" if run.would_restart else run.fate
