"""The version label and the build argument that it is set from; two rules share this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.rules._squash import VERSION_LABEL as LABEL
from hullmark.rules._variables import variables_of

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Recipe, Stage

__all__ = ["LABEL", "argument", "declares", "is_free", "owner"]


def owner(final: Stage, instruction: Instruction) -> Stage:
    """The stage of the lineage of `final` that `instruction` stands in."""
    return next(stage for stage in final.lineage if any(each is instruction for each in stage.instructions))


def is_free(recipe: Recipe) -> bool:
    """Whether `VERSION` can stand for the version of the image: nothing else is called that."""
    if "VERSION" in recipe.final.environment:
        return False
    return not any("VERSION" in variables_of(stage.opening.value) for stage in recipe.dockerfile.stages)


def declares(stage: Stage) -> bool:
    """Whether `stage` declares `ARG VERSION`."""
    return any(
        pair.name == "VERSION"
        for instruction in stage.instructions
        if instruction.keyword == "ARG"
        for pair in instruction.pairs
    )


def argument(recipe: Recipe) -> str:
    """The ARG to add: one with a value before the first FROM hands it on."""
    outside = {
        pair.name
        for argument in recipe.dockerfile.arguments
        for pair in argument.pairs
        if pair.raw is not None
    }
    return "ARG VERSION" if "VERSION" in outside else "ARG VERSION=dev"
