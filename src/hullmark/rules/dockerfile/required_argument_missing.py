r"""A build argument that the Dockerfile insists on has no value.

What it checks
    Each `${NAME:?message}` and `${NAME?message}` that the builder itself expands: in FROM of every stage, and in ARG,
    ENV, LABEL, COPY, ADD, WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL and the mounts of RUN, in the stages that the
    image is made from. It is told when Compose passes no such argument and nothing in the file gives it a value: an ARG
    without a default, one whose default stands before the first FROM while the stage does not ask for it, an empty one
    (with `:?`), or one that nobody declares, where the stage starts from nothing. What else is not declared may be a
    variable of the base image, and is left alone, as are commands, which a shell expands.

Why it matters
    The builder stops there. Whoever builds with the same Compose file gets the message and no image.

How to fix
    Pass the argument under `build.args` in the Compose file, or give it a default. In a stage an argument has to be
    declared, also where it has a default before the first FROM.

    Bad:

        ARG CHANNEL
        LABEL channel="${CHANNEL:?pass a channel}"

    Good:

        ARG CHANNEL=stable
        LABEL channel="${CHANNEL:?pass a channel}"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe, Scratch
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Demand, Dockerfile, Stage

_OF_THE_BUILDER = re.compile(
    r"(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT)|TARGETSTAGE|BUILDKIT_.*|SOURCE_DATE_EPOCH|(?i:(ALL|FTP|HTTPS?|NO)_PROXY)"
)
"""Arguments that the builder sets, or the machine on which it runs."""


@rule(summary="a required build argument has no value", severity=Severity.ERROR, since="0.1")
def required_argument_missing(recipe: Recipe) -> Iterator[Observation]:
    declared = _declared(recipe.dockerfile)
    # The builder works out the bases of all stages, also of those that the image does not need.
    for stage in recipe.dockerfile.stages:
        for demand in stage.opening.demands:
            if not _may_be_passed(demand):
                yield _observation(demand, f"`ARG {demand.name}=...` before the first FROM")
    for stage in recipe.stages:
        for instruction in stage.instructions:
            for demand in instruction.demands:
                meant = demand.empty or demand.name in declared or isinstance(stage.root, Scratch)
                if meant and not _may_be_passed(demand):
                    yield _observation(demand, _line(demand, stage, recipe.dockerfile))


def _declared(dockerfile: Dockerfile) -> set[str]:
    """The names of all arguments that the file knows of."""
    return {
        pair.name
        for instruction in dockerfile.instructions
        if instruction.keyword == "ARG"
        for pair in instruction.pairs
    }


def _may_be_passed(demand: Demand) -> bool:
    return _OF_THE_BUILDER.fullmatch(demand.name) is not None


def _line(demand: Demand, stage: Stage, dockerfile: Dockerfile) -> str:
    """The line that would give the variable its value."""
    outside = any(
        pair.name == demand.name and pair.raw
        for instruction in dockerfile.arguments
        for pair in instruction.pairs
    )
    value = "" if outside and not demand.empty else "=..."
    return f"`ARG {demand.name}{value}` in stage {stage.label}"


def _observation(demand: Demand, line: str) -> Observation:
    state = "is empty" if demand.empty else "has no value"
    return Observation(
        location=demand.span,
        seen=f"`{demand.raw}`, and {demand.name} {state}: the build stops here",
        expected="a value, from the build arguments or by default",
        remedy=f"pass {demand.name} under `build.args` of the service, or write {line}",
        key=demand.raw,
    )
