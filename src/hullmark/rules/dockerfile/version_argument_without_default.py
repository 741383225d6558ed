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

import re
from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, insertion_after
from hullmark.model.rule import rule
from hullmark.rules._squash import variables_of
from hullmark.rules._version_label import LABEL

_OF_THE_BUILDER = frozenset(
    {
        *("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE"),
        *("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"),
    }
)


@rule(summary="version label is empty by default", severity=Severity.NOTE, since="0.1")
def version_argument_without_default(recipe: Recipe) -> Iterator[Observation]:
    found = recipe.final.pair("LABEL", LABEL)
    if found is None:
        return
    raw = found[1].raw or ""
    outside = {
        pair.name
        for instruction in recipe.dockerfile.arguments
        for pair in instruction.pairs
        if pair.raw is not None
    }
    for name in variables_of(raw):
        # `${NAME:-x}` brings a default, and `${NAME:?x}` will have none.
        if name in _OF_THE_BUILDER or re.search(rf"\$\{{{name}:?[-?]", raw):
            continue
        declared = recipe.final.pair("ARG", name)
        # What Compose passes in is a value like any other.
        if declared is None or declared[1].value or name in outside or name in recipe.final.environment:
            continue
        pair = declared[1]
        yield Observation(
            location=pair.span,
            seen=f"ARG {name} has no value of its own, and {LABEL} is set from it",
            expected="a default",
            remedy=f"write `ARG {name}=dev`",
            key=name,
            fix=None
            if pair.raw is not None
            else Fix(message=f"let {name} be `dev` by default", edits=(insertion_after(pair.span, "=dev"),)),
        )
