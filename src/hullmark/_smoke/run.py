"""The smoke test: an isolated copy of the stack comes up, answers its probes, and its services reach each other."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._compose import unscaled
from hullmark._smoke.artifacts import Artifacts
from hullmark._smoke.drills import Apart, Drilled, drill_apart, drill_stack, old_images, undrilled, wanted
from hullmark._smoke.exercise import exercise, untried
from hullmark._smoke.fetch import fetch_given
from hullmark._smoke.probes import forbidden
from hullmark._smoke.secrecy import Discreet, Secrecy
from hullmark._smoke.stack import running
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Check
from hullmark.model.service_run import State, blocked_by
from hullmark.model.stack import Aftermath, Kept, LinkRun, ProbeRun, StackRun, Unlinkable, UntriedProbe

if TYPE_CHECKING:
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.exercise import Exercise
    from hullmark._smoke.stack import Stack
    from hullmark.model.progress import Progress
    from hullmark.model.project import Project
    from hullmark.model.service_run import ServiceRun


def smoke(
    project: Project,
    engine: Engine,
    commands: Commands,
    progress: Progress,
    aftermath: Aftermath = Aftermath(),  # noqa: B008  # it cannot change
) -> StackRun:
    """One isolated run of the whole stack, with every configured probe and link, and the drills that are asked for.

    Probes and links are tried only when everything came up, because before that they say nothing new; otherwise
    they are among what was not tried. Drills need a stack that works, so they follow when all of these have passed.
    Raises what `running` raises, and `ConfigurationError` for images to upgrade from that make no sense.
    """
    started = time.monotonic()
    if Drill.UPGRADE in wanted(project):
        old_images(project)  # before anything is started that a mistake would make useless
    fetch_given(project, engine, commands, progress)
    telling = _Telling(progress=progress, aftermath=aftermath)
    kept: Kept | None = None
    with running(
        project,
        engine,
        commands,
        timeout=project.settings.smoke_timeout,
        keep=aftermath.keep,
        on_change=telling.changed,
        on_notes=telling.noted,
        on_end=telling.ended,
    ) as stack:
        telling.begun(stack)
        # What services say is passed on from here.
        progress = Discreet(progress=progress, secrecy=Secrecy.of(stack.copy))
        tried = stack.timeline.is_ready() and not stack.late
        if tried:
            found = exercise(stack, project, progress)
            # A service may give up while it is asked.
            stack.take_stock()
        else:
            services = stack.timeline.services()
            telling.failed(services)
            found = untried(project, _why_not(services, stack))
        waited = time.monotonic() - started
        services = tuple(
            _judged(run if run.ready else stack.diagnosed(run), stack, waited)
            for run in stack.timeline.judged(None if tried else stack.ended_waiting)
        )
        # Drills make services say what they must not say otherwise.
        logs = forbidden(stack, project)
        drilled = _drilled(stack, commands, progress, services, found)
        if aftermath.keep:
            kept = _kept(stack, services)
    if not stack.teardown_error:
        apart = Apart(
            project=project,
            engine=engine,
            commands=commands,
            progress=progress,
            services=tuple(sorted(stack.timeline.wanted)),
            links=drilled.links,
            written=drilled.written,
            on_begin=telling.begun,
            on_end=telling.drill_ended,
        )
        drill_apart(apart, drilled)
    run = StackRun(
        name=stack.name,
        services=services,
        probes=tuple(run for run in found.probes if isinstance(run, ProbeRun)),
        links=tuple(run for run in found.links if isinstance(run, LinkRun)),
        untried=tuple(run for run in found.links if isinstance(run, Unlinkable)),
        unprobed=tuple(run for run in found.probes if isinstance(run, UntriedProbe)),
        tried=tried,
        logs=logs,
        unwanted=tuple(sorted(unscaled(project))),
        notes=stack.notes,
        seconds=time.monotonic() - started,
        teardown_error="; ".join(filter(None, (stack.teardown_error, *drilled.left))) or None,
        drills=tuple(drilled.runs),
        kept=kept,
        artifacts=telling.artifacts,
        artifacts_error=telling.artifacts_error,
    )
    return Secrecy.of(stack.copy).run(run)


@dataclass(kw_only=True)
class _Telling:
    """Tells the person in front what happens to the stack, and writes the artifacts at its end."""

    progress: Progress
    aftermath: Aftermath
    artifacts: str | None = None
    artifacts_error: str | None = None
    _kept: dict[str, Artifacts] = field(default_factory=dict)
    """What there is to know of each stack that was started, by its name."""
    _drills: Counter[Drill] = field(default_factory=Counter)
    """How many stacks each drill has started."""

    def changed(self, run: ServiceRun) -> None:
        if run.ready:
            at = run.healthy if run.healthy is not None else run.started or 0.0
            self.progress.end(Check.SMOKE, run.service, f"{run.state} after {format_duration(at)}", good=True)
        elif run.state.failed:
            after = "" if run.ended is None else f" after {format_duration(run.ended)}"
            self.progress.end(Check.SMOKE, run.service, f"{run.fate}{after}", good=False)
        elif run.unanswered:
            self.progress.begin(Check.SMOKE, run.service, "running; its probes say whether it is up")
        else:
            waits = run.has_health_check and run.state is State.RUNNING
            self.progress.begin(
                Check.SMOKE, run.service, "waiting to be healthy" if waits else str(run.state)
            )

    def failed(self, services: tuple[ServiceRun, ...]) -> None:
        """Tells which services are given up because of others."""
        for run in services:
            if behind := blocked_by(services, run.service):
                self.progress.end(Check.SMOKE, run.service, f"waits for {behind}", good=False)

    def noted(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            self.progress.end(Check.SMOKE, None, note, good=True)

    def begun(self, stack: Stack, drill: Drill | None = None) -> None:
        """Has kept from now on what there is to know of `stack`, which may be that of a drill."""
        if (artifacts := self._artifacts(stack, drill)) is not None:
            stack.on_replace = artifacts.keep

    def ended(self, stack: Stack) -> None:
        if (artifacts := self._artifacts(stack)) is not None:
            self.progress.begin(Check.SMOKE, None, "writing logs, events and health")
            if self._written(artifacts):
                self.artifacts = str(artifacts.whole)
                self.progress.end(Check.SMOKE, None, f"logs, events and health: {self.artifacts}", good=True)
        if not self.aftermath.keep:
            self.progress.begin(Check.SMOKE, None, "removing the stack")

    def drill_ended(self, stack: Stack, drill: Drill) -> None:
        if self.artifacts is not None and (artifacts := self._artifacts(stack, drill)) is not None:
            self._written(artifacts)

    def _artifacts(self, stack: Stack, drill: Drill | None = None) -> Artifacts | None:
        """What is kept of `stack`, if anything is: of that of a drill among what is kept of the first."""
        directory = self.aftermath.artifacts
        if directory is None:
            return None
        if stack.name not in self._kept:
            name = ""
            if drill is not None:
                self._drills[drill] += 1
                directory = Path(self.artifacts or directory) / "drills"
                name = f"{drill}-{self._drills[drill]}"
            self._kept[stack.name] = Artifacts(stack=stack, directory=directory, name=name)
        return self._kept[stack.name]

    def _written(self, artifacts: Artifacts) -> bool:
        try:
            artifacts.write()
        except Unavailable as error:
            # What was found out of the stack counts, and it still has to be removed.
            self.artifacts_error = error.message
            self.progress.end(Check.SMOKE, None, error.message, good=False)
            return False
        return True


def _drilled(
    stack: Stack,
    commands: Commands,
    progress: Progress,
    services: tuple[ServiceRun, ...],
    found: Exercise,
) -> Drilled:
    """What has come of the drills of a stack of which all this is known."""
    failed = [
        f"the probe of `{run.service}` ({run.probe})"
        for run in found.probes
        if isinstance(run, ProbeRun) and not run.passed
    ]
    # What was derived holds nobody to anything.
    links = [run for run in found.links if isinstance(run, LinkRun) and not run.link.derived]
    failed += [f"the link {run.link}" for run in links if not run.passed]
    why = ""
    if failed:
        why = f"{failed[0]} does not pass"
    elif not all(run.ready for run in services):
        why = _why_not(services, stack)
    if why:
        names = [run.service for run in services]
        return Drilled(runs=[*undrilled(stack.project, names, why)], given_up=True)
    return drill_stack(stack, commands, progress, [run.link for run in links])


def _judged(run: ServiceRun, stack: Stack, waited: float) -> ServiceRun:
    """`run` with what the wait for it was limited by."""
    late = run.service in stack.late
    own = stack.project.settings.service(run.service).timeout
    if late and own is not None and run.service in stack.timeline.overdue(stack.ended_waiting):
        since = run.started or 0.0
        return replace(
            run, timed_out=True, waited_for=stack.ended_waiting - since, timeout_origin=str(own.origin)
        )
    origin = dict(stack.project.settings.origins).get("smoke.timeout", "")
    return replace(run, timed_out=late, waited_for=waited, timeout_origin=origin)


def _kept(stack: Stack, services: tuple[ServiceRun, ...]) -> Kept:
    """How to get at the stack once hullmark has ended."""
    addresses = []
    found = [run.service for run in services if stack.containers(run.service)]
    for service in found:
        ports = stack.container(service).attrs["NetworkSettings"]["Ports"] or {}
        for port, bound in sorted(ports.items()):
            if bound and port.endswith("/tcp"):
                number = int(port.removesuffix("/tcp"))
                addresses.append((service, number, f"{bound[0]['HostIp']}:{bound[0]['HostPort']}"))
    return Kept(name=stack.name, services=tuple(found), addresses=tuple(addresses))


def _why_not(services: tuple[ServiceRun, ...], stack: Stack) -> str:
    """Why nothing is tried."""
    failed = [run.service for run in services if run.state.failed]
    behind = failed or sorted(stack.late)
    names = ", ".join(f"`{name}`" for name in behind)
    return f"{names} did not come up{'' if failed else ' in time'}"
