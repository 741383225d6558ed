"""Whom the processes of a running service really run as."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from hullmark._smoke.stack import running
from hullmark.errors import Unavailable
from hullmark.model.project import DropsTo
from hullmark.model.stack import Privileges, ProcessUser

if TYPE_CHECKING:
    from docker.models.containers import Container

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.project import Project

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
        processes = process_users(stack.container(service))
    return Privileges(
        service=service,
        expected=settings.user.name,
        span=settings.user_origin or project.service(service).span,
        processes=processes,
    )


def process_users(container: Container) -> tuple[ProcessUser, ...]:
    """The processes that descend from the container's main process, with their users.

    What was started from outside, such as a health check, is not the service's and is left out.
    """
    main = int(container.attrs["State"]["Pid"])
    table = container.top(ps_args="-eo pid,ppid,uid,args")["Processes"] or []
    names = _names(container)
    rows = [(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in table if len(row) >= _FIELDS]
    ours = {main}
    grown = True
    while grown:
        more = {pid for pid, parent, _, _ in rows if parent in ours and pid not in ours}
        ours |= more
        grown = bool(more)
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
