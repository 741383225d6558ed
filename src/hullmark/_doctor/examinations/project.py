"""The project here: whether what it publishes can be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._dev.ports import conflicts, published
from hullmark._doctor.examinations.engine import NO_ENGINE
from hullmark.errors import HullmarkError, Unavailable
from hullmark.model.diagnosis import Looked, Trouble
from hullmark.model.finding import Severity
from hullmark.model.outcome import Skipped

if TYPE_CHECKING:
    from hullmark._doctor.machine import Machine
    from hullmark.model.diagnosis import Sight


def ports(machine: Machine) -> Sight:
    """The ports that the project publishes, and who holds those that are taken by others than itself."""
    project = machine.project
    if project is None:
        return Skipped(reason="there is no Compose project here", moot=True)
    if isinstance(project, Unavailable):
        return Skipped(reason=project.message)
    if isinstance(project, HullmarkError):
        return Looked(
            troubles=(
                Trouble(
                    severity=Severity.ERROR,
                    seen=f"the project cannot be used: {project.message}",
                    remedy=project.hint or "correct the file that is named",
                ),
            )
        )
    names = [service.name for service in project.services]
    wanted = tuple(published(project, names))
    if not wanted:
        return Looked(facts=(("project", project.name), ("ports", "none is published")))
    if machine.engine is None:
        return NO_ENGINE
    facts = (
        ("project", project.name),
        ("ports", ", ".join(f"{each.port} ({each.service})" for each in wanted)),
    )
    troubles = tuple(
        Trouble(
            severity=Severity.WARNING,
            seen=str(each),
            remedy=f"stop what holds it, or publish another; {each.instead} is free, and `hullmark dev` takes free ones",
        )
        for each in conflicts(project, names, machine.engine)
    )
    return Looked(facts=facts, troubles=troubles)
