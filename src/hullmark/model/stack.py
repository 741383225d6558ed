"""What was seen of a running stack: services over time, probes and links."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Link, Probe


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
    restarts: int = 0
    exit_code: int | None = None
    out_of_memory: bool = False
    health_output: str = ""
    """What the last health check printed."""
    log: tuple[str, ...] = ()
    """The last lines it wrote; kept only of services that failed."""
    waited_for: float = 0.0
    """How long it was watched."""
    timed_out: bool = False
    """Whether the wait ended because the time was over."""
    waits_on: tuple[str, ...] = ()
    """Services that it depends on and that did not come up."""

    @property
    def ready(self) -> bool:
        """Whether it came up: healthy where it has a health check, running or completed otherwise."""
        return self.state.up and not (self.has_health_check and self.state is State.RUNNING)

    @property
    def remedy(self) -> str:
        """What to do about its exit, as far as the exit code says."""
        if self.out_of_memory:
            return "raise `mem_limit` of the service, or let it use less memory"
        match self.exit_code:
            case 126:
                return "make the program that it starts executable (`chmod +x` in the Dockerfile)"
            case 127:
                return "correct `command` or ENTRYPOINT: the program that it starts is not in the image"
            case 137:
                return "see what kills it: `docker compose events`, or the kernel's log (`dmesg`)"
            case _:
                return f"correct what its log ends with; `docker compose logs {self.service}` shows all of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """One probe and its answer."""

    service: str
    probe: Probe
    passed: bool
    seen: str
    """The answer, or what came instead of one."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRun:
    """One link, tried from inside the calling container."""

    link: Link
    passed: bool
    seen: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinkable:
    """A link that could not be tried."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRun:
    """One isolated run of the stack."""

    name: str
    """The Compose project name of this run."""
    services: tuple[ServiceRun, ...] = ()
    probes: tuple[ProbeRun, ...] = ()
    links: tuple[LinkRun, ...] = ()
    untried: tuple[Unlinkable, ...] = ()
    seconds: float = 0.0
    teardown_error: str | None = None
    """What could not be removed, if anything."""

    @property
    def ready(self) -> bool:
        """Whether every service came up."""
        return all(service.ready for service in self.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUser:
    """A process of a running service and the user it runs as."""

    uid: int
    name: str
    """The name in the container's `/etc/passwd`, or the number."""
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """Who the processes of a service that promised to drop privileges run as."""

    service: str
    expected: str
    span: SourceSpan
    processes: tuple[ProcessUser, ...]
