"""New image does not take over what the old one has left.

What it checks
    With the drill `upgrade`, the images that hosts have (`--upgrade-from`, or `previous`) are started, data is written as
    for the drill `persist`, and the images of the project take their place on the same volumes. They must come up, pass
    their probes and links, and have the data.

Why it matters
    The images were tried on empty volumes. Those of a host are full, of files of another version, with other owners and
    modes; a database that will not open them is found out on the host otherwise.

How to fix
    Migrate in the entrypoint, before the service starts, or say how hosts are to be upgraded. Where the user of an image
    has changed, change the owner of what is on the volume, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service does not survive its upgrade", severity=Severity.ERROR, since="0.1")
def upgrade_not_survived(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.UPGRADE and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected="the new image works on the volumes of the old one, with all that was written",
            remedy=run.result.remedy,
            key=run.result.key,
        )
