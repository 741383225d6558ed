r"""Version label is empty unless the build passes an argument.

What it checks
    The build argument that the label `org.opencontainers.image.version` is set from: it has a value of its own, in the
    stage or before the first FROM. And the stage of the label, or one that it is built upon, declares it: where it does
    not, the label is empty whatever the build passes, which is told when another stage has such an ARG or the image
    starts from nothing.

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
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe, Scratch
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, insertion_after
from hullmark.model.rule import rule
from hullmark.rules._edits import above
from hullmark.rules._variables import variables_of
from hullmark.rules._version_label import LABEL, owner

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Pair

_OF_THE_BUILDER = frozenset(
    {
        *("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE"),
        *("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"),
    }
)


@rule(summary="version label is empty by default", severity=Severity.NOTE, since="0.1", fixes="safe")
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
        if declared is None and name in found[1].unresolved and _is_meant(recipe, name):
            yield _undeclared(recipe, *found, f"ARG {name}" if name in outside else f"ARG {name}=dev")
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


def _is_meant(recipe: Recipe, name: str) -> bool:
    """Whether a variable that the stage does not set is an argument, and none that the base image may bring along."""
    return isinstance(recipe.final.root, Scratch) or any(
        pair.name == name
        for instruction in recipe.dockerfile.instructions
        if instruction.keyword == "ARG"
        for pair in instruction.pairs
    )


def _undeclared(recipe: Recipe, label: Instruction, pair: Pair, line: str) -> Observation:
    stage = owner(recipe.final, label)
    return Observation(
        location=pair.span,
        seen=f"{LABEL} is set from an argument that stage {stage.label} does not declare, and is empty",
        expected=f"`{line}` in stage {stage.label}",
        remedy=f"add `{line}` above it",
        key=f"undeclared {pair.raw}",
        fix=Fix(message="declare the argument where it is used", edits=(above(stage, label, line),)),
    )
