"""Service uses more memory than its budget.

What it checks
    For services with `memory-budget`, the memory that their containers use once everything is up and all probes have
    passed: what `docker stats` shows, without files that the kernel merely caches. The lowest of three looks counts.

Why it matters
    What a service uses when nobody asks it anything is what every host pays for each copy of it, all day. It grows
    unnoticed, a worker or a model at a time, until a host that was large enough no longer is.

How to fix
    Start fewer workers, load what is rarely needed when it is needed, or raise the budget on purpose:

        [services.rag]
        memory-budget = "400 MB"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service is over its memory budget", severity=Severity.ERROR, since="0.1")
def over_memory_budget(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.MEMORY and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="at most `memory-budget`",
            remedy=run.result.remedy,
            key=run.result.key,
        )
