"""A container of that name is there already.

What it looks like
    `Conflict. The container name "/web" is already in use by container "..."`.

Why it happens
    `container_name` fixes a name for the whole engine: a second copy of the stack, or one of another directory,
    cannot start beside the first. Or a container of an earlier run was not removed.

What to do
    Take `container_name` out of the Compose file; services find each other by their own names. Remove the old
    container if nobody needs it.

        docker rm -f NAME
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a container of that name is there already",
    patterns=(
        r"[Tt]he container name \"/?(?P<name>[^\"]+)\" is already in use by container \"?(?P<container>\w{12})",
    ),
    since="0.1",
)
def container_name_taken(symptom: Symptom) -> Advice | None:
    name = symptom.get("name")
    found: tuple[str, ...] = ()
    if (held := symptom.patient.container(name)) is not None:
        found = (f"it is {held}",)
    return Advice(
        cause=f"a name belongs to one container of the engine, and `{name}` is taken",
        found=found,
        remedies=(
            Remedy(
                text="take `container_name` out of the Compose file",
                command=("hullmark", "explain", "fixed-container-name"),
            ),
            Remedy(
                text="or remove the other one, if nobody needs it",
                command=("docker", "rm", "-f", *operand(name)),
            ),
        ),
    )
