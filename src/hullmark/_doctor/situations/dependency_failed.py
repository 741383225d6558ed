"""A service did not start because one that it waits for did not come up.

What it looks like
    `dependency failed to start: container tale-db-1 is unhealthy`, or `... exited (1)`.

Why it happens
    `depends_on` waits for a service to be healthy, and its health check failed or it ended. What is wrong is with the
    other one; the log of this one says nothing.

What to do
    Look at the other one: what it said, and what its health checks said.

        docker compose logs SERVICE

        docker inspect --format '{{json .State.Health}}' CONTAINER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Shell, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a service did not start because one that it waits for did not come up",
    patterns=(
        r"dependency failed to start: container (?P<container>[\w.-]+) (?P<state>is unhealthy|exited \(\d+\)|has no healthcheck configured)",
        r"""service \"(?P<dependency>[^\"]+)\" didn't complete successfully: exit (?P<code>\d+)""",
    ),
    since="0.1",
)
def dependency_failed(symptom: Symptom) -> Advice | None:
    name = symptom.get("container") or symptom.get("dependency")
    state = symptom.get("state") or f"ended with exit code {symptom.get('code')}"
    if "no healthcheck" in state:
        return Advice(
            cause=f"`{name}` is waited for to become healthy, and it has no health check",
            remedies=(Remedy(text="give it a HEALTHCHECK, or wait with `condition: service_started`"),),
        )
    told = (Shell.PIPE, "hullmark", "doctor", "--log", "-")
    return Advice(
        cause=f"`{name}` {state}; what is wrong is with that one",
        remedies=(
            Remedy(
                text="read what its health checks said",
                command=("docker", "inspect", "--format", "{{json .State.Health}}", *operand(name), *told),
            ),
            Remedy(
                text="and what it wrote", command=("docker", "logs", *operand(name), Shell.ERRORS_TOO, *told)
            ),
        ),
    )
