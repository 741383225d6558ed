"""What a stage that is not part of the image lends to it, by COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.dockerfile import StageBase
from hullmark.rules._known_bases import Directory, is_below

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Recipe, Stage


def lent(recipe: Recipe, stage: Stage) -> tuple[str, ...]:
    """The paths of `stage`, and of what is built upon it, that other stages copy."""
    found = []
    for other in recipe.stages:
        for instruction in other.instructions:
            match instruction.source:
                case StageBase(stage=source) if instruction.keyword == "COPY" and any(
                    each.index == stage.index for each in source.lineage
                ):
                    at = Directory(source, instruction)
                    at.known = "/"
                    found += [
                        path for word in instruction.words[:-1] if (path := at.path(word.text)) is not None
                    ]
                case _:
                    pass
    return tuple(found)


def reaches(place: str | None, paths: tuple[str, ...]) -> bool:
    """Whether what is at `place` is among `paths`; where the place is not known, it is not said to be."""
    return place is not None and any(is_below(place, path) or is_below(path, place) for path in paths)
