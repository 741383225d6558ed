"""How the containers of a stack are at this moment, without the memory that a time line has."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._smoke.probes import PAUSE, run_inside, shorten
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.service_run import STEADY, State

if TYPE_CHECKING:
    from docker.models.containers import Container

    from hullmark._smoke.stack import Stack

_NANO = 1e9
_FEW = 2
"""Lines that are quoted whole."""
_OVERDUE = -1
"""What the engine writes down as the exit code of a health check that did not end in time."""
_DEFAULT_TIMEOUT = 30.0
_DEFAULT_RETRIES = 3


def gist(output: str) -> str:
    """What a health check printed, where that is little, otherwise its last line: a traceback ends with what went wrong."""
    lines = [line for line in output.splitlines() if line.strip()]
    return shorten(output if len(lines) <= _FEW else lines[-1])


def unhealthy(service: str, code: int | None, output: str) -> str:
    """That the health check of `service` has ended so: in the same words whoever saw it first, the engine or a drill.

    `code` is `None`, or -1 as the engine has it, for one that did not end in time.
    """
    if code in {None, _OVERDUE}:
        return f"`{service}` is unhealthy: its health check does not end in time"
    said = gist(output)
    return (
        f"`{service}` is unhealthy: its health check ends with exit code {code}{f': {said}' if said else ''}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """How one service is."""

    reason: str = ""
    """Why it is not well; empty when it is."""
    final: bool = False
    """Whether that is certain to stay so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The health check of a container, as the engine carries it out."""

    command: tuple[str, ...]
    timeout: float
    retries: int
    """Failures in a row that make it unhealthy."""


def _is_started_again(container: Container) -> bool:
    """Whether the restart policy of `container`, which has ended, starts it again."""
    policy: dict[str, Any] = container.attrs["HostConfig"].get("RestartPolicy") or {}
    match policy.get("Name"):
        case "always" | "unless-stopped":
            return True
        case "on-failure":
            most = policy.get("MaximumRetryCount") or 0
            failed = container.attrs["State"]["ExitCode"] != 0
            return failed and (not most or container.attrs["RestartCount"] < most)
        case _:
            return False


@dataclass(kw_only=True)
class Vitals:
    """Looks at the containers of `stack`."""

    stack: Stack
    _since: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each start of each container was seen first: the clock of the engine may be another one."""
    jobs: frozenset[str] = field(init=False)
    """The services that had done their work and ended when the stack came up: what a drill ends must come back."""

    def __post_init__(self) -> None:
        self.jobs = frozenset(
            run.service for run in self.stack.timeline.services() if run.state is State.COMPLETED
        )

    def of(self, service: str) -> Sign:
        """How `service` is: of several containers, the one that is worst."""
        found = [self._sign(service, each) for each in self.stack.containers(service)]
        if not found:
            return Sign(reason=f"`{service}` has no container")
        bad = [each for each in found if each.reason]
        return next((each for each in bad if each.final), bad[0]) if bad else Sign()

    def is_done(self, service: str) -> bool:
        """Whether all containers of `service` have done their work and ended."""
        containers = self.stack.containers(service)
        return bool(containers) and all(self._completed(service, each) for each in containers)

    def at_work(self, service: str) -> list[Container]:
        """The containers of `service` that have not done their work; raises `Unavailable` when there are none."""
        found = [each for each in self.stack.containers(service) if not self._completed(service, each)]
        return found or [self.stack.container(service)]

    def _completed(self, service: str, container: Container) -> bool:
        state: dict[str, Any] = container.attrs["State"]
        return service in self.jobs and state["Status"] == "exited" and state["ExitCode"] == 0

    def _sign(self, service: str, container: Container) -> Sign:
        state: dict[str, Any] = container.attrs["State"]
        if self._completed(service, container):
            return Sign()
        if state["Status"] != "running":
            if state["Status"] == "exited":
                why = f"`{service}` has ended with exit code {state['ExitCode']}"
                return Sign(reason=why, final=not _is_started_again(container))
            return Sign(reason=f"`{service}` is {state['Status']}")
        health = state.get("Health") or {}
        match str(health.get("Status", "none")):
            case "healthy":
                return Sign()
            case "unhealthy":
                last = (health.get("Log") or [{"ExitCode": None, "Output": ""}])[-1]
                return Sign(reason=unhealthy(service, last["ExitCode"], last["Output"]))
            case "starting":
                return Sign(reason=f"`{service}` is not healthy yet")
            case _:
                return self._settled(service, container)

    def _settled(self, service: str, container: Container) -> Sign:
        """How a service without a health check is: what ends at once has run as well."""
        state: dict[str, Any] = container.attrs["State"]
        start = (str(container.id), str(state["StartedAt"]))
        since = self._since.setdefault(start, time.monotonic())
        return (
            Sign()
            if time.monotonic() - since >= STEADY
            else Sign(reason=f"`{service}` has only just started")
        )

    def health_check(self, service: str) -> HealthCheck | None:
        """The health check that containers of `service` have, if any."""
        config = self.stack.container(service).attrs["Config"].get("Healthcheck") or {}
        match config.get("Test") or []:
            case ["CMD", *words] if words:
                command = tuple(words)
            case ["CMD-SHELL", str(line)]:
                shell = self.stack.container(service).attrs["Config"].get("Shell") or ("/bin/sh", "-c")
                command = (*shell, line)
            case _:
                return None
        return HealthCheck(
            command=command,
            timeout=(config.get("Timeout") or 0) / _NANO or _DEFAULT_TIMEOUT,
            retries=config.get("Retries") or _DEFAULT_RETRIES,
        )

    def examine(self, service: str, check: HealthCheck) -> str:
        """What is wrong with `service` by its own health check, tried now and not when its turn comes; empty if nothing."""
        for container in self.stack.containers(service) or [self.stack.container(service)]:
            if self._completed(service, container):
                continue
            stack = self.stack.looking_at(container)
            code, output = run_inside(stack, service, check.command, check.timeout)
            if code != 0:
                return unhealthy(service, code, output)
        return ""

    def examined(self, service: str, seconds: float) -> str:
        """What is wrong with `service` if its own health check does not pass within `seconds`; empty if it does."""
        deadline = time.monotonic() + seconds
        check = None if self.is_done(service) else self.health_check(service)
        while check is not None:
            try:
                wrong = self.examine(service, check)
            except Unavailable as error:
                wrong = error.message
            if not wrong or time.monotonic() > deadline:
                return wrong
            if self.stack.engine.cancelled.wait(PAUSE):
                raise Interrupted
        return ""
