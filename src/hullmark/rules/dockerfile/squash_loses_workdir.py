r"""A squash drops the working directory.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they end with a WORKDIR other than `/`,
    the stage that flattens them, or one built on it, has a WORKDIR as well.

Why it matters
    A squash copies files and nothing else. The service then starts in `/`, and what it opens by a relative path is not
    there.

How to fix
    Declare the working directory again behind the squash, or write absolute paths and leave it out upstream, too.

    Bad:

        FROM python:3.13-slim AS runtime
        WORKDIR /app
        FROM scratch
        COPY --from=runtime / /
        CMD ["python", "main.py"]

    Good:

        FROM python:3.13-slim AS runtime
        WORKDIR /app
        FROM scratch
        COPY --from=runtime / /
        WORKDIR /app
        CMD ["python", "main.py"]
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation, working_directory


@rule(summary="a squash loses WORKDIR", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_workdir(recipe: Recipe) -> Iterator[Observation]:
    lost = recipe.final.lost("WORKDIR") if recipe.final.last("WORKDIR") is None else None
    directory = "/" if lost is None else working_directory(lost.stage)
    if lost is None or directory == "/":
        return
    value = lost.instruction.value
    yield observation(
        recipe,
        [lost],
        f"WORKDIR {directory}",
        # A relative one means something else where the directories before it are not declared.
        lambda place: (
            place.whole()
            if value.startswith(("/", "$"))
            else None
            if "$" in directory
            else [f"WORKDIR {directory}"]
        ),
    )
