"""Service does not come back after a crash.

What it checks
    With the drill `kill`, the main process of every service is killed (SIGKILL), one after the other. Where the project
    has a restart policy, that must bring the service back; otherwise it is started again. It and all that depend on it
    must then work as before.

Why it matters
    A crash leaves behind what an orderly end would have removed: files with the number of a process, locks, sockets. A
    service that takes them for another copy of itself never starts again in the same container.

How to fix
    Remove such files before the program starts:

        rm -f /run/app.pid
        exec app
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service does not come back after a crash", severity=Severity.ERROR, since="0.1")
def crash_not_survived(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.KILL and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="the service works again after its main process was killed",
            remedy=run.result.remedy,
            key=run.result.key,
        )
