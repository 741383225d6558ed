"""Memory at rest: what a service uses once everything is up and nobody asks it anything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, Exempt, Failed, Passed
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun

SAMPLES = 3
"""Looks at each container; the lowest counts, because something may just be at work."""
_PAUSE = 0.5


def drill(ground: Ground) -> Iterator[DrillRun]:
    """What every service uses, against its budget."""
    return ground.each(Drill.MEMORY, _memory, gentle=True)


def _memory(ground: Ground, name: str) -> DrillResult:
    used = sum(_least(ground, container) for container in ground.stack.containers(name))
    budget = ground.project.settings.service(name).memory_budget
    if budget is None:
        return Exempt(reason=f"it uses {format_size(used)}; `memory-budget` is not set")
    share = f"{format_size(used)} of {format_size(budget.size)}"
    if used <= budget.size:
        return Passed(seen=f"it uses {share}")
    return Failed(
        seen=f"it uses {share} at rest",
        remedy=f"find what holds it (`docker compose top {name}`), start fewer workers, or raise `memory-budget`",
        key="memory-budget",
        location=budget.origin,
    )


def _least(ground: Ground, container: Container) -> int:
    found: list[int] = []
    for number in range(SAMPLES):
        if number:
            time.sleep(_PAUSE)
        stats: dict[str, Any] = ground.patiently(
            lambda: ground.engine.client.api.stats(str(container.id), stream=False, one_shot=True), 0.0
        )
        found.append(in_use(stats.get("memory_stats") or {}, container.name or ""))
    return min(found)


def in_use(stats: dict[str, Any], container: str) -> int:
    """The bytes that a container uses, without what the kernel merely caches of files, as `docker stats` counts them.

    Raises `Unavailable` when the engine does not say.
    """
    if "usage" not in stats:
        raise Unavailable(f"the engine does not say how much memory {container} uses")
    details: dict[str, int] = stats.get("stats") or {}
    # The first is what version 1 of control groups calls it, the second version 2.
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))
    usage: int = stats["usage"]
    return usage - cached if cached < usage else usage
