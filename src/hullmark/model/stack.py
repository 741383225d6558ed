"""What was seen of a running stack: services over time, probes and links."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.model.exit import exit_meaning
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullmark.model.drill import DrillRun
    from hullmark.model.location import SourceSpan
    from hullmark.model.probe import LogRule, Probe
    from hullmark.model.project import Allowance, Link


STEADY = 1.0
"""Seconds after which a service without a health check that still runs is believed to have come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedDirectory:
    """A directory of this host that services may write to, and the volume that holds a copy of it for them."""

    source: str
    """Absolute path, without symbolic links."""
    shown: str
    """The same as the Compose file would write it."""
    volume: str
    """As the engine knows it."""
    mounts: tuple[tuple[str, str], ...]
    """Services, and where in their containers it is."""

    def __str__(self) -> str:
        service, target = self.mounts[0]
        return f"`{self.shown}:{target}` of service `{service}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFile:
    """A file of this host that a service may write to, and where in its containers the copy is."""

    source: str
    shown: str
    service: str
    target: str

    def __str__(self) -> str:
        return f"`{self.shown}:{self.target}` of service `{self.service}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackCopy:
    """What is to be started: a project that cannot meet any other."""

    name: str
    configuration: str = field(repr=False)
    """For Compose, as JSON. It holds secrets: never log or report it."""
    directories: tuple[CopiedDirectory, ...] = ()
    files: tuple[CopiedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """How it differs from the project in what it has of the world outside, a sentence each."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a probe and its answer."""

    step: str
    passed: bool
    seen: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """What one log was found to hold of what it must not hold."""

    service: str
    rule: LogRule
    count: int
    """How many lines."""
    lines: tuple[str, ...] = ()
    """The first of them, short and printable."""
    error: str = ""
    """Why the log could not be read, if it could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """One probe and its answer."""

    service: str
    probe: Probe
    passed: bool
    seen: str
    """The answer, or what came instead of one."""
    seconds: float = 0.0
    steps: tuple[StepRun, ...] = ()
    """Of a flow its steps, of an OpenAPI document its paths, as far as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UntriedProbe:
    """A probe that was not tried."""

    service: str
    probe: Probe
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRun:
    """One link, tried from inside the calling container's network.

    Whether the name stands for an address, whether that accepts connections and whether it can be spoken to in secret
    are `None` where that was not asked, or not seen.
    """

    link: Link
    passed: bool
    seen: str
    """The answer, or what came instead of one, in words."""
    by: str = ""
    """What tried it."""
    resolved: bool | None = None
    address: str = ""
    """What the name stands for."""
    connected: bool | None = None
    secured: bool | None = None
    """Whether TLS was agreed upon, with a certificate that the link takes for a good one."""
    status: int | None = None
    """Of the HTTP answer."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinkable:
    """A link that was not, or could not be, tried."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a smoke test is to leave on purpose."""

    keep: bool = False
    """Whether the stack stays up."""
    artifacts: Path | None = None
    """Directory for all there is to know of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A stack that stays up after its test."""

    name: str
    """The Compose project name."""
    services: tuple[str, ...]
    """Those that have a container."""
    addresses: tuple[tuple[str, int, str], ...] = ()
    """Services, their ports inside, and where on this host these answer."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRun:
    """One isolated run of the stack."""

    name: str
    """The Compose project name of this run."""
    services: tuple[ServiceRun, ...] = ()
    probes: tuple[ProbeRun, ...] = ()
    links: tuple[LinkRun, ...] = ()
    untried: tuple[Unlinkable, ...] = ()
    unprobed: tuple[UntriedProbe, ...] = ()
    logs: tuple[LogRun, ...] = ()
    tried: bool = True
    """Whether probes and links were tried; they are not when something did not come up."""
    unwanted: tuple[str, ...] = ()
    """Services of which the project wants no container."""
    notes: tuple[str, ...] = ()
    """How the copy differs from the project in what it has of the world outside, a sentence each."""
    seconds: float = 0.0
    drills: tuple[DrillRun, ...] = ()
    """What it was put to afterwards, in order."""
    teardown_error: str | None = None
    """What could not be removed, if anything."""
    kept: Kept | None = None
    """How to get at what was left up on purpose."""
    artifacts: str | None = None
    """The directory with all there is to know of it, where that was asked for."""
    artifacts_error: str | None = None
    """Why that could not be written."""

    @property
    def ready(self) -> bool:
        """Whether every service came up."""
        return all(service.ready for service in self.services)

    def blocked_by(self, service: str) -> str:
        """What kept `service` from being started, such as `rag, which waits for db: unhealthy`; empty when nothing did."""
        return blocked_by(self.services, service)

    @property
    def states(self) -> str:
        """How the services stand, as the beginning of a sentence."""
        counts = Counter(str(service.state) for service in self.services)
        shown = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        many = "all services are" if len(self.services) != 1 else "the service is"
        return f"{many} up ({shown})" if self.ready else f"not all services are up ({shown})"

    @property
    def unproven(self) -> str:
        """Which services run without anything that says whether they work, in a sentence; empty where there are none."""
        names = [run.service for run in self.services if run.ready and not run.proven]
        return f"not proven to work: {', '.join(names)} (no health check, no probe)" if names else ""

    @property
    def tally(self) -> str:
        """How many of the configured probes, links and drills passed, or that there are none; and of derived links."""
        probes = len(self.probes) + len(self.unprobed)
        known = [*(run.link for run in self.links), *(each.link for each in self.untried)]
        links = sum(not link.derived for link in known)
        more = f"{self._drilled}{self._derived}"
        if not probes and not links:
            return f"no probes or links are configured (`[[services.NAME.probes]]`, `[[links]]`){more}"
        named = f"{{}} of {probes} probe{'' if probes == 1 else 's'} and {{}} of {links} link{'' if links == 1 else 's'}"
        if not self.tried:
            return f"{named.format(0, 0)} tried"
        passed = sum(run.passed for run in self.probes)
        linked = sum(run.passed for run in self.links if not run.link.derived)
        return f"{named.format(passed, linked)} passed{more}"

    @property
    def _derived(self) -> str:
        """How many of the derived links held, as the end of a sentence; empty where there are none."""
        found = [run.passed for run in self.links if run.link.derived]
        return (
            f"; {sum(found)} of {len(found)} derived link{'' if len(found) == 1 else 's'} held"
            if found
            else ""
        )

    @property
    def _drilled(self) -> str:
        """How many of the drills passed, as the end of a sentence; empty where there are none."""
        counts = Counter(run.status for run in self.drills)
        tried = sum(counts.values()) - counts["skipped"]
        return f", and {counts['passed']} of {tried} drill{'' if tried == 1 else 's'}" if tried else ""


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


def _memory(size: int) -> str:
    """`size` in the unit that a Compose file has it in, where it was written in whole ones."""
    whole, rest = divmod(size, 2**20)
    return format_size(size) if rest else f"{whole:,} MiB"
