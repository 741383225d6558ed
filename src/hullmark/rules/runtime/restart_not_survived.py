"""Service, or what depends on it, does not work after a restart.

What it checks
    With the drill `restart`, every service is stopped and started, one after the other. It and all that depend on it,
    or call it, must get healthy again within `drill-timeout`, pass their health checks, probes and links.

Why it matters
    Hosts reboot and services are deployed while others run. A caller that keeps a connection which is gone, or an
    address that has changed, stays broken until somebody restarts it as well.

How to fix
    Let callers connect again by themselves: a pool that tests its connections, a name that is looked up again. Let the
    service start from what its last run has left.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="stack does not survive a restart of a service", severity=Severity.ERROR, since="0.1")
def restart_not_survived(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.RESTART and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="the service and all that depend on it work again",
            remedy=run.result.remedy,
            key=run.result.key,
        )
