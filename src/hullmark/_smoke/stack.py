"""One isolated copy of the stack: up, watched, and gone again whatever happens."""

from __future__ import annotations

import contextlib
import queue
import re
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hullmark._compose import carrier, isolate
from hullmark._smoke.owner import OWNER_LABEL, RUN_LABEL, this_process
from hullmark._smoke.reap import remove_run
from hullmark._smoke.timeline import Event, Timeline
from hullmark.errors import CommandFailed, HullmarkError, Interrupted, Unavailable
from hullmark.model.project import HttpProbe, TcpProbe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands, Completed
    from hullmark.model.project import Project
    from hullmark.model.stack import ServiceRun

LOG_LINES = 15
"""Lines of a failed service's log that are kept."""
_TICK = 0.2
_PATIENCE = 2.0
"""Seconds that the last event of something that has ended may take to arrive."""


@dataclass(kw_only=True)
class Stack:
    """A running copy of a project."""

    name: str
    project: Project
    engine: Engine
    timeline: Timeline
    timed_out: bool = False
    """Whether the wait for it ended because the time was over."""
    teardown_error: str | None = None
    """Set when it is removed and something stays."""
    on_change: Callable[[ServiceRun], None] = lambda _: None
    """Is told of every change in the life of a container."""
    started: float = field(default_factory=time.monotonic)
    events: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    """What the engine says and nobody has read yet; `None` when it has fallen silent for good."""

    def catch_up(self, wait: float = 0.0) -> None:
        """Folds the events that have come into the time line; waits up to `wait` seconds for the first.

        Raises `Unavailable` when the engine tells no more.
        """
        with contextlib.suppress(queue.Empty):
            raw = self.events.get(timeout=wait) if wait else self.events.get_nowait()
            while raw is not None:
                event = _event(raw, self, time.monotonic() - self.started)
                life = self.timeline.apply(event) if event else None
                if life is not None:
                    self.on_change(life)
                raw = self.events.get_nowait()
            raise Unavailable("the engine stopped telling what happens to the stack", hint="`docker version`")

    def container(self, service: str) -> Container:
        """The (first) container of `service`; raises `Unavailable` when it has none."""
        found = self.engine.client.containers.list(
            all=True,
            filters={"label": [f"{RUN_LABEL}={self.name}", f"com.docker.compose.service={service}"]},
            ignore_removed=True,
        )
        if not found:
            raise Unavailable(f"service `{service}` has no container")
        return min(found, key=lambda c: int(c.labels.get("com.docker.compose.container-number", "1")))

    def address(self, service: str, port: int) -> tuple[str, int]:
        """Where on this host the container port `port` of `service` answers; raises `Unavailable` when nowhere."""
        container = self.container(carrier(self.project, service))
        bound = (container.attrs["NetworkSettings"]["Ports"] or {}).get(f"{port}/tcp")
        if not bound:
            raise Unavailable(
                f"port {port} of service `{service}` is not published (state: {container.status})"
            )
        return bound[0]["HostIp"], int(bound[0]["HostPort"])

    def diagnosed(self, run: ServiceRun) -> ServiceRun:
        """`run` with the last health check's output and the last log lines of its container."""
        from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

        try:
            # Of several, the one whose life it is.
            worst = self.timeline.worst(run.service)
            container = self.engine.client.containers.get(worst) if worst else self.container(run.service)
            health = (container.attrs["State"].get("Health") or {}).get("Log") or []
            log = container.logs(tail=LOG_LINES).decode("utf-8", "replace")
        except (Unavailable, APIError):
            return run
        return replace(
            run,
            health_output="\n".join(printable(line) for line in health[-1]["Output"].strip().splitlines())
            if health
            else "",
            log=tuple(printable(line) for line in log.splitlines()),
            out_of_memory=run.out_of_memory or bool(container.attrs["State"].get("OOMKilled")),
        )


def printable(line: str) -> str:
    """A log line without what would move the cursor or colour the terminal."""
    line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)


@contextlib.contextmanager
def running(
    project: Project,
    engine: Engine,
    commands: Commands,
    *,
    only: tuple[str, ...] = (),
    timeout: float,
    on_change: Callable[[ServiceRun], None] = lambda _: None,
) -> Iterator[Stack]:
    """A copy of `project` (or of the services `only` and what they depend on) that has come up or has failed to.

    Returns when every service is up, when one has certainly failed, or after `timeout` seconds; which of these,
    `timeline` says. Everything is removed at the end, volumes included; what could not be is in `teardown_error`,
    and in the message of an error that ends the run. Raises `CommandFailed` when Compose fails for a reason that
    no service shows, `Unavailable` when the engine goes away, and `Interrupted` when the user asks to stop.
    """
    name = f"hullmark-{re.sub(r'[^a-z0-9_-]', '', project.name.lower())[:32]}-{secrets.token_hex(4)}"
    wanted = closure(project, only) if only else tuple(s.name for s in project.services)
    stack = Stack(
        name=name,
        project=project,
        engine=engine,
        timeline=Timeline(project=project, wanted=wanted, may_complete=may_complete(project)),
        on_change=on_change,
    )
    configuration = isolate(
        project,
        name=name,
        labels={RUN_LABEL: name, OWNER_LABEL: str(this_process())},
        reach=_reach(project),
        start_interval=engine.has_start_interval,
        start_periods=_start_periods(project, engine),
    )
    failure: HullmarkError | None = None
    try:
        with _watched(stack):
            _up(stack, commands, configuration, only, timeout)
            yield stack
    except HullmarkError as error:
        failure = error
        raise
    finally:
        stack.teardown_error = remove_run(engine, name)
        if failure is not None and stack.teardown_error:
            failure.message += f"; of what was started, this could not be removed: {stack.teardown_error}"


@contextlib.contextmanager
def _watched(stack: Stack) -> Iterator[None]:
    """Has the engine tell of `stack` as long as the context lasts, from before it is started."""
    with contextlib.ExitStack() as cleanup, stack.engine.events(f"{RUN_LABEL}={stack.name}") as stream:
        listener = threading.Thread(target=_listen, args=(stream, stack.events), daemon=True)
        listener.start()
        cleanup.callback(listener.join, _PATIENCE)
        yield


def _up(stack: Stack, commands: Commands, configuration: str, only: tuple[str, ...], timeout: float) -> None:
    """Starts the stack and follows its events until it is decided."""
    engine = stack.engine
    stop = threading.Event()
    ended: list[Completed | BaseException] = []

    def compose_up() -> None:
        argv = (
            "docker",
            "compose",
            "-p",
            stack.name,
            # For secrets and configurations that come from the environment.
            *_env_file(stack.project),
            "-f",
            "-",
            "--progress",
            "plain",
            "up",
            "-d",
            "--no-build",
            *only,
        )
        try:
            ended.append(commands.run(argv, cwd=stack.project.root, stdin=configuration, stop=stop))
        except BaseException as error:  # noqa: BLE001  # handed over to the thread that waits
            ended.append(error)

    up = threading.Thread(target=compose_up, daemon=True)
    up.start()
    timeline = stack.timeline
    try:
        unexplained: float | None = None
        while True:
            if engine.cancelled.is_set():
                raise Interrupted
            # In this order: what happened before Compose ended has been told when that it ended is seen.
            completed = _outcome(ended)
            stack.catch_up(_TICK)
            at = time.monotonic() - stack.started
            if timeline.has_failed():
                return
            if completed is not None and completed.returncode != 0:
                # The event that explains it may be on its way.
                unexplained = at if unexplained is None else unexplained
                if at - unexplained > _PATIENCE:
                    raise CommandFailed(
                        ("docker", "compose", "up", "-d"),
                        completed.returncode,
                        completed.stderr or completed.stdout,
                        hint="what `docker compose up` printed names the service",
                    )
            elif completed is not None and timeline.is_ready() and timeline.is_steady(at):
                return
            if at > timeout:
                stack.timed_out = True
                return
    finally:
        stop.set()
        up.join()


def _outcome(ended: list[Completed | BaseException]) -> Completed | None:
    """How `docker compose up` ended, if it has; raises what it raised."""
    for result in ended:
        if isinstance(result, BaseException):
            raise result
        return result
    return None


def _listen(stream: Iterator[dict[str, Any]], events: queue.Queue[dict[str, Any] | None]) -> None:
    # The stream ends, one way or another, when it is closed; what it said until then has been passed on.
    with contextlib.suppress(Exception):
        for event in stream:
            events.put(event)
    events.put(None)


def _event(raw: dict[str, Any], stack: Stack, at: float) -> Event | None:
    attributes = raw.get("Actor", {}).get("Attributes", {})
    service = attributes.get("com.docker.compose.service")
    action = raw.get("Action", "")
    if not service:
        return None
    exit_code = attributes.get("exitCode")
    container = raw["Actor"]["ID"]
    return Event(
        service=service,
        container=container,
        action=action,
        at=at,
        exit_code=int(exit_code) if exit_code is not None else None,
        has_health_check=action == "start" and _has_health_check(stack.engine, container),
    )


def _has_health_check(engine: Engine, container: str) -> bool:
    from docker.errors import NotFound  # noqa: PLC0415  # loaded with the engine

    try:
        test = (engine.client.containers.get(container).attrs["Config"].get("Healthcheck") or {}).get(
            "Test"
        ) or []
    except NotFound:
        return False
    return bool(test) and test[0] != "NONE"


def closure(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` and everything that they depend on."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other, _ in project.service(name).depends_on]
    return tuple(sorted(found))


def may_complete(project: Project) -> frozenset[str]:
    """Services for which exiting with 0 is success: what others wait for to complete, and what serves nobody."""
    settings = project.settings
    serving = {service.name for service in project.services if service.ports or service.restarts_when_done}
    serving |= {name for name, service in settings.services if service.probes}
    serving |= {name for service in project.services for name, _ in service.depends_on} - project.one_shots
    return frozenset(service.name for service in project.services) - serving | project.one_shots


def _env_file(project: Project) -> tuple[str, ...]:
    file = project.settings.env_file
    return ("--env-file", str(project.root / file)) if file else ()


def _start_periods(project: Project, engine: Engine) -> dict[str, str]:
    """The start period that the image of each service sets for its health check, as Compose writes it."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    found = {}
    for service in project.services:
        try:
            attributes = engine.client.images.get(service.image).attrs
        except (NotFound, APIError):
            continue  # not here yet; Compose pulls it
        period = ((attributes.get("Config") or {}).get("Healthcheck") or {}).get("StartPeriod")
        if period:
            found[service.name] = f"{period}ns"
    return found


def _reach(project: Project) -> dict[str, list[int]]:
    """The ports that probes from this host must be able to reach."""
    return {
        name: [probe.port for probe in service.probes if isinstance(probe, HttpProbe | TcpProbe)]
        for name, service in project.settings.services
    }
