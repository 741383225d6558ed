r"""A squash drops the user, and the service runs as root.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they end with a USER that is not root, the
    stage that flattens them, or one built on it, has a USER as well.

Why it matters
    A squash copies files and nothing else. Without USER the service is root, although the file says otherwise a few
    lines above; whoever breaks into it owns the container.

How to fix
    Declare the user again behind the squash.

    Bad:

        FROM python:3.13-slim AS runtime
        RUN useradd --system app
        USER app
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        RUN useradd --system app
        FROM scratch
        COPY --from=runtime / /
        USER app
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation
from hullmark.rules._variables import expanded

_ROOT = frozenset({"root", "0"})


@rule(summary="a squash loses USER", severity=Severity.ERROR, since="0.1", fixes="safe or unsafe")
def squash_loses_user(recipe: Recipe) -> Iterator[Observation]:
    lost = recipe.final.lost("USER") if recipe.final.last("USER") is None else None
    if lost is None:
        return
    user = expanded(lost.instruction.value, lost.stage.variables(lost.instruction)).strip("\"'")
    if user.split(":")[0] not in _ROOT:
        yield observation(recipe, [lost], f"USER {user}", lambda place: place.whole())
