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

from hullmark._compose import carrier, isolate, unscaled
from hullmark._smoke.excerpt import excerpt
from hullmark._smoke.owner import RUN_LABEL, labels_of_run, under_way
from hullmark._smoke.preflight import missing_images, unawaitable, unbuilt
from hullmark._smoke.reap import remove_run
from hullmark._smoke.refusals import reason, refusals, unstarted
from hullmark._smoke.seeds import Cargo, stow, weigh
from hullmark._smoke.timeline import REFUSED, Event, Timeline
from hullmark.errors import HullmarkError, Interrupted, Unavailable
from hullmark.model.exit import KILLED
from hullmark.model.probe import reached
from hullmark.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands, Completed
    from hullmark.model.project import Project
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack_copy import StackCopy

LOG_LINES = 2000
"""Lines at the end of a failed service's log among which those that matter are looked for."""
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
    copy: StackCopy
    """What is started."""
    cargo: Cargo = field(default_factory=Cargo)
    """What was copied into it from this host."""
    notes: tuple[str, ...] = ()
    """How it differs from the project, a sentence each."""
    late: frozenset[str] = frozenset()
    """Services that the wait ended for because the time was over: their own, or that of the whole."""
    settled: bool = False
    """Whether the command that started it came to its end, and does nothing more."""
    ended_waiting: float = 0.0
    """Seconds from its start to the end of the wait."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """Everything that the engine said, as it said it."""
    kept: bool = False
    """Whether it is left up."""
    teardown_error: str | None = None
    """Set when it is removed and something stays."""
    on_change: Callable[[ServiceRun], None] = lambda _: None
    """Is told of every change in the life of a container."""
    on_event: Callable[[Event], None] = lambda _: None
    """Is told of every event, before anything is made of it."""
    on_replace: Callable[[str], None] = lambda _: None
    """Is told of a service before its containers are replaced."""
    focus: Mapping[str, str] = field(default_factory=dict)
    """Services of which one container is looked at, and that one."""
    started: float = field(default_factory=time.monotonic)
    events: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    """What the engine says and nobody has read yet; `None` when it has fallen silent for good."""

    @property
    def now(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started

    def catch_up(self, wait: float = 0.0) -> None:
        """Folds the events that have come into the time line; waits up to `wait` seconds for the first.

        Raises `Unavailable` when the engine tells no more.
        """
        with contextlib.suppress(queue.Empty):
            raw = self.events.get(timeout=wait) if wait else self.events.get_nowait()
            while raw is not None:
                self.records.append(raw)
                event = _event(raw, self, self.now)
                if event is not None:
                    self.on_event(event)
                life = self.timeline.apply(event) if event else None
                if life is not None:
                    self.on_change(life)
                raw = self.events.get_nowait()
            raise Unavailable("the engine stopped telling what happens to the stack", hint="`docker version`")

    def remember(self) -> None:
        """Adds to `records` what the engine has said and nobody has read, without making anything of it."""
        with contextlib.suppress(queue.Empty):
            while True:
                if (raw := self.events.get_nowait()) is not None:
                    self.records.append(raw)

    def take_stock(self) -> None:
        """Looks at all containers, and waits for what the engine has still to say of those that have failed by now.

        The first failure ends a wait, and it is seldom alone.
        """
        self.catch_up()
        api = self.engine.client.api
        of_run = {"label": f"{RUN_LABEL}={self.name}"}
        down = {
            str(raw["Id"])
            for state in ({"status": ["exited", "dead"]}, {"health": "unhealthy"})
            for raw in api.containers(all=True, filters={**of_run, **state})
        }
        deadline = time.monotonic() + _PATIENCE
        while not self.timeline.knows_end_of(down) and time.monotonic() < deadline:
            self.catch_up(_TICK)

    def containers(self, service: str) -> list[Container]:
        """The containers of `service`, in the order of their numbers."""
        found: list[Container] = self.engine.client.containers.list(
            all=True,
            filters={"label": [f"{RUN_LABEL}={self.name}", f"com.docker.compose.service={service}"]},
            ignore_removed=True,
        )
        return sorted(found, key=lambda c: int(c.labels.get("com.docker.compose.container-number", "1")))

    def container(self, service: str) -> Container:
        """The container of `service` that is looked at, or the first one; raises `Unavailable` when it has none."""
        found = self.containers(service)
        if (looked_at := self.focus.get(service)) is not None:
            found = [each for each in found if each.id == looked_at]
        if not found:
            raise Unavailable(f"service `{service}` has no container")
        return found[0]

    def looking_at(self, container: Container) -> Stack:
        """The same stack, of which `container` stands for all containers of its service."""
        return replace(self, focus={container.labels["com.docker.compose.service"]: str(container.id)})

    def refuse(self, service: str, container: str, exit_code: int | None, why: str) -> None:
        """Notes that the engine could not create or start a container of `service`."""
        at = self.now
        life = self.timeline.apply(
            Event(
                service=service, container=container, action=REFUSED, at=at, exit_code=exit_code, refusal=why
            )
        )
        if life is not None:
            self.on_change(life)

    def address(self, service: str, port: int) -> tuple[str, int]:
        """Where on this host the container port `port` of `service` answers; raises `Unavailable` when nowhere."""
        container = self.container(carrier(self.project, service))
        bound = (container.attrs["NetworkSettings"]["Ports"] or {}).get(f"{port}/tcp")
        if not bound:
            raise Unavailable(
                f"port {port} of service `{service}` is not published (state: {container.status})"
            )
        return bound[0]["HostIp"], int(bound[0]["HostPort"])

    def inner_addresses(self, service: str) -> list[str]:
        """The addresses of the container in its own networks; from this host they answer only on Linux."""
        networks = (
            self.container(carrier(self.project, service)).attrs["NetworkSettings"].get("Networks") or {}
        )
        return [str(each["IPAddress"]) for each in networks.values() if each.get("IPAddress")]

    def diagnosed(self, run: ServiceRun) -> ServiceRun:
        """`run` with the last health check's output and what its container's log says of the reason."""
        from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

        try:
            # Of several, the one whose life it is.
            worst = self.timeline.worst(run.service)
            container = self.engine.client.containers.get(worst) if worst else self.container(run.service)
            deadline = time.monotonic() + _PATIENCE
            # That memory was the reason comes by another way than that the process has ended, and perhaps later.
            while run.exit_code == KILLED and not _lacked_memory(container) and time.monotonic() < deadline:
                self.engine.cancelled.wait(_TICK)
                container.reload()
            health = (container.attrs["State"].get("Health") or {}).get("Log") or []
            log = container.logs(tail=LOG_LINES).decode("utf-8", "replace")
        except (Unavailable, APIError):
            return run
        lines = [plain(line) for line in log.splitlines()]
        return replace(
            run,
            health_output="\n".join(plain(line) for line in health[-1]["Output"].strip().splitlines())
            if health
            else "",
            log=excerpt(lines),
            log_lines=len(lines),
            out_of_memory=run.out_of_memory or _lacked_memory(container),
        )


def _lacked_memory(container: Container) -> bool:
    return bool(container.attrs["State"].get("OOMKilled"))


@contextlib.contextmanager
def running(
    project: Project,
    engine: Engine,
    commands: Commands,
    *,
    only: tuple[str, ...] = (),
    timeout: float,
    keep: bool = False,
    on_change: Callable[[ServiceRun], None] = lambda _: None,
    on_event: Callable[[Event], None] = lambda _: None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda _: None,
    on_end: Callable[[Stack], None] = lambda _: None,
) -> Iterator[Stack]:
    """A copy of `project` (or of the services `only` and what they depend on) that has come up or has failed to.

    Returns when every service is up, when one has certainly failed, or after `timeout` seconds; which of these,
    `timeline` says. Everything is removed at the end, volumes included; what could not be is in `teardown_error`,
    and in the message of an error that ends the run. With `keep` it is left up instead, unless an error ends the run.
    `on_notes` is told how the copy differs from the project, and `on_end`, however it ends, what there is before
    it is removed.
    Raises `Unavailable` when images that are to be built are not there, when there is too much to copy, when Compose
    fails for a reason that no service shows, or when the engine goes away, and `Interrupted` when the user asks to
    stop.
    """
    name = f"hullmark-{re.sub(r'[^a-z0-9_-]', '', project.name.lower())[:32]}-{secrets.token_hex(4)}"
    labels = labels_of_run(name, kept=keep)
    unwanted = unscaled(project).difference(only)
    wanted = tuple(each for each in project.needed(only) if each not in unwanted)
    if missing := missing_images(project, wanted, engine):
        raise unbuilt(missing)
    copy = isolate(
        project,
        name=name,
        labels=labels,
        reach=_reach(project),
        start_interval=engine.has_start_interval,
        start_periods=_start_periods(project, engine),
        needed=only,
    )
    cargo = weigh(
        [item for item in copy.directories if {service for service, _ in item.mounts} & set(wanted)],
        [item for item in copy.files if item.service in wanted],
        engine.cancelled,
    )
    stack = Stack(
        name=name,
        project=project,
        engine=engine,
        timeline=Timeline(project=project, wanted=wanted, may_complete=may_complete(project)),
        copy=copy,
        cargo=cargo,
        notes=(*copy.notes, *cargo.notes),
        on_change=on_change,
        on_event=on_event,
    )
    on_notes(stack.notes)
    failure: BaseException | None = None
    with under_way(name):
        try:
            with _watched(stack):
                if not _is_stuck(stack) and (not cargo or _stowed(stack, commands, only, cargo, labels)):
                    _up(stack, commands, only, timeout)
                yield stack
        except BaseException as error:
            failure = error
            raise
        finally:
            try:
                on_end(stack)
            finally:
                stack.kept = keep and failure is None
                if not stack.kept:
                    settled = failure is None and stack.settled
                    stack.teardown_error = remove_run(engine, name, settled=settled)
                if isinstance(failure, HullmarkError) and stack.teardown_error:
                    failure.message += (
                        f"; of what was started, this could not be removed: {stack.teardown_error}"
                    )


@contextlib.contextmanager
def _watched(stack: Stack) -> Iterator[None]:
    """Has the engine tell of `stack` as long as the context lasts, from before it is started."""
    with contextlib.ExitStack() as cleanup, stack.engine.events(f"{RUN_LABEL}={stack.name}") as stream:
        listener = threading.Thread(target=_listen, args=(stream, stack.events), daemon=True)
        listener.start()
        cleanup.callback(listener.join, _PATIENCE)
        yield


def compose(stack: Stack, *words: str) -> tuple[str, ...]:
    """The `docker compose` that does `words` to `stack`; it reads the configuration from its standard input."""
    # The file is for secrets and configurations that come from the environment.
    argv = (
        "docker",
        "compose",
        "-p",
        stack.name,
        *_env_file(stack.project),
        "-f",
        "-",
        "--progress",
        "plain",
    )
    return (*argv, *words)


def _compose_up(stack: Stack, *words: str) -> tuple[str, ...]:
    return compose(stack, "up", "--no-build", *words)


def stow_files(stack: Stack, services: Iterable[str]) -> None:
    """Puts the copied files into the containers of `services`, which have been created anew and not started."""
    names = set(services)
    files = [(file, entry) for file, entry in stack.cargo.files if file.service in names]
    stow(Cargo(files=files), stack.engine, stack.containers, {})


def _is_stuck(stack: Stack) -> bool:
    """Whether it is certain before anything starts that not all will, which services the time line knows then."""
    for service, why in unawaitable(stack.project, stack.timeline.wanted, stack.engine):
        stack.refuse(service, f"{stack.name}-{service}", None, why)
        stack.settled = True
    return stack.settled


def _stowed(
    stack: Stack, commands: Commands, only: tuple[str, ...], cargo: Cargo, labels: dict[str, str]
) -> bool:
    """Has everything created, and the copies put into it; whether that was done, or a service was refused."""
    completed = commands.run(
        _compose_up(stack, "--no-start", *only), cwd=stack.project.root, stdin=stack.copy.configuration
    )
    stack.catch_up()
    if completed.returncode != 0:
        _refuse(stack, completed)
        return False
    stow(cargo, stack.engine, stack.containers, labels)
    return True


def _refuse(stack: Stack, completed: Completed) -> None:
    """Notes which services Compose failed for; raises `Unavailable` when it is not known of any."""
    for refused in refusals(stack.copy, stack.timeline.wanted, stack.containers, completed):
        stack.refuse(refused.service, refused.container, refused.exit_code, refused.why)
    if not stack.timeline.has_failed():
        raise Unavailable(f"the stack cannot be started: {reason(stack.copy, completed)}")


def _up(stack: Stack, commands: Commands, only: tuple[str, ...], timeout: float) -> None:
    """Starts the stack and follows its events until it is decided."""
    engine = stack.engine
    stop = threading.Event()
    ended: list[Completed | BaseException] = []

    def compose_up() -> None:
        # Containers that exist hold copies of files.
        argv = _compose_up(stack, "-d", "--no-recreate", *only)
        try:
            ended.append(
                commands.run(argv, cwd=stack.project.root, stdin=stack.copy.configuration, stop=stop)
            )
        except BaseException as error:  # noqa: BLE001  # handed over to the thread that waits
            ended.append(error)

    up = threading.Thread(target=compose_up, daemon=True)
    up.start()
    timeline = stack.timeline
    began = time.monotonic()
    try:
        unexplained: float | None = None
        while True:
            if engine.cancelled.is_set():
                raise Interrupted
            # In this order: what happened before Compose ended has been told when that it ended is seen.
            completed = _outcome(ended)
            stack.settled = completed is not None
            stack.catch_up(_TICK)
            now = time.monotonic()
            if timeline.has_failed():
                break
            if completed is not None and completed.returncode != 0:
                # The event that explains it may be on its way.
                unexplained = now if unexplained is None else unexplained
                if now - unexplained > _PATIENCE or unstarted(stack.timeline.wanted, stack.containers):
                    _refuse(stack, completed)
                    break
            elif completed is not None and timeline.is_ready() and timeline.is_steady(now - stack.started):
                timeline.came_up = True
                break
            at = now - stack.started
            stack.late = (
                timeline.pending() | timeline.unsettled(at) if now - began > timeout else timeline.overdue(at)
            )
            if stack.late or now - began > timeout:
                break
    finally:
        stack.ended_waiting = stack.now
        stop.set()
        up.join()
    stack.take_stock()


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
    found: dict[str, list[int]] = {}
    for name, settings in project.settings.services:
        for service, port in (each for probe in settings.probes for each in reached(name, probe)):
            found.setdefault(service, []).append(port)
    return found
