"""Users: whom the processes of each running container really run as, against what the project promises."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hullmark._smoke.privileges import process_users
from hullmark.model.drill import Drill, Exempt, Failed, Passed
from hullmark.model.project import AnyUser, DropsTo, NonRoot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun
    from hullmark.model.project import UserPolicy
    from hullmark.model.stack import ProcessUser

_INITS = frozenset({"tini", "docker-init", "dumb-init", "catatonit"})
"""Programs that do nothing but collect children and pass on signals."""
_QUOTED = 80


def drill(ground: Ground) -> Iterator[DrillRun]:
    """The user of every process of every service."""
    return ground.each(Drill.USER, _user, gentle=True)


def _user(ground: Ground, name: str) -> DrillResult:
    settings = ground.project.settings.service(name)
    processes = tuple(
        process for container in ground.stack.containers(name) for process in process_users(container)
    )
    seen = ", ".join(sorted({process.name for process in processes}))
    if isinstance(settings.user, AnyUser):
        return Exempt(reason=f"it runs as {seen}; `user` allows anybody")
    wrong = [process for process in processes if not allowed(process, settings.user)]
    if not wrong:
        number = len(processes)
        return Passed(seen=f"{number} process{'' if number == 1 else 'es'} as {seen}")
    wanted = f"`user: {settings.user.name}`" if isinstance(settings.user, DropsTo) else "USER"
    return Failed(
        seen="; ".join(f"`{each.command[:_QUOTED]}` runs as {each.name}" for each in wrong[:3]),
        remedy=f"`exec` what the entrypoint starts under the other user, or set {wanted}",
        key=", ".join(sorted({program(each) for each in wrong})),
        location=settings.user_origin,
    )


def program(process: ProcessUser) -> str:
    """What `process` runs, without its directory."""
    return posixpath.basename((process.command.split() or [""])[0])


def allowed(process: ProcessUser, policy: UserPolicy) -> bool:
    """Whether `policy` lets `process` run as it does; a mere init may be anybody's."""
    match policy:
        case AnyUser():
            return True
        case NonRoot():
            return process.uid != 0 or program(process) in _INITS
        case DropsTo(name=name):
            return name in {process.name, str(process.uid)} or program(process) in _INITS
