r"""Version label is empty unless the build passes an argument.

What it checks
    The build argument that the label `org.opencontainers.image.version` is set from: it has a value of its own, in the
    stage or before the first FROM.

Why it matters
    `docker compose build` on somebody's machine passes no version. The label is there and empty then, and a container
    that runs from it cannot be told from a release.

How to fix
    Give the argument a default that says where such an image comes from. The fix makes it `dev`.

    Bad:

        ARG VERSION
        LABEL org.opencontainers.image.version="${VERSION}"

    Good:

        ARG VERSION=dev
        LABEL org.opencontainers.image.version="${VERSION}"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, insertion_after
from hullmark.model.rule import rule
from hullmark.rules._squash import variables_of
from hullmark.rules._version_label import LABEL


@rule(summary="version label is empty by default", severity=Severity.NOTE, since="0.1")
def version_argument_without_default(recipe: Recipe) -> Iterator[Observation]:
    found = recipe.final.pair("LABEL", LABEL)
    if found is None or ":-" in (found[1].raw or ""):
        return
    outside = {
        pair.name
        for instruction in recipe.dockerfile.arguments
        for pair in instruction.pairs
        if pair.raw is not None
    }
    for name in variables_of(found[1].raw or ""):
        declared = recipe.final.pair("ARG", name)
        if (
            declared is not None
            and declared[1].raw is None
            and name not in outside
            and name not in recipe.final.environment
        ):
            pair = declared[1]
            yield Observation(
                location=pair.span,
                seen=f"ARG {name} has no value of its own, and {LABEL} is set from it",
                expected="a default",
                remedy=f"write `ARG {name}=dev`",
                key=name,
                fix=Fix(
                    message=f"let {name} be `dev` by default", edits=(insertion_after(pair.span, "=dev"),)
                ),
            )
