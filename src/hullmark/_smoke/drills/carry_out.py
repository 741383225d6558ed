"""Which drills run, in what order, and what becomes of those that cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._smoke.drills import kill, memory, partition, persist, read_only, restart, stop, upgrade, user
from hullmark._smoke.drills.ground import Ground
from hullmark._smoke.drills.written import written_by
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, DrillRun, Undrilled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hullmark._process import Commands
    from hullmark._smoke.drills.apart import Apart
    from hullmark._smoke.drills.written import Written
    from hullmark._smoke.stack import Stack
    from hullmark.model.progress import Progress
    from hullmark.model.project import Link, Project

IN_PLACE: Mapping[Drill, Callable[[Ground], Iterator[DrillRun]]] = {
    Drill.MEMORY: memory.drill,
    Drill.USER: user.drill,
    Drill.STOP: stop.drill,
    Drill.RESTART: restart.drill,
    Drill.KILL: kill.drill,
    Drill.PARTITION: partition.drill,
    Drill.PERSIST: persist.drill,
}
"""The drills of the stack that is up, the gentle ones first."""
APART: Mapping[Drill, Callable[[Apart], Iterator[DrillRun]]] = {
    Drill.READ_ONLY: read_only.drill,
    Drill.UPGRADE: upgrade.drill,
}
"""Those that need a stack of their own."""


@dataclass(kw_only=True)
class Drilled:
    """What has come of the drills so far."""

    runs: list[DrillRun] = field(default_factory=list)
    links: tuple[Link, ...] = ()
    """The links that held."""
    written: dict[str, Written] = field(default_factory=dict)
    """What each service did to its own root."""
    given_up: bool = False
    """Whether there is nothing that could be drilled."""
    left: list[str] = field(default_factory=list)
    """What could not be removed of the stacks that drills started."""


def wanted(project: Project) -> tuple[Drill, ...]:
    """The drills that are asked for; a memory budget asks for its own."""
    asked = set(project.settings.smoke_drills)
    if any(service.memory_budget is not None for _, service in project.settings.services):
        asked.add(Drill.MEMORY)
    return tuple(drill for drill in Drill if drill in asked)


def drill_stack(stack: Stack, commands: Commands, progress: Progress, links: Iterable[Link]) -> Drilled:
    """Every drill that is asked for and that `stack`, which works and whose `links` hold, can be put to.

    It is well again after each, or the rest is not tried. Raises `Interrupted` when the user asks to stop.
    """
    drilled = Drilled(links=tuple(links))
    chosen = wanted(stack.project)
    # What its containers go through now is no part of how it came up.
    stack.on_change = lambda _: None
    ground = Ground(stack=stack, commands=commands, progress=progress, links=drilled.links)
    if Drill.READ_ONLY in chosen:
        drilled.written = written_by(stack)
    if set(chosen) & set(IN_PLACE):
        ground.restore_policies()
    for drill in (each for each in chosen if each in IN_PLACE):
        _gather(drilled, drill, stack.project, ground.services, IN_PLACE[drill](ground))
    return drilled


def drill_apart(apart: Apart, drilled: Drilled) -> None:
    """Adds to `drilled` what comes of those drills that start the services once more, when the first stack is gone."""
    if drilled.given_up:
        return
    for drill in (each for each in wanted(apart.project) if each in APART):
        _gather(drilled, drill, apart.project, apart.services, APART[drill](apart))
    drilled.left += apart.left


def _gather(
    drilled: Drilled, drill: Drill, project: Project, services: Iterable[str], runs: Iterator[DrillRun]
) -> None:
    """Takes `runs` into `drilled`; where they break off, the services that were still to come are undrilled."""
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine
    from requests import RequestException  # noqa: PLC0415

    done: set[str] = set()
    try:
        for run in runs:
            drilled.runs.append(run)
            done.add(run.service)
    except (Unavailable, DockerException, RequestException, OSError) as error:
        why = error.message if isinstance(error, Unavailable) else str(error)
        drilled.runs += _undrilled(project, drill, (name for name in services if name not in done), why)


def undrilled(project: Project, services: Iterable[str], why: str) -> tuple[DrillRun, ...]:
    """Every drill that is asked for, as not tried."""
    return tuple(run for drill in wanted(project) for run in _undrilled(project, drill, services, why))


def _undrilled(project: Project, drill: Drill, services: Iterable[str], why: str) -> list[DrillRun]:
    return [
        DrillRun(drill=drill, service=name, span=project.service(name).span, result=Undrilled(error=why))
        for name in services
    ]
