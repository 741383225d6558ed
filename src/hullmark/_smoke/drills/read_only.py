"""Read-only: the services run again, with root file systems that nobody can write to but where mounts allow it."""

from __future__ import annotations

import json
import posixpath
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hullmark._smoke.drills.ground import Ground, told
from hullmark._smoke.stack import running
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._smoke.drills.apart import Apart
    from hullmark._smoke.stack import Stack
    from hullmark.model.drill import DrillResult
    from hullmark.model.project import Project

_LOG = 200
"""Lines of a log that are searched for what could not be written."""
_SHOWN = 3
_REFUSED = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
_QUOTED = re.compile(r"""['"`\u2018\u201c](/[^'"`\u2019\u201d\n]+)['"`\u2019\u201d]""")
_BARE = re.compile(r"(?:^|[\s:=(])(/[^\s:;,'\"()\[\]]+)")


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
    found |= {name: Passed(seen="its root is read-only in the project, and it works") for name in already}
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
    timeout = project.settings.smoke_timeout
    with running(project, apart.engine, apart.commands, timeout=timeout) as stack:
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
        results: dict[str, DrillResult] = {name: _passed(stack, name) for name in good}
        results |= {
            name: _failed(name, why, refused(_log(stack, name)), apart.written.get(name, ()))
            for name, why in bad.items()
        }
    apart.removed(stack)
    return _Try(results=results, failed=frozenset(bad))


def _log(stack: Stack, name: str) -> str:
    found = [each.logs(tail=_LOG).decode("utf-8", "replace") for each in stack.containers(name)]
    return "\n".join(found)


def _passed(stack: Stack, name: str) -> Passed:
    paths = refused(_log(stack, name))
    missed = f", although it could not write {_listed(paths)}" if paths else ""
    return Passed(seen=f"it works with a read-only root{missed}")


def _failed(name: str, why: str, paths: tuple[str, ...], written: tuple[str, ...]) -> Failed:
    places = directories(paths or written)
    wrote = f"; otherwise it writes {_listed(written)}" if written and not paths else ""
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


def refused(log: str) -> tuple[str, ...]:
    """The paths that a log says could not be written because the file system is read-only, in its order."""
    found: list[str] = []
    for line in log.splitlines():
        if sign := _REFUSED.search(line):
            before, after = line[: sign.start()], line[sign.end() :]
            # Whoever quotes means the path; otherwise it is the last one before the reason, or the first after it.
            quoted = _QUOTED.findall(after)[:1] or _QUOTED.findall(before)[-1:]
            found += quoted or _BARE.findall(before)[-1:] or _BARE.findall(after)[:1]
    return tuple(dict.fromkeys(found))


def directories(paths: Iterable[str]) -> tuple[str, ...]:
    """The directories that `paths` lie in, without those that lie in another one."""
    parents = sorted({posixpath.dirname(path) or "/" for path in paths} - {"/"})
    kept: list[str] = []
    for each in parents:
        if not any(each.startswith(f"{other}/") for other in kept):
            kept.append(each)
    return tuple(kept)
