"""From engine events to the state of every service: a pure fold, without an engine or a clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hullmark.model.service_run import STEADY, ServiceRun, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.project import Project, Service

STEADY_STAYING = 5.0
"""The same for one that is meant to stay: it has a restart policy, or may be started again."""
STEADY_AGAIN = 10.0
"""The same for one that has exited before; after as long the engine, too, forgets that it failed."""
REFUSED = "refused"
"""What happened to a container that the engine could not create or start; it tells of that in no event."""
_WORST_FIRST = (
    State.EXITED,
    State.RESTARTING,
    State.UNHEALTHY,
    State.ABSENT,
    State.CREATED,
    State.RUNNING,
    State.HEALTHY,
    State.COMPLETED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the engine says of one container."""

    service: str
    container: str
    action: str
    """As the engine calls it: `create`, `start`, `die`, `oom`, `health_status: healthy`, ...; or `REFUSED`."""
    at: float
    """Seconds since the stack was started."""
    exit_code: int | None = None
    has_health_check: bool = False
    """Known when it starts."""
    refusal: str = ""
    """Why it could not be created or started, for `REFUSED`."""


@dataclass(kw_only=True)
class Timeline:
    """The lives of the services of one run.

    A service that has failed stays failed: what waited for it has been given up, so that it recovers later is no
    comfort, and whether that is seen would depend on the moment of looking.
    """

    project: Project
    wanted: tuple[str, ...]
    """The services that must come up."""
    may_complete: frozenset[str] = frozenset()
    """Services for which exiting with 0 is success."""
    came_up: bool = False
    """Whether the whole stack has: what exits from then on has failed, however many times it might have before."""
    _lives: dict[str, ServiceRun] = field(default_factory=dict)
    _starts: dict[str, float] = field(default_factory=dict)
    """When each container was started last."""
    _answers: dict[str, float] = field(default_factory=dict)
    """When the probes of each service without a health check had passed."""

    def apply(self, event: Event) -> ServiceRun | None:
        """Takes `event` in; the container's new life, or `None` when it does not concern the project."""
        service = next((s for s in self.project.services if s.name == event.service), None)
        if service is None:
            return None
        life = self._lives.get(event.container) or _unborn(service)
        if event.action == "start":
            self._starts[event.container] = event.at
        next_ = self._next(life, service, event)
        if life.state.failed:
            well = next_.state is State.HEALTHY and life.recovered is None
            next_ = replace(
                next_,
                state=life.state,
                healthy=life.healthy,
                ended=life.ended,
                recovered=event.at if well else life.recovered,
            )
        elif next_.state.failed or next_.state is State.COMPLETED:
            next_ = replace(next_, ended=event.at)
        self._lives[event.container] = next_
        return self._judged(next_)

    def _next(self, life: ServiceRun, service: Service, event: Event) -> ServiceRun:
        match event.action:
            case "create":
                return replace(life, state=State.CREATED, created=event.at)
            case "start":
                started = event.at if life.started is None else life.started
                return replace(
                    life, state=State.RUNNING, started=started, has_health_check=event.has_health_check
                )
            case "health_status: healthy":
                healthy = event.at if life.healthy is None else life.healthy
                return replace(life, state=State.HEALTHY, healthy=healthy, has_health_check=True)
            case "health_status: unhealthy":
                return replace(life, state=State.UNHEALTHY, has_health_check=True)
            case "refused":
                return replace(life, state=State.EXITED, exit_code=event.exit_code, refusal=event.refusal)
            case "oom":
                return replace(life, out_of_memory=True)
            case "die":
                return self._died(life, service, event)
            case _:
                return life

    def _died(self, life: ServiceRun, service: Service, event: Event) -> ServiceRun:
        life = replace(life, exit_code=event.exit_code)
        if event.exit_code == 0 and service.name in self.may_complete:
            return replace(life, state=State.COMPLETED)
        again = service.restarts_when_done or (service.restarts and event.exit_code != 0)
        exhausted = service.restart_limit is not None and life.restarts >= service.restart_limit
        allowed = self.project.settings.service(service.name).restarts
        if not again or exhausted or not allowed or self.came_up:
            early = life.healthy is None and not self.came_up
            return replace(life, state=State.EXITED, would_restart=again and not allowed and early)
        restarts = life.restarts + 1
        return replace(
            life,
            restarts=restarts,
            restarts_allowed=allowed,
            state=State.RESTARTING if restarts > allowed else State.CREATED,
        )

    def services(self) -> tuple[ServiceRun, ...]:
        """Where every wanted service stands: of one with several containers, the one that stands worst.

        As far as the engine tells; see `judged` for what only probes tell.
        """
        found = []
        for name in self.wanted:
            worst = self.worst(name)
            found.append(self._lives[worst] if worst else _unborn(self.project.service(name)))
        return tuple(replace(life, waits_on=self._waits_on(life, found)) for life in found)

    def judged(self, at: float | None = None) -> tuple[ServiceRun, ...]:
        """The same with what says of services without a health check that they are up.

        That is probes, which have to pass, or else time: with `at`, they must have been steady by then.
        """
        unsettled = frozenset() if at is None else self.unsettled(at)
        found = []
        for life in self.services():
            worst = self.worst(life.service)
            last = None if worst is None else self._starts.get(worst)
            ran = None
            if life.service in unsettled and at is not None and last is not None:
                ran = at - last
            found.append(replace(self._judged(life), unsettled=life.service in unsettled, ran=ran))
        return tuple(found)

    def _judged(self, life: ServiceRun) -> ServiceRun:
        """`life` with what its probes said, where nothing else says whether it is up."""
        at = self._answers.get(life.service)
        waits = life.state is State.RUNNING and at is None and self.is_told_by_probes(life)
        budget = self.project.settings.service(life.service).start_budget
        return replace(life, answered=at, unanswered=waits, start_budget=budget)

    def is_told_by_probes(self, life: ServiceRun) -> bool:
        """Whether only the probes of a service say whether it is up."""
        return not life.has_health_check and bool(self.project.settings.service(life.service).probes)

    def answer(self, service: str, at: float) -> None:
        """Notes that all probes of `service` have passed, `at` seconds after the stack was started."""
        self._answers.setdefault(service, at)

    def life(self, service: str) -> ServiceRun:
        """Where the wanted service called `service` stands."""
        return next(run for run in self.services() if run.service == service)

    def worst(self, service: str) -> str | None:
        """The container of `service` that stands worst, or `None` when it has none yet."""
        containers = [container for container, life in self._lives.items() if life.service == service]
        return min(containers, key=lambda c: (_WORST_FIRST.index(self._lives[c].state), c), default=None)

    def _waits_on(self, life: ServiceRun, found: Iterable[ServiceRun]) -> tuple[str, ...]:
        if life.started is not None:
            return ()
        unready = {other.service for other in found if not other.ready}
        return tuple(name for name, _ in self.project.service(life.service).depends_on if name in unready)

    def has_failed(self) -> bool:
        """Whether it is certain that some service will not come up; once so, always so."""
        return any(life.state.failed for life in self.services())

    def knows_end_of(self, containers: Iterable[str]) -> bool:
        """Whether it has been told how each of `containers` that it knows ended or failed."""
        lives = (self._lives.get(container) for container in containers)
        return all(life is None or life.ended is not None or life.restarts for life in lives)

    def is_ready(self) -> bool:
        """Whether all wanted services are up, as far as the engine tells."""
        return all(life.ready for life in self.services())

    def pending(self) -> frozenset[str]:
        """The wanted services that are not up and have not failed, as far as the engine tells."""
        return frozenset(life.service for life in self.services() if not life.ready and not life.state.failed)

    def overdue(self, at: float) -> frozenset[str]:
        """Of these, the ones whose own time, counted from the start of their container, is over `at` seconds in."""
        pending = self.pending()
        return frozenset(
            life.service
            for life in self.services()
            if life.service in pending
            and life.started is not None
            and (limit := self.project.settings.service(life.service).timeout) is not None
            and at - life.started > limit.seconds
        )

    def is_steady(self, at: float) -> bool:
        """Whether, `at` seconds after the start, every service that only runs has run long enough to be believed.

        One whose probes say whether it is up is believed them, unless it has exited before.
        """
        return not self.unsettled(at)

    def unsettled(self, at: float) -> frozenset[str]:
        """The services that have not run for long enough to be believed."""
        return frozenset(
            life.service
            for container, life in self._lives.items()
            if life.service in self.wanted
            and life.state is State.RUNNING
            and not life.has_health_check
            and (life.restarts or not self.is_told_by_probes(life))
            and at - self._starts[container] < self._believed_after(life)
        )

    def _believed_after(self, life: ServiceRun) -> float:
        """Seconds from its last start until a service of which only that is known that it runs is believed."""
        if life.restarts:
            return STEADY_AGAIN
        service = self.project.service(life.service)
        stays = service.restarts or service.restarts_when_done
        return STEADY_STAYING if stays or self.project.settings.service(service.name).restarts else STEADY


def _unborn(service: Service) -> ServiceRun:
    return ServiceRun(
        service=service.name,
        span=service.span,
        state=State.ABSENT,
        has_health_check=False,
        memory_limit=service.memory_limit,
    )
