"""An image has more layers than the engine can stack.

What it looks like
    `max depth exceeded`.

Why it happens
    The storage driver stacks about 125 layers; each RUN, COPY and ADD makes one, and those of the base count.

What to do
    Join RUN instructions, copy directories instead of files, or squash the last stage.

        FROM scratch
        COPY --from=runtime / /
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom

MANY = 60


@situation(
    summary="an image has more layers than the engine can stack",
    patterns=(r"max depth exceeded",),
    since="0.1",
)
def too_many_layers(symptom: Symptom) -> Advice | None:
    found = []
    for service in symptom.patient.built(symptom.service):
        recipe = symptom.patient.recipe(service)
        number = sum(each.keyword in {"RUN", "COPY", "ADD"} for each in recipe.final.history) if recipe else 0
        if number > MANY:
            found.append(f"the last stage of `{service.name}` makes {number} layers on top of its base")
    return Advice(
        cause="each RUN, COPY and ADD makes a layer, and the storage driver stacks about 125 of them",
        found=tuple(found),
        remedies=(
            Remedy(text="join RUN instructions, and copy directories instead of files"),
            Remedy(text="or squash the last stage: `FROM scratch`, `COPY --from=runtime / /`"),
        ),
    )
