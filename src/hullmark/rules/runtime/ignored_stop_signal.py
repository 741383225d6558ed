"""Service does not end when it is asked to.

What it checks
    With the drill `stop`, every service is sent its stop signal (SIGTERM, unless the image or the Compose file names
    another), and has its `stop_grace_period` (10 s by default) to end. Whether it was killed is seen by exit code 137;
    why, by its first process: whether that is a shell, and whether it handles the signal.

Why it matters
    What is killed finishes nothing: requests are cut off, files half written, locks left behind. And every deployment
    waits for the whole grace period, once for each service.

How to fix
    Start the program without a shell in between, or let the script end with `exec`:

        CMD ["uvicorn", "app:app"]

    For a program that has no handler of its own, `init: true` puts a small init before it that passes signals on; the
    defaults of the kernel, which end a program, do not hold for the first process of a container.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service does not end when it is asked to", severity=Severity.ERROR, since="0.1")
def ignored_stop_signal(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.STOP and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="the service ends by itself within its grace period",
            remedy=run.result.remedy,
            key=run.result.key,
        )
