"""Restart: each service is stopped and started, and it and all that depend on it work again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hullmark.model.drill import Drill, Failed, Passed
from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun


def drill(ground: Ground) -> Iterator[DrillRun]:
    """A restart of every service."""
    return ground.each(Drill.RESTART, _restart)


def _restart(ground: Ground, name: str) -> DrillResult:
    for container in ground.stack.containers(name):
        grace = ground.grace(container)
        ground.patiently(lambda c=container, g=grace: c.restart(timeout=round(g)), grace)  # type: ignore[misc]  # a default is no parameter
    began = time.monotonic()
    if reason := ground.aftermath(name):
        return Failed(
            seen=f"after a restart of `{name}`: {reason}",
            remedy=f"see what `docker compose restart {name}` does to it and to what calls it; callers must connect again "
            "by themselves",
            key="aftermath",
        )
    others = ground.dependents(name)
    again = f"it and {', '.join(f'`{other}`' for other in others)} work" if others else "it works"
    return Passed(seen=f"{again} again after {format_duration(time.monotonic() - began)}")
