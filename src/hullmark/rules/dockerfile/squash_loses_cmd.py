r"""A squash drops the command.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they have a CMD, the stage that flattens
    them, or one built on it, has one as well, or an ENTRYPOINT of its own that may need none.

Why it matters
    Without a command a container does not start, or its entrypoint is called without the arguments that it was given
    before. A squash copies files and nothing else.

How to fix
    Declare it again behind the squash.

    Bad:

        FROM python:3.13-slim AS runtime
        CMD ["python", "-m", "rag"]
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        CMD ["python", "-m", "rag"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation, started

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Lost


@rule(summary="a squash loses CMD", severity=Severity.ERROR, since="0.1", fixes="safe or unsafe")
def squash_loses_cmd(recipe: Recipe) -> Iterator[Observation]:
    final = recipe.final
    lost = final.lost("CMD") if final.last("CMD") is None else None
    if lost is None or lost.instruction.json == () or _is_reset(lost):
        return
    entrypoint, before = final.last("ENTRYPOINT"), lost.stage.last("ENTRYPOINT")
    if entrypoint is not None and (before is None or entrypoint.value.split() != before.value.split()):
        return
    yield observation(recipe, [lost], "CMD", started)


def _is_reset(lost: Lost) -> bool:
    """Whether an ENTRYPOINT of a stage further down has taken the command away: it resets what it inherits."""
    *_, owner = [stage for stage in lost.stage.lineage if lost.instruction in stage.instructions]
    below = lost.stage.lineage[lost.stage.lineage.index(owner) + 1 :]
    return any(each.keyword == "ENTRYPOINT" for stage in below for each in stage.instructions)
