"""Whom the processes of a running service really run as."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from hullmark._smoke.archive import first_file
from hullmark._smoke.probes import PAUSE
from hullmark._smoke.stack import may_complete, running
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.project import DropsTo
from hullmark.model.service_run import State
from hullmark.model.stack import Privileges, ProcessUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.stack import Stack
    from hullmark._smoke.timeline import Event
    from hullmark.model.project import Project

HAND_OVER = 3.0
"""Seconds that an entrypoint may take to become another user, where no health check says when it has."""
OFTEN = 0.05
"""Seconds between two looks at a service that is going to end."""
ENOUGH = 5
"""Looks after which a service that has ended is believed never to have handed over."""
_FIELDS = 4
_LARGEST_PASSWD = 1 << 20


def observe_privileges(project: Project, service: str, engine: Engine, commands: Commands) -> Privileges:
    """Starts `service` (and what it depends on) in isolation and sees whom its processes run as.

    One that does its work and ends is looked at while it runs, and where that is too short, in its configuration.
    Raises `Unavailable` when it does not come up, or ends before it is seen, for then nothing can be said.
    """
    settings = project.settings.service(service)
    assert isinstance(settings.user, DropsTo)
    with (
        _Watch(service=service, engine=engine) as watch,
        running(
            project,
            engine,
            commands,
            only=(service,),
            timeout=project.settings.smoke_timeout,
            on_event=watch.saw if service in may_complete(project) else lambda _: None,
        ) as stack,
    ):
        if not stack.timeline.is_ready():
            states = ", ".join(
                f"{run.service} is {run.state}" for run in stack.timeline.services() if not run.ready
            )
            raise Unavailable(
                f"whom `{service}` runs as could not be seen, because it did not come up: {states}",
                hint="`hullmark smoke` says why",
            )
        processes = _processes(stack, service, settings.user.name, watch)
    return Privileges(
        service=service,
        expected=settings.user.name,
        span=settings.user_origin or project.service(service).span,
        processes=processes,
    )


def _processes(stack: Stack, service: str, expected: str, watch: _Watch) -> tuple[ProcessUser, ...]:
    if stack.timeline.life(service).state is not State.COMPLETED:
        try:
            return _settled_users(stack, service, expected)
        except Unavailable:
            # It may have done its work just now.
            stack.catch_up(PAUSE)
            if stack.timeline.life(service).state is not State.COMPLETED:
                raise
    return _seen_of_job(stack, service, expected, watch)


@dataclass(kw_only=True)
class _Watch:
    """Looks at the processes of `service` again and again, from when it starts until it ends."""

    service: str
    engine: Engine
    looks: int = 0
    """How many times there was something to see."""
    seen: tuple[ProcessUser, ...] = ()
    """What they were the last time."""
    _done: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def saw(self, event: Event) -> None:
        """Takes note that a container of the service has started."""
        if event.service == self.service and event.action == "start":
            thread = threading.Thread(target=self._look, args=(event.container,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _look(self, name: str) -> None:
        from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

        # Whatever ends it, the service or the engine, what was seen until then was seen.
        with contextlib.suppress(DockerException, OSError, Unavailable):
            container = self.engine.client.containers.get(name)
            names = _names(container)
            while True:
                self.seen = process_users(container, names)
                self.looks += 1
                # Rarely, in the long run: most of what ends is over soon.
                if self._done.wait(OFTEN * max(1, self.looks - ENOUGH)) or self.engine.cancelled.is_set():
                    return


def _seen_of_job(stack: Stack, service: str, expected: str, watch: _Watch) -> tuple[ProcessUser, ...]:
    """The processes of a service that has ended: as they were last, or else as its configuration says."""
    # One that was seen so seldom may have been about to become another user.
    settled = all(expected in {each.name, str(each.uid)} for each in watch.seen)
    if watch.looks and (settled or watch.looks >= ENOUGH):
        return watch.seen
    container = stack.container(service)
    user = str(container.attrs["Config"].get("User") or "").partition(":")[0]
    names = _names(container)
    numbers = {name: uid for uid, name in names.items()}
    uid = int(user) if user.isdecimal() else numbers.get(user)
    if not uid:
        raise Unavailable(
            f"whom `{service}` runs as could not be seen, because it ended too soon",
            hint=f"set `user: {expected}` in the Compose file or USER in the Dockerfile, which says it without a look",
        )
    command = " ".join((container.attrs["Path"], *container.attrs["Args"]))
    return (ProcessUser(uid=uid, name=names.get(uid, str(uid)), command=command),)


def _settled_users(stack: Stack, service: str, expected: str) -> tuple[ProcessUser, ...]:
    """The processes of `service`, once its entrypoint has had the time to hand over.

    A health check that passes says so; without one there is nothing but to look again for a while.
    """
    health_check = stack.timeline.life(service).has_health_check
    deadline = time.monotonic() + (0.0 if health_check else HAND_OVER)
    while True:
        processes = process_users(stack.container(service))
        settled = all(expected in {process.name, str(process.uid)} for process in processes)
        if settled or time.monotonic() > deadline:
            return processes
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def process_users(container: Container, names: Mapping[int, str] | None = None) -> tuple[ProcessUser, ...]:
    """The processes that descend from the container's main process, with their users.

    `names` are those of the container's users, where they are known already. What was started from outside, such as
    a health check, is not the service's and is left out. Raises `Unavailable` when there is none to be seen.
    """
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    main = int(container.attrs["State"]["Pid"])
    try:
        table = container.top(ps_args="-eo pid,ppid,uid,args")["Processes"] or []
    except APIError as error:
        raise Unavailable(
            f"the processes of {container.name} cannot be listed: {error.explanation or error}"
        ) from error
    names = _names(container) if names is None else names
    rows = [(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in table if len(row) >= _FIELDS]
    ours = {main}
    grown = True
    while grown:
        more = {pid for pid, parent, _, _ in rows if parent in ours and pid not in ours}
        ours |= more
        grown = bool(more)
    if main not in {pid for pid, _, _, _ in rows}:
        raise Unavailable(f"the main process of {container.name} is not among its processes")
    return tuple(
        ProcessUser(uid=uid, name=names.get(uid, str(uid)), command=command)
        for pid, _, uid, command in rows
        if pid in ours
    )


def _names(container: Container) -> dict[int, str]:
    """User names by number, from the container's own `/etc/passwd`; empty when it has none."""
    from docker.errors import NotFound  # noqa: PLC0415  # loaded with the engine

    try:
        data = first_file(container, "/etc/passwd", most=_LARGEST_PASSWD) or b""
    except NotFound:
        return {}
    names: dict[int, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) >= _FIELDS and fields[2].isdecimal():
            names.setdefault(int(fields[2]), fields[0])
    return names
