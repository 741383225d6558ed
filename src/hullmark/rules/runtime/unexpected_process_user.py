"""Process runs as somebody else than the project promises.

What it checks
    With the drill `user`, the user of every process of every running container against `user` of the service:
    `non-root` allows no process of root, `drops-to:NAME` none but that user's. A mere init (`tini`, `docker-init`,
    `dumb-init`) may be anybody's, and what was started from outside, such as a health check, is not counted.

Why it matters
    What USER of the image says is only how the first process starts. An entrypoint that changes users, or a supervisor
    that starts others, decides what an attacker gets.

How to fix
    Let the entrypoint hand over with `exec`, under the other user:

        exec setpriv --reuid=app --regid=app --init-groups "$@"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="process runs as an unexpected user", severity=Severity.ERROR, since="0.1")
def unexpected_process_user(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.USER and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="every process runs as `user` says",
            remedy=run.result.remedy,
            key=run.result.key,
        )
