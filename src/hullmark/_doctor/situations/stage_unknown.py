"""The stage to build is not in the Dockerfile.

What it looks like
    `target stage "runtme" could not be found`.

Why it happens
    `target` of the Compose file, or `--target`, names a stage that no FROM has after AS.

What to do
    Name one that is there.

        FROM debian:bookworm-slim AS runtime
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.contexts import stages
from hullmark._doctor.situation import situation
from hullmark.errors import nearest
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the stage to build is not in the Dockerfile",
    patterns=(
        r"target stage \"?(?P<stage>[^\"\s]+)\"? could not be found",
        r"failed to reach build target (?P<stage>\S+) in Dockerfile",
    ),
    since="0.1",
)
def stage_unknown(symptom: Symptom) -> Advice | None:
    stage = symptom.get("stage")
    names = sorted(stages(symptom.patient, symptom.service))
    near = nearest(stage, names)
    return Advice(
        cause=f"no FROM of the Dockerfile is called `{stage}`{f'; `{near}` may be meant' if near else ''}",
        found=(f"the stages are {', '.join(names)}",) if names else (),
        remedies=(Remedy(text="correct `target` in the Compose file, or name the stage with AS"),),
    )
