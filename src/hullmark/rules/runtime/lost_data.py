"""Data is gone after a restart.

What it checks
    With the drill `persist`, data is written as `[[services.NAME.persist]]` says (for PostgreSQL, Redis and Valkey with a
    volume that is derived). Then everything is stopped and started again, and after that all containers are replaced
    by new ones on the same volumes; each time the data must be there.

Why it matters
    Every deployment replaces containers, and whatever lies in them instead of on a volume is gone. So is what a program
    keeps in memory when it is stopped.

How to fix
    Mount a volume where the data lies, and look for the right directory:

        services:
          db:
            volumes: [db-data:/var/lib/postgresql/data]
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="data is gone after a restart", severity=Severity.ERROR, since="0.1")
def lost_data(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.PERSIST and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="what was written is there after a restart, and in a new container on the same volumes",
            remedy=run.result.remedy,
            key=run.result.key,
        )
