"""Applying the remedies that are safe for a machine to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._process import Commands
    from hullmark.model.diagnosis import Diagnosis, Repair


def repairs(diagnoses: Iterable[Diagnosis]) -> Iterator[Repair]:
    """What can be applied for `diagnoses`, each once."""
    yield from dict.fromkeys(each.advice.repair for each in diagnoses if each.advice.repair is not None)


def repair(chosen: Repair, commands: Commands) -> str:
    """Applies `chosen`; what its command printed last, such as how much it freed.

    Raises `CommandFailed` when it fails, and `Unavailable` when its program is not there.
    """
    completed = commands.run(chosen.argv, cwd=chosen.directory).check()
    said = [line.strip() for line in completed.stdout.splitlines() if line.strip()]
    return said[-1] if said else ""
