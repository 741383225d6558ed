"""The smoke test: an isolated copy of the stack comes up, answers its probes, and its services reach each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hullmark._smoke.links import run_link
from hullmark._smoke.probes import run_probe
from hullmark._smoke.stack import running
from hullmark.errors import Interrupted
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Check
from hullmark.model.stack import LinkRun, StackRun, Unlinkable

if TYPE_CHECKING:
    from concurrent.futures import Future

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.stack import Stack
    from hullmark.model.progress import Progress
    from hullmark.model.project import Project
    from hullmark.model.stack import ProbeRun, ServiceRun

_TICK = 0.1


def smoke(project: Project, engine: Engine, commands: Commands, progress: Progress) -> StackRun:
    """One isolated run of the whole stack, with every configured probe and link.

    Probes and links are tried only when everything came up, because before that they say nothing new. Raises
    what `running` raises.
    """
    started = time.monotonic()
    timeout = project.settings.smoke_timeout

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

    with running(project, engine, commands, timeout=timeout, on_change=changed) as stack:
        services = stack.timeline.services()
        probes: tuple[ProbeRun, ...] = ()
        links: tuple[LinkRun | Unlinkable, ...] = ()
        if stack.timeline.is_ready():
            probes, links = _exercise(stack, project, progress)
            # A service may give up while it is asked.
            stack.catch_up()
            services = stack.timeline.services()
        services = tuple(run if run.ready else stack.diagnosed(run) for run in services)
        waited = time.monotonic() - started
        progress.begin(Check.SMOKE, None, "removing the stack")
    return StackRun(
        name=stack.name,
        services=tuple(replace(run, waited_for=waited, timed_out=stack.timed_out) for run in services),
        probes=probes,
        links=tuple(run for run in links if isinstance(run, LinkRun)),
        untried=tuple(run for run in links if isinstance(run, Unlinkable)),
        seconds=time.monotonic() - started,
        teardown_error=stack.teardown_error,
    )


def _exercise(
    stack: Stack, project: Project, progress: Progress
) -> tuple[tuple[ProbeRun, ...], tuple[LinkRun | Unlinkable, ...]]:
    """Every probe and link, side by side."""
    wanted = [(name, probe) for name, service in project.settings.services for probe in service.probes]
    progress.begin(Check.SMOKE, None, f"trying {len(wanted)} probes and {len(project.settings.links)} links")
    pool = ThreadPoolExecutor(max_workers=8)
    try:
        probes = [pool.submit(run_probe, stack, name, probe) for name, probe in wanted]
        links = [pool.submit(run_link, stack, link) for link in project.settings.links]
        pending: set[Future[Any]] = {*probes, *links}
        while pending:
            pending = wait(pending, timeout=_TICK).not_done
            if stack.engine.cancelled.is_set():
                raise Interrupted
        return tuple(f.result() for f in probes), tuple(f.result() for f in links)
    finally:
        # An attempt that waits for an answer ends with the stack, which nobody need wait for to remove.
        pool.shutdown(wait=False, cancel_futures=True)
