"""Process keeps privileges that it promised to drop.

What it checks
    For services with `user = "drops-to:NAME"`, the user of every process of the running container. Processes that
    were started from outside, such as health checks, and a mere init (`tini`, `docker-init`, `dumb-init`) are not
    counted.

Why it matters
    An entrypoint that starts as root to prepare a volume and then forgets to give root up serves the network as
    root; the image's configuration cannot show the difference.

How to fix
    Let the entrypoint replace itself by the service under the other user:

        exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import Privileges

_INITS = frozenset({"tini", "docker-init", "dumb-init", "catatonit"})


@rule(summary="process keeps privileges it should have dropped", severity=Severity.ERROR, since="0.1")
def privileges_kept(privileges: Privileges) -> Iterator[Observation]:
    for process in privileges.processes:
        program = posixpath.basename((process.command.split() or [""])[0])
        if privileges.expected not in {process.name, str(process.uid)} and program not in _INITS:
            yield Observation(
                location=privileges.span,
                seen=f"`{process.command[:80]}` runs as {process.name}",
                expected=f"every process runs as {privileges.expected}",
                remedy=f"`exec` the service as {privileges.expected} at the end of its entrypoint",
                key=program,
            )
