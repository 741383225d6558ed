"""Service does not work with a read-only root.

What it checks
    With the drill `read-only`, the stack is started once more with `read_only: true` for every service. A service that does
    not come up, or does not pass its probes, names the path that it could not write, as far as its log tells; otherwise
    what it had written before outside of its mounts is named.

Why it matters
    What can write to its own root can replace its own programs, and so can whoever breaks in. It also shows where a
    service keeps what nobody mounted a volume for.

How to fix
    Mount what it writes to, and let the rest be read-only:

        services:
          web:
            read_only: true
            tmpfs: [/tmp, /run]
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service does not work with a read-only root", severity=Severity.ERROR, since="0.1")
def writable_root_needed(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.READ_ONLY and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="the service works with `read_only: true` and what it has mounted",
            remedy=run.result.remedy,
            key=run.result.key,
        )
