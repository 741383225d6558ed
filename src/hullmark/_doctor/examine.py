"""The examinations of this machine, and what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.examinations import EXAMINATIONS
from hullmark._doctor.machine import Machine
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.diagnosis import Examinations, Examined
from hullmark.model.outcome import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.diagnosis import Sight
    from hullmark.model.project import Project


def examine(
    commands: Commands,
    environ: Mapping[str, str],
    connect: Callable[[], Engine],
    project: Callable[[], Project | None],
) -> Examinations:
    """What each examination sees, in the order in which they are made; one that fails is broken, and the rest go on.

    `connect` and `project` are called once and may raise `HullmarkError`; `project` gives `None` where there is none.
    """
    machine = Machine(commands=commands, environ=environ, connect=connect, find_project=project)
    return Examinations(
        examined=tuple(
            Examined(examination=name, about=examination.about, sight=_sight(examination.look, machine))
            for name, examination in EXAMINATIONS.items()
        )
    )


def _sight(look: Callable[[Machine], Sight], machine: Machine) -> Sight:
    from docker.errors import DockerException  # noqa: PLC0415  # loaded only where an engine is asked

    try:
        return look(machine)
    except Interrupted:
        raise
    except HullmarkError as error:
        return Broken(error=error.message)
    except (DockerException, OSError) as error:
        return Broken(error=str(error))
