"""Read-only: the services run again, with root file systems that nobody can write to but where mounts allow it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hullmark._smoke.drills.ground import Ground, told
from hullmark._smoke.drills.written import directories, log, refused
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._smoke.drills.apart import Apart
    from hullmark._smoke.drills.written import Written
    from hullmark.model.drill import DrillResult
    from hullmark.model.project import Project

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """One start of the stack with read-only roots."""

    results: dict[str, DrillResult]
    """Of the services about which this start says something."""
    failed: frozenset[str]


def drill(apart: Apart) -> Iterator[DrillRun]:
    """Starts all services with read-only roots; what fails gets its root back, so that what waits for it is seen too."""
    wanted = {name for name in apart.services if not apart.skips(name, Drill.READ_ONLY)}
    already = {name for name in wanted if _raw(apart.project)[name].get("read_only")}
    found: dict[str, DrillResult] = {
        name: Exempt(reason=f"left out by `skip` of `[services.{name}.drills]`")
        for name in set(apart.services) - wanted
    }
    found |= {
        name: _passed(written, written.refused, "its root is read-only in the project, and it works")
        for name, written in apart.written.items()
        if name in already
    }
    began = time.monotonic()
    left = wanted - already
    while left:
        apart.begin(f"drill {Drill.READ_ONLY} ({len(left)} service{'' if len(left) == 1 else 's'})")
        try:
            tried = _start(apart, left)
        except Unavailable as error:
            found |= {name: Undrilled(error=error.message) for name in left}
            break
        found |= tried.results
        if not tried.failed:
            found |= {
                name: Undrilled(error="it did not come up, and does not say why")
                for name in left - set(found)
            }
            break
        left -= tried.failed
    seconds = time.monotonic() - began
    for name in apart.services:
        run = DrillRun(
            drill=Drill.READ_ONLY,
            service=name,
            span=apart.project.service(name).span,
            result=found[name],
            seconds=seconds if name in wanted - already else 0.0,
        )
        told(apart.progress, run)
        yield run


def _raw(project: Project) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = json.loads(project.resolved)["services"]
    return services


def hardened(project: Project, names: Iterable[str]) -> Project:
    """`project` with read-only roots for the services `names`."""
    raw = json.loads(project.resolved)
    for name in names:
        raw["services"][name]["read_only"] = True
    return replace(project, resolved=json.dumps(raw))


def _start(apart: Apart, names: set[str]) -> _Try:
    """What comes of a start with read-only roots for `names`."""
    project = hardened(apart.project, names)
    with apart.running(Drill.READ_ONLY, project) as stack:
        runs = stack.timeline.services()
        ground = Ground(stack=stack, commands=apart.commands, progress=apart.progress, links=apart.links)
        bad = {run.service: str(run.state) for run in runs if run.service in names and run.state.failed}
        if not bad and not stack.timeline.is_ready():
            bad = {run.service: "not up in time" for run in runs if run.service in names and not run.ready}
        if stack.timeline.is_ready():
            bad = {name: why for name in sorted(names) if (why := ground.unanswered((name,)))}
            good = names - set(bad)
        else:
            good = set()
        said = {name: refused(log(stack, name)) for name in (*good, *bad)}
        results: dict[str, DrillResult] = {
            name: _passed(apart.written[name], said[name], "it works with a read-only root") for name in good
        }
        results |= {name: _failed(name, why, said[name], apart.written[name]) for name, why in bad.items()}
    return _Try(results=results, failed=frozenset(bad))


def _passed(written: Written, said: tuple[str, ...], how: str) -> Passed:
    """That a service works, and what it could not write; its log need not say so of what it writes otherwise."""
    missed = tuple(sorted({*written.paths, *said} - written.stowed))
    without = f", although it cannot write {_listed(missed)}" if missed else ""
    return Passed(seen=f"{how}{without}", missed=missed)


def _failed(name: str, why: str, paths: tuple[str, ...], written: Written) -> Failed | Exempt:
    if paths and written.stowed.issuperset(paths):
        return Exempt(reason=f"it needs to write {_listed(paths)}, which only the copy keeps read-only then")
    places = directories(paths or written.paths)
    wrote = f"; otherwise it writes {_listed(written.paths)}" if written.paths and not paths else ""
    remedy = (
        f"mount what it writes to (`tmpfs: [{', '.join(places[:_SHOWN])}]`, or a volume for what must stay) and set "
        f"`read_only: true` for `{name}`"
    )
    return Failed(
        seen=f"with a read-only root it is {why}: it cannot write {_listed(paths)}"
        if paths
        else f"with a read-only root it is {why}, and its log names no path{wrote}",
        remedy=remedy
        if places
        else f"look for what `{name}` writes (`docker diff`), and mount a volume or `tmpfs` there",
        key=", ".join(places) or "unknown",
    )


def _listed(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:_SHOWN]) + more
