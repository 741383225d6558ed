r"""A squash drops the entrypoint.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they have an ENTRYPOINT, the stage that
    flattens them, or one built on it, has one as well. A CMD there that calls the same program will do.

Why it matters
    Without its entrypoint a container starts nothing, or starts the command without what was to prepare it. A squash
    copies files and nothing else.

How to fix
    Declare it again behind the squash.

    Bad:

        FROM python:3.13-slim AS runtime
        ENTRYPOINT ["/entrypoint.sh"]
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        ENTRYPOINT ["/entrypoint.sh"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation, started

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction


@rule(summary="a squash loses ENTRYPOINT", severity=Severity.ERROR, since="0.1", fixes="safe or unsafe")
def squash_loses_entrypoint(recipe: Recipe) -> Iterator[Observation]:
    final = recipe.final
    lost = final.lost("ENTRYPOINT") if final.last("ENTRYPOINT") is None else None
    if lost is None or lost.instruction.json == ():
        return
    command = final.last("CMD")
    if command is not None and _program(lost.instruction) in command.value:
        return
    yield observation(recipe, [lost], "ENTRYPOINT", started)


def _program(instruction: Instruction) -> str:
    words = instruction.json if instruction.json is not None else instruction.value.split()
    return words[0] if words else ""
