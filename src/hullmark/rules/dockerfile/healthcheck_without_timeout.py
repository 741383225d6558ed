r"""Health check says nothing about how long it may take.

What it checks
    The HEALTHCHECK that decides in the image: it has a `--timeout`.

Why it matters
    A check that hangs is a service that hangs. Without a word the engine waits for 30 seconds, then does so again for each
    retry: with the defaults a dead service counts as healthy for minutes, and whatever waits for it waits as well.

How to fix
    Give it the time that an answer may take, and no more. The fix writes down the 30 seconds that count anyway, for you
    to shorten.

    Bad:

        HEALTHCHECK --interval=30s CMD curl -f http://localhost:8001/health || exit 1

    Good:

        HEALTHCHECK --interval=30s --timeout=10s CMD curl -f http://localhost:8001/health || exit 1
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, insertion
from hullmark.model.rule import rule

_KEYWORD = len("HEALTHCHECK")


@rule(summary="HEALTHCHECK has no timeout", severity=Severity.NOTE, since="0.1", fixes="safe")
def healthcheck_without_timeout(recipe: Recipe) -> Iterator[Observation]:
    found = recipe.final.last("HEALTHCHECK")
    if found is None or found.value.upper() == "NONE" or found.flag("timeout"):
        return
    place = found.span
    yield Observation(
        location=place,
        seen="HEALTHCHECK without --timeout: 30 seconds for each attempt",
        expected="--timeout",
        remedy="write `HEALTHCHECK --timeout=10s ...`, or as long as an answer may take",
        key="no timeout",
        fix=Fix(
            message="write down the timeout of 30 seconds",
            edits=(insertion(place.path, place.line, place.column + _KEYWORD, " --timeout=30s"),),
        ),
    )
