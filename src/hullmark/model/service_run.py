"""The life of one service in a running stack, and what its end says."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.exit import exit_meaning
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Allowance

STEADY = 1.0
"""Seconds after which a service without a health check that still runs is believed to have come up."""


class State(enum.StrEnum):
    """How a service stands at the end of the wait."""

    ABSENT = "not created"
    CREATED = "created"
    RUNNING = "running"
    HEALTHY = "healthy"
    COMPLETED = "completed"
    UNHEALTHY = "unhealthy"
    EXITED = "exited"
    RESTARTING = "restarting"

    @property
    def up(self) -> bool:
        """Whether a service without a health check, or with one, is as it should be."""
        return self in {State.RUNNING, State.HEALTHY, State.COMPLETED}

    @property
    def failed(self) -> bool:
        """Whether it is certain that the service will not come up."""
        return self in {State.UNHEALTHY, State.EXITED, State.RESTARTING}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRun:
    """The life of one service from the start of the stack; times in seconds since then."""

    service: str
    span: SourceSpan
    state: State
    has_health_check: bool
    created: float | None = None
    started: float | None = None
    healthy: float | None = None
    answered: float | None = None
    """When its probes had passed, of one without a health check."""
    unanswered: bool = False
    """Whether it runs without a health check, and probes that say whether it is up have not passed."""
    unsettled: bool = False
    """Whether it runs without a health check, and had not run for long enough to be believed when the wait ended."""
    ran: float | None = None
    """How long it had run since its last start when the wait ended, where it is `unsettled`."""
    ended: float | None = None
    """When it completed, or when it was certain that it had failed."""
    recovered: float | None = None
    """When it was healthy again after it had failed, which saves nothing: others have been given up meanwhile."""
    restarts: int = 0
    restarts_allowed: int = 0
    """How often it may be started again before it is up."""
    would_restart: bool = False
    """Whether it exited before it was up, and its restart policy, which is off in the test, would start it again."""
    exit_code: int | None = None
    out_of_memory: bool = False
    memory_limit: tuple[str, int] | None = None
    """The key that limits its memory, and the bytes that it allows; `None` without a limit."""
    health_output: str = ""
    """What the last health check printed."""
    log: tuple[str, ...] = ()
    """The lines it wrote that matter most; kept only of services that failed."""
    log_lines: int = 0
    """How many lines these were chosen from."""
    waited_for: float = 0.0
    """How long it was waited for."""
    timed_out: bool = False
    """Whether the wait for it ended because its time was over."""
    timeout_origin: str = ""
    """What set that time, where it is not at its default."""
    start_budget: Allowance | None = None
    """The most time that its start may take."""
    refusal: str = ""
    """Why the engine could not create or start it; empty when it could."""
    waits_on: tuple[str, ...] = ()
    """Services that it depends on and that did not come up."""

    @property
    def ready(self) -> bool:
        """Whether it came up: healthy where it has a health check, running or completed otherwise."""
        checked = self.has_health_check and self.state is State.RUNNING
        return self.state.up and not checked and not self.unanswered and not self.unsettled

    @property
    def proven(self) -> bool:
        """Whether something beside the engine says that it works: a health check, probes of its own, or its end."""
        return self.ready and (self.state is not State.RUNNING or self.answered is not None)

    @property
    def up_at(self) -> float | None:
        """When its health check said that it works, or its probes did where it has none; `None` where neither has."""
        return self.answered if self.healthy is None else self.healthy

    @property
    def start_took(self) -> float | None:
        """Seconds from the start of its container until it was up, as far as anything says when that was.

        A health check says it, or the probes of a service without one, or the end of one that completes.
        """
        if self.started is None or not self.ready:
            return None
        up = self.ended if self.state is State.COMPLETED and self.ended is not None else self.up_at
        return None if up is None else up - self.started

    @property
    def fate(self) -> str:
        """How it stands in a few words, with what its exit code says."""
        if self.refusal:
            return "cannot be started"
        match self.state:
            case State.EXITED:
                meaning = exit_meaning(self.exit_code, out_of_memory=self.out_of_memory)
                return f"exited with code {self.exit_code}{f' ({meaning})' if meaning else ''}"
            case State.RESTARTING:
                meaning = exit_meaning(self.exit_code, out_of_memory=self.out_of_memory)
                last = f"last with code {self.exit_code}{f' ({meaning})' if meaning else ''}"
                return f"exited {self.restarts} times, {last}"
            case State.RUNNING if self.unanswered:
                return "running, but its probes do not pass"
            case State.RUNNING if self.unsettled:
                return "only just started"
            case State.RUNNING if self.has_health_check:
                return "not healthy yet"
            case _:
                return str(self.state)

    @property
    def remedy(self) -> str:
        """What to do about its exit, as far as the exit code says."""
        # Seen before it is started, or said by Compose.
        if "has no health check" in self.refusal or "has no healthcheck configured" in self.refusal:
            return (
                f"give the service that `{self.service}` waits for a health check, or let it wait with `condition: "
                "service_started`"
            )
        if self.refusal and self.exit_code not in {126, 127}:
            return f"correct what the Compose file says of `{self.service}`, so that the engine can start it"
        if self.out_of_memory:
            if self.memory_limit is None:
                return "raise `mem_limit` of the service, or let it use less memory"
            key, size = self.memory_limit
            return f"raise `{key}` of the service, which is {_memory(size)}, or let it use less memory"
        match self.exit_code:
            case 126:
                return "make the program that it starts executable (`chmod +x` in the Dockerfile)"
            case 127:
                return "correct `command` or ENTRYPOINT: the program that it starts is not in the image"
            case 0:
                return (
                    f"let its program stay in the foreground; if `{self.service}` is to end, let what needs it wait with "
                    "`condition: service_completed_successfully`"
                )
            case 137:
                return (
                    f"see what kills it: `docker compose up {self.service}`, then the kernel's log (`dmesg`); where neither "
                    "tells of a kill, it exited with 137 itself"
                )
            case _ if self.would_restart:
                return (
                    "see in its log what it lacked; if that is another service, let it wait (`depends_on` with `condition: "
                    "service_healthy`), or allow it to be started again: `restarts = 5` under "
                    f"`[services.{self.service}]`"
                )
            case _:
                return f"correct what its log ends with; `docker compose up {self.service}` shows all of it"


def blocked_by(services: Iterable[ServiceRun], service: str) -> str:
    """What keeps `service` from being started: what it waits for, what that waits for, and how the last one stands."""
    runs = {run.service: run for run in services}

    def chain(name: str, above: tuple[str, ...]) -> str:
        waiting = [other for other in runs[name].waits_on if other in runs and other not in above]
        told = []
        for other in waiting:
            further = chain(other, (*above, other))
            told.append(f"{other}, which waits for {further}" if further else f"{other}: {runs[other].fate}")
        return "; and for ".join(told)

    return chain(service, (service,))


def _memory(size: int) -> str:
    """`size` in the unit that a Compose file has it in, where it was written in whole ones."""
    whole, rest = divmod(size, 2**20)
    return format_size(size) if rest else f"{whole:,} MiB"
