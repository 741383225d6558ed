r"""Final stage declares no health check.

What it checks
    The stage that becomes the image, and the stages it is built on through `FROM stage`: one of them has a
    `HEALTHCHECK CMD`, and no later `HEALTHCHECK NONE` takes it away. What a base image from outside brings along is
    not in the file and does not count.

Why it matters
    Without a health check nobody can tell a service that works from one that only has not exited yet. A squash
    (`FROM scratch` and `COPY --from=runtime / /`) copies files and drops the health check of the stage it flattens.

How to fix
    Declare it in the last stage.

    Bad:

        FROM python:3.13-slim AS runtime
        HEALTHCHECK CMD curl -f http://localhost:8001/health || exit 1
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 \
            CMD curl -f http://localhost:8001/health || exit 1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix, lines_after
from hullmark.model.rule import rule
from hullmark.rules._squash import shown, started
from hullmark.rules._squash_place import Place

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction


@rule(summary="HEALTHCHECK is missing", severity=Severity.ERROR, since="0.1", fixes="safe or unsafe")
def missing_healthcheck(recipe: Recipe) -> Iterator[Observation]:
    stage = recipe.final
    found = stage.last("HEALTHCHECK")
    expected = "a HEALTHCHECK CMD in the final stage"
    if found is not None:
        if _is_none(found):
            yield Observation(
                location=found.span,
                seen="HEALTHCHECK NONE",
                expected=expected,
                remedy=f"replace it with `{_EXAMPLE}`",
            )
        return
    lost = stage.lost("HEALTHCHECK")
    if lost is not None and not _is_none(lost.instruction):
        line = lost.instruction.span.line
        place = Place(recipe, lost)
        lines = started(place)
        yield Observation(
            location=lost.copy.span,
            seen=f"declared in stage {lost.stage.label} at line {line}, lost by the squash",
            expected=expected,
            remedy=f"declare it again after line {place.after.span.end_line}: {shown(recipe, lines)}",
            key="lost by the squash",
            fix=Fix(
                message="declare HEALTHCHECK again after the squash",
                edits=(lines_after(place.after.span, lines),),
                applicability=Applicability.SAFE if place.sure else Applicability.UNSAFE,
            ),
        )
        return
    yield Observation(
        location=stage.span,
        seen=f"no HEALTHCHECK in stage {stage.label}",
        expected=expected,
        remedy=f"add `{_EXAMPLE}` to stage {stage.label}",
        key="none",
    )


_EXAMPLE = (
    "HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 "
    "CMD <a command that fails when the service does not work>"
)


def _is_none(instruction: Instruction) -> bool:
    return instruction.value.upper() == "NONE"
