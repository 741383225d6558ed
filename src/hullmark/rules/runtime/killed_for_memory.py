"""Process of a running service is killed for lack of memory.

What it checks
    Every service of the stack under test that is up: whether the kernel killed one of its processes because the
    container reached its memory limit. A service that ends by it is found by `service-exited`.

Why it matters
    The service looks well and is not: a worker is gone, a request was lost, and it will happen again.

How to fix
    Raise `mem_limit` in the Compose file, or let the service use less: fewer workers, smaller caches.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun


@rule(summary="process was killed for lack of memory", severity=Severity.ERROR, since="0.1")
def killed_for_memory(run: ServiceRun) -> Iterator[Observation]:
    if run.out_of_memory and not run.state.failed:
        yield Observation(
            location=run.span,
            seen=f"is {run.state}, and one of its processes was killed: out of memory",
            expected="memory that is enough",
            remedy="raise `mem_limit` of the service, or let it use less memory",
            key="memory",
        )
