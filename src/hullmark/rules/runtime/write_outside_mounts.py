"""Service writes outside of its mounts, and works without.

What it checks
    With the drill `read-only`, the stack is started once more with `read_only: true` for every service. Of a service that
    works all the same, every directory of its root in which it wrote before, or into which it could not write by its log,
    is named. What a service does not work without is `writable-root-needed`.

Why it matters
    A write that is refused and survived is something that the service meant to keep: a cache, a file with its state, a
    core dump. Without a mount it is gone with the container, and with a read-only root it is never there.

How to fix
    Mount what it writes to, a volume for what must stay and `tmpfs` for the rest, or let it not write:

        services:
          web:
            read_only: true
            tmpfs: [/tmp, /run]
            environment:
              PYTHONDONTWRITEBYTECODE: "1"
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Passed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

SHOWN = 3
"""Names in one directory that a finding quotes."""


@rule(summary="service writes outside of its mounts", severity=Severity.WARNING, since="0.1")
def write_outside_mounts(run: DrillRun) -> Iterator[Observation]:
    if run.drill is not Drill.READ_ONLY or not isinstance(run.result, Passed):
        return
    places: dict[str, list[str]] = {}
    for path in run.result.missed:
        places.setdefault(posixpath.dirname(path) or "/", []).append(path)
    for directory, paths in sorted(places.items()):
        shown = ", ".join(f"`{path}`" for path in paths[:SHOWN])
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        yield Observation(
            location=run.span,
            seen=f"it writes {shown}{more}, and works with a read-only root without",
            expected="nothing is written outside of mounts",
            remedy=f"mount a volume or `tmpfs` at `{directory}`, or let `{run.service}` not write there",
            key=directory,
        )
