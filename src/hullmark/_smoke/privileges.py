"""Whom the processes of a running service really run as."""

from __future__ import annotations

import io
import tarfile
import time
from typing import TYPE_CHECKING

from hullmark._smoke.probes import PAUSE
from hullmark._smoke.stack import running
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.project import DropsTo
from hullmark.model.stack import Privileges, ProcessUser

if TYPE_CHECKING:
    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Project

HAND_OVER = 3.0
"""Seconds that an entrypoint may take to become another user, where no health check says when it has."""
_FIELDS = 4
_LARGEST_PASSWD = 1 << 20


def observe_privileges(project: Project, service: str, engine: Engine, commands: Commands) -> Privileges:
    """Starts `service` (and what it depends on) in isolation and sees whom its processes run as.

    Raises `Unavailable` when it does not come up, for then nothing can be said.
    """
    settings = project.settings.service(service)
    assert isinstance(settings.user, DropsTo)
    with running(project, engine, commands, only=(service,), timeout=project.settings.smoke_timeout) as stack:
        if not stack.timeline.is_ready():
            states = ", ".join(
                f"{run.service} is {run.state}" for run in stack.timeline.services() if not run.ready
            )
            raise Unavailable(
                f"whom `{service}` runs as could not be seen, because it did not come up: {states}",
                hint="`hullmark smoke` says why",
            )
        processes = _settled_users(stack, service, settings.user.name)
    return Privileges(
        service=service,
        expected=settings.user.name,
        span=settings.user_origin or project.service(service).span,
        processes=processes,
    )


def _settled_users(stack: Stack, service: str, expected: str) -> tuple[ProcessUser, ...]:
    """The processes of `service`, once its entrypoint has had the time to hand over.

    A health check that passes says so; without one there is nothing but to look again for a while.
    """
    (run,) = (run for run in stack.timeline.services() if run.service == service)
    deadline = time.monotonic() + (0.0 if run.has_health_check else HAND_OVER)
    while True:
        processes = process_users(stack.container(service))
        settled = all(expected in {process.name, str(process.uid)} for process in processes)
        if settled or time.monotonic() > deadline:
            return processes
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def process_users(container: Container) -> tuple[ProcessUser, ...]:
    """The processes that descend from the container's main process, with their users.

    What was started from outside, such as a health check, is not the service's and is left out. Raises
    `Unavailable` when there is none to be seen.
    """
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    main = int(container.attrs["State"]["Pid"])
    try:
        table = container.top(ps_args="-eo pid,ppid,uid,args")["Processes"] or []
    except APIError as error:
        raise Unavailable(
            f"the processes of {container.name} cannot be listed: {error.explanation or error}"
        ) from error
    names = _names(container)
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
        stream, _ = container.get_archive("/etc/passwd")
    except NotFound:
        return {}
    data = b""
    for chunk in stream:
        data += chunk
        if len(data) > _LARGEST_PASSWD:
            raise Unavailable(f"`/etc/passwd` of {container.name} is larger than {_LARGEST_PASSWD} bytes")
    names: dict[int, str] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            for line in (file.read() if file else b"").decode("utf-8", "replace").splitlines():
                fields = line.split(":")
                if len(fields) >= _FIELDS and fields[2].isdecimal():
                    names.setdefault(int(fields[2]), fields[0])
    return names
