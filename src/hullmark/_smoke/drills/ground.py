"""A stack while it is drilled: who is well, who depends on whom, and how everything gets well again."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from hullmark._compose import with_restart_policies
from hullmark._smoke.drills.vitals import Vitals
from hullmark._smoke.links import run_link
from hullmark._smoke.probes import PAUSE, run_probe
from hullmark._smoke.refusals import reason
from hullmark._smoke.stack import compose, stow_files
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.drill import DrillRun, Exempt, Failed, Passed, Undrilled
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Check
from hullmark.model.probe import LogProbe
from hullmark.model.stack import LinkRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.stack import Stack
    from hullmark.model.drill import Drill, DrillResult
    from hullmark.model.location import SourceSpan
    from hullmark.model.probe import Probe
    from hullmark.model.progress import Progress
    from hullmark.model.project import Link, Project, Service

T = TypeVar("T")

GRACE = 10.0
"""Seconds that a container may take to stop where the project says nothing else; the engine's own default."""
_HANGING = 60.0
"""Seconds beyond what something may take after which the engine is believed to hang."""


@dataclass(kw_only=True)
class Ground:
    """A stack that is up, and what drills do with it."""

    stack: Stack
    commands: Commands
    progress: Progress
    links: tuple[Link, ...] = ()
    """The links that held before anything was drilled."""
    lost: str = ""
    """Why the stack cannot be drilled any more, once it did not get well again."""
    vitals: Vitals = field(init=False)

    def __post_init__(self) -> None:
        self.vitals = Vitals(stack=self.stack)

    @property
    def project(self) -> Project:
        """The project whose copy it is."""
        return self.stack.project

    @property
    def engine(self) -> Engine:
        """The engine that it runs on."""
        return self.stack.engine

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that has containers, sorted."""
        return tuple(sorted(self.stack.timeline.wanted))

    @property
    def raw(self) -> dict[str, dict[str, Any]]:
        """What Compose was told of each service."""
        services: dict[str, dict[str, Any]] = json.loads(self.stack.copy.configuration)["services"]
        return services

    def restore_policies(self) -> None:
        """Gives the containers the restart policies that the project declares: what drills do is what these are for."""

        def restored() -> DrillResult:
            for service in self.project.services:
                if (
                    service.restarts
                    and service.name in self.services
                    and not self.vitals.is_done(service.name)
                ):
                    for container in self.stack.containers(service.name):
                        container.update(restart_policy=declared(service))
            return Passed(seen="")

        result = carried_out(restored)
        if isinstance(result, Undrilled):
            self.lost = f"restart policies could not be set: {result.error}"

    # --- carrying out ----------------------------------------------------------------------------------------------

    def each(
        self, drill: Drill, work: Callable[[Ground, str], DrillResult], *, gentle: bool = False
    ) -> Iterator[DrillRun]:
        """`work` for every service that still runs, one after the other; with `gentle`, nothing has to heal."""
        for name in self.services:
            yield self.attempt(drill, name, lambda name=name: self._alive(name, work), gentle=gentle)  # type: ignore[misc]  # a default is no parameter

    def _alive(self, name: str, work: Callable[[Ground, str], DrillResult]) -> DrillResult:
        if self.vitals.is_done(name):
            return Exempt(reason="it has done its work and ended")
        return work(self, name)

    def one_by_one(self, service: str, work: Callable[[Container], DrillResult]) -> DrillResult:
        """What `work` finds of the containers of `service`: of the first that does not stand it, or of the last."""
        containers = self.vitals.at_work(service)
        result = work(containers[0])
        if len(containers) == 1:
            return result
        for number, container in enumerate(containers, 1):
            if number > 1:
                result = work(container)
            if isinstance(result, Failed):
                return replace(result, seen=f"container {number} of {len(containers)}: {result.seen}")
        if isinstance(result, Passed):
            return replace(result, seen=f"{len(containers)} containers, of the last: {result.seen}")
        return result

    def attempt(
        self,
        drill: Drill,
        service: str,
        work: Callable[[], DrillResult],
        *,
        subject: str = "",
        span: SourceSpan | None = None,
        gentle: bool = False,
        took: float = 0.0,
    ) -> DrillRun:
        """One drill of one service, after which everything is well again, or `lost` says why not.

        With `took`, that many seconds were spent on it before, together with others.
        """
        began = time.monotonic()
        if drill in self.project.settings.service(service).drills.skip:
            result: DrillResult = Exempt(reason=f"left out by `skip` of `[services.{service}.drills]`")
        elif self.lost:
            result = Undrilled(error=f"not tried: {self.lost}")
        else:
            self.progress.begin(Check.SMOKE, service, f"drill {drill}{f' {subject}' if subject else ''}")
            result = carried_out(work)
        run = DrillRun(
            drill=drill,
            service=service,
            span=span or self.project.service(service).span,
            result=result,
            subject=subject,
            seconds=took + time.monotonic() - began,
        )
        if not self.lost:
            told(self.progress, run)
            if not gentle and not isinstance(result, Exempt):
                self.heal(f"the drill `{drill}` of `{service}`")
        return run

    def patiently(self, action: Callable[[], T], seconds: float) -> T:
        """What `action` returns, which may take `seconds`; raises `Unavailable` when it takes far longer.

        Raises `Interrupted` at once when the user asks to stop: what hangs ends with the stack.
        """
        ended: list[T] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                ended.append(action())
            except Exception as error:  # noqa: BLE001  # for whoever waits
                failed.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        deadline = time.monotonic() + seconds + _HANGING
        while thread.is_alive():
            thread.join(PAUSE)
            if self.engine.cancelled.is_set():
                raise Interrupted
            if thread.is_alive() and time.monotonic() > deadline:
                raise Unavailable(f"the engine did not answer within {format_duration(seconds + _HANGING)}")
        if failed:
            raise failed[0]
        return ended[0]

    # --- who is who ------------------------------------------------------------------------------------------------

    def within(self, service: str) -> float:
        """Seconds within which `service` must be well again."""
        own = self.project.settings.service(service).drills.timeout
        return self.project.settings.drill_timeout if own is None else own

    def grace(self, container: Container) -> float:
        """Seconds that `container` has to stop."""
        configured = container.attrs["Config"].get("StopTimeout")
        return GRACE if configured is None else float(configured)

    def callee(self, link: Link) -> str | None:
        """The service that `link` calls; `None` when it is none of the project."""
        host = urlsplit(link.to).hostname or ""
        if host in self.services:
            return host
        for name, value in self.raw.items():
            joined = [each or {} for each in (value.get("networks") or {}).values()]
            if name in self.services and any(host in (each.get("aliases") or ()) for each in joined):
                return name
        return None

    def dependents(self, service: str) -> tuple[str, ...]:
        """The services that depend on `service`, or call it, sorted; also by way of others."""
        called = {(link.from_service, self.callee(link)) for link in self.links}
        called |= {(each.name, other) for each in self.project.services for other, _ in each.depends_on}
        found: set[str] = set()
        todo = [service]
        while todo:
            name = todo.pop()
            new = {caller for caller, other in called if other == name} & set(self.services) - found - {
                service
            }
            found |= new
            todo += new
        return tuple(sorted(found))

    # --- getting well ----------------------------------------------------------------------------------------------

    def unwell(self, services: Iterable[str], seconds: float | None = None) -> str:
        """Why not all of `services` get well within `seconds`, or each within its own time; empty when they do."""
        began = time.monotonic()
        services = tuple(services)
        while True:
            found = {name: self.vitals.of(name) for name in services}
            bad = {name: each for name, each in found.items() if each.reason}
            if not bad:
                return ""
            if any(each.final for each in bad.values()):
                return "; ".join(each.reason for each in bad.values() if each.final)
            longest = max(self.within(name) for name in bad) if seconds is None else seconds
            if time.monotonic() - began > longest:
                return f"{'; '.join(each.reason for each in bad.values())} after {format_duration(longest)}"
            if self.engine.cancelled.wait(PAUSE):
                raise Interrupted

    def probes(self, service: str) -> tuple[Probe, ...]:
        """The probes of `service` that ask it something now; what its log holds is no answer to what a drill does."""
        found = self.project.settings.service(service).probes
        return tuple(probe for probe in found if not isinstance(probe, LogProbe))

    def unanswered(self, services: Iterable[str]) -> str:
        """The first probe or link of `services` that does not pass any more; empty when all do."""
        services = set(services)
        for name in sorted(services):
            for probe in self.probes(name):
                for container in self.vitals.at_work(name):
                    run = run_probe(self.stack.looking_at(container), name, probe)
                    if not run.passed:
                        return f"the probe of `{name}` ({probe}) fails: {run.seen}"
        for link in self.links:
            if link.from_service in services or self.callee(link) in services:
                tried = run_link(self.stack, link)
                if not isinstance(tried, LinkRun) or not tried.passed:
                    why = tried.seen if isinstance(tried, LinkRun) else tried.reason
                    return f"the link {link} fails: {why}"
        return ""

    def aftermath(self, service: str) -> str:
        """Why `service` and those that depend on it are not as before; empty when they are, and answer."""
        others = self.dependents(service)
        return (
            self.unwell((service,))
            or self.unwell(others)
            or self.examined(others)
            or self.unanswered((service, *others))
        )

    def examined(self, services: Iterable[str]) -> str:
        """What is wrong with the first of `services` whose own health check does not pass within its time; empty if none."""
        found = (self.vitals.examined(name, self.within(name)) for name in services)
        return next((wrong for wrong in found if wrong), "")

    def heal(self, after: str) -> None:
        """Starts again what is down, and where that is no help replaces its containers; otherwise gives up."""

        def cured() -> DrillResult:
            for cure in (self._start, self.recreate):
                # What is down stays down; what is only unwell may get well by itself.
                if not self.unwell(self.services):
                    return Passed(seen="")
                if ill := tuple(name for name in self.services if self.vitals.of(name).reason):
                    cure(ill)
            return Undrilled(error=self.unwell(self.services))

        result = carried_out(cured)
        if isinstance(result, Undrilled) and result.error:
            self.lost = f"the stack did not get well again after {after}: {result.error}"

    def _start(self, services: tuple[str, ...]) -> None:
        for name in services:
            for container in self.stack.containers(name):
                if container.status in {"exited", "created"}:
                    self.patiently(container.start, 0.0)

    def recreate(self, services: tuple[str, ...], configuration: str | None = None) -> None:
        """Replaces the containers of `services` by new ones on the same volumes, and with their restart policies.

        They are made of `configuration`, if given, as it stands.

        Raises `Unavailable` when they cannot be made. That they start is for others to see.
        """
        if configuration is None:
            configuration = with_restart_policies(self.project, self.stack.copy.configuration)
        for name in services:
            self.stack.on_replace(name)
        made = self.composed(
            *("up", "--no-build", "--no-start", "--force-recreate", "--no-deps", *services),
            configuration=configuration,
        )
        if made:
            raise Unavailable(made)
        stow_files(self.stack, services)
        self.revived(max(self.within(name) for name in services), *services, configuration=configuration)

    def revived(self, seconds: float, *services: str, configuration: str | None = None) -> str:
        """Has Compose start `services` (all when there are none) in its order; why they do not get well in `seconds`.

        Compose gives up on what waits for another one that is unhealthy for a moment, so it is asked again until it is
        certain that this is of no use.
        """
        deadline = time.monotonic() + seconds
        while True:
            why = self.composed(
                "up", "--no-build", "-d", "--no-recreate", *services, configuration=configuration
            )
            left = max(0.0, deadline - time.monotonic())
            final = any(self.vitals.of(name).final for name in services or self.services)
            if not why or final or not left:
                return self.unwell(services or self.services, left)
            if self.engine.cancelled.wait(PAUSE):
                raise Interrupted

    def composed(self, *words: str, configuration: str | None = None) -> str:
        """Has Compose do `words` to the stack; why it could not, if so."""
        longest = max(self.within(name) for name in self.services)
        completed = self.commands.run(
            compose(self.stack, *words),
            cwd=self.project.root,
            stdin=self.stack.copy.configuration if configuration is None else configuration,
            timeout=_HANGING + longest * max(1, len(self.services)),
        )
        return "" if completed.returncode == 0 else reason(self.stack.copy, completed)


def declared(service: Service) -> Any:
    """What the project wants to happen when `service` ends, as the engine writes it."""
    if service.restarts_when_done:
        return {"Name": "always"}
    return {"Name": "on-failure", "MaximumRetryCount": service.restart_limit or 0}


def carried_out(work: Callable[[], DrillResult]) -> DrillResult:
    """What `work` finds out; an engine that does not play along makes it undrilled."""
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine
    from requests import RequestException  # noqa: PLC0415

    try:
        return work()
    except Unavailable as error:
        return Undrilled(error=error.message)
    except (DockerException, RequestException, OSError) as error:
        return Undrilled(error=str(getattr(error, "explanation", None) or error))


def told(progress: Progress, run: DrillRun) -> None:
    """Tells `progress` how `run` ended."""
    subject = f" {run.subject}" if run.subject else ""
    text = f"drill {run.drill}{subject}: {run.status} in {format_duration(run.seconds)}: {run.said}"
    progress.end(Check.SMOKE, run.service, text, good=not isinstance(run.result, Failed | Undrilled))
