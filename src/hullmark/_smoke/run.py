"""The smoke test: an isolated copy of the stack comes up, answers its probes, and its services reach each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hullmark._compose import unscaled
from hullmark._smoke.drills import Drilled, drill_apart, drill_stack, old_images, undrilled, wanted
from hullmark._smoke.links import run_link
from hullmark._smoke.probes import forbidden, run_probe
from hullmark._smoke.stack import running
from hullmark.errors import Interrupted
from hullmark.model.drill import Drill
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Check
from hullmark.model.stack import LinkRun, ProbeRun, StackRun, Unlinkable, UntriedProbe

if TYPE_CHECKING:
    from concurrent.futures import Future

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import Probe
    from hullmark.model.progress import Progress
    from hullmark.model.project import Project
    from hullmark.model.stack import ServiceRun

_TICK = 0.1
_NO_CONTAINER = "the project wants no container of it (`scale` or `deploy.replicas` is 0)"


def smoke(project: Project, engine: Engine, commands: Commands, progress: Progress) -> StackRun:
    """One isolated run of the whole stack, with every configured probe and link, and the drills that are asked for.

    Probes and links are tried only when everything came up, because before that they say nothing new; otherwise
    they are among what was not tried. Drills need a stack that works, so they follow when all of these have passed.
    Raises what `running` raises, and `ConfigurationError` for images to upgrade from that make no sense.
    """
    started = time.monotonic()
    timeout = project.settings.smoke_timeout
    if Drill.UPGRADE in wanted(project):
        old_images(project)  # before anything is started that a mistake would make useless

    def changed(run: ServiceRun) -> None:
        if run.ready:
            at = run.healthy if run.healthy is not None else run.started or 0.0
            progress.end(Check.SMOKE, run.service, f"{run.state} after {format_duration(at)}", good=True)
        elif run.state.failed:
            progress.end(Check.SMOKE, run.service, str(run.state), good=False)
        else:
            progress.begin(
                Check.SMOKE, run.service, "waiting to be healthy" if run.started else str(run.state)
            )

    def noted(notes: tuple[str, ...]) -> None:
        for note in notes:
            progress.end(Check.SMOKE, None, note, good=True)

    with running(project, engine, commands, timeout=timeout, on_change=changed, on_notes=noted) as stack:
        services = stack.timeline.services()
        probes: tuple[ProbeRun | UntriedProbe, ...]
        links: tuple[LinkRun | Unlinkable, ...]
        tried = stack.timeline.is_ready()
        if not tried:
            probes, links = _untried(project, _why_not(services, stack))
        else:
            probes, links = _exercise(stack, project, progress)
            # A service may give up while it is asked.
            stack.catch_up()
            services = stack.timeline.services()
        services = tuple(run if run.ready else stack.diagnosed(run) for run in services)
        waited = time.monotonic() - started
        # Drills make services say what they must not say otherwise.
        logs = forbidden(stack, project)
        drilled = _drilled(stack, commands, progress, services, probes, links)
        progress.begin(Check.SMOKE, None, "removing the stack")
    if not stack.teardown_error:
        drill_apart(project, engine, commands, progress, stack, drilled)
    return StackRun(
        name=stack.name,
        services=tuple(
            replace(
                run,
                waited_for=waited,
                timed_out=stack.timed_out,
                timeout_origin=dict(project.settings.origins).get("smoke.timeout", ""),
            )
            for run in services
        ),
        probes=tuple(run for run in probes if isinstance(run, ProbeRun)),
        links=tuple(run for run in links if isinstance(run, LinkRun)),
        untried=tuple(run for run in links if isinstance(run, Unlinkable)),
        unprobed=tuple(run for run in probes if isinstance(run, UntriedProbe)),
        tried=tried,
        logs=logs,
        unwanted=tuple(sorted(unscaled(project))),
        notes=stack.notes,
        seconds=time.monotonic() - started,
        teardown_error="; ".join(filter(None, (stack.teardown_error, *drilled.left))) or None,
        drills=tuple(drilled.runs),
    )


def _drilled(
    stack: Stack,
    commands: Commands,
    progress: Progress,
    services: tuple[ServiceRun, ...],
    probes: tuple[ProbeRun | UntriedProbe, ...],
    links: tuple[LinkRun | Unlinkable, ...],
) -> Drilled:
    """What has come of the drills of a stack of which all this is known."""
    failed = [
        f"the probe of `{run.service}` ({run.probe})"
        for run in probes
        if isinstance(run, ProbeRun) and not run.passed
    ]
    failed += [f"the link {run.link}" for run in links if isinstance(run, LinkRun) and not run.passed]
    why = ""
    if not all(run.ready for run in services):
        why = _why_not(services, stack)
    elif failed:
        why = f"{failed[0]} does not pass"
    if why:
        names = [run.service for run in services]
        return Drilled(runs=[*undrilled(stack.project, names, why)], given_up=True)
    return drill_stack(stack, commands, progress, [run.link for run in links if isinstance(run, LinkRun)])


def _why_not(services: tuple[ServiceRun, ...], stack: Stack) -> str:
    """Why nothing is tried."""
    failed = [run.service for run in services if run.state.failed]
    behind = failed or [run.service for run in services if not run.ready]
    names = ", ".join(f"`{name}`" for name in behind)
    return f"{names} did not come up{' in time' if stack.timed_out and not failed else ''}"


def _untried(project: Project, reason: str) -> tuple[tuple[UntriedProbe, ...], tuple[Unlinkable, ...]]:
    """Every probe and link, as not tried for `reason`."""
    return (
        tuple(UntriedProbe(service=name, probe=probe, reason=reason) for name, probe in _probes(project)),
        tuple(Unlinkable(link=link, reason=reason) for link in project.settings.links),
    )


def _probes(project: Project) -> list[tuple[str, Probe]]:
    return [(name, probe) for name, service in project.settings.services for probe in service.probes]


def _exercise(
    stack: Stack, project: Project, progress: Progress
) -> tuple[tuple[ProbeRun | UntriedProbe, ...], tuple[LinkRun | Unlinkable, ...]]:
    """Every probe and link, side by side; those of services without containers are not tried."""
    none = unscaled(project)
    untried, unlinked = _untried(project, _NO_CONTAINER)
    idle = tuple(each for each in untried if each.service in none)
    cut = tuple(each for each in unlinked if each.link.from_service in none)
    wanted = [(name, probe) for name, probe in _probes(project) if name not in none]
    called = [link for link in project.settings.links if link.from_service not in none]
    if not wanted and not called:
        return idle, cut
    progress.begin(Check.SMOKE, None, f"trying probes ({len(wanted)}) and links ({len(called)})")
    pool = ThreadPoolExecutor(max_workers=8)
    try:
        probes = [pool.submit(run_probe, stack, name, probe) for name, probe in wanted]
        links = [pool.submit(run_link, stack, link) for link in called]
        pending: set[Future[Any]] = {*probes, *links}
        while pending:
            pending = wait(pending, timeout=_TICK).not_done
            if stack.engine.cancelled.is_set():
                raise Interrupted
        return (*(f.result() for f in probes), *idle), (*(f.result() for f in links), *cut)
    finally:
        # An attempt that waits for an answer ends with the stack, which nobody need wait for to remove.
        pool.shutdown(wait=False, cancel_futures=True)
