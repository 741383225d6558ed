"""What a squash drops, and how it is declared again; the rules about each kind of loss share this."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hullmark.model.finding import Observation
from hullmark.model.fix import Applicability, Fix, lines_after
from hullmark.rules._squash_place import LostPair, Place
from hullmark.rules._variables import expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hullmark.model.dockerfile import Instruction, Lost, Recipe, Stage

VERSION_LABEL = "org.opencontainers.image.version"


def flattened(stage: Stage) -> tuple[Stage, ...]:
    """The stages that the image of `stage` is squashed from, the last squashed first."""
    found = []
    while (squash := stage.lineage[0].squash) is not None:
        stage = squash[1]
        found.append(stage)
    return tuple(found)


def lost_pairs(recipe: Recipe, keyword: str, exempt: Callable[[str], bool]) -> tuple[LostPair, ...]:
    """The ENV or LABEL values that the image would have without its squash, in the order of their declaration."""
    kept = {
        pair.name
        for instruction in recipe.final.history
        if instruction.keyword == keyword
        for pair in instruction.pairs
    }
    found = []
    for stage in reversed(flattened(recipe.final)):
        for instruction in stage.history:
            if instruction.keyword != keyword:
                continue
            for pair in instruction.pairs:
                if pair.name in kept or exempt(pair.name):
                    continue
                lost = recipe.final.lost_pair(keyword, pair.name)
                if lost is not None and lost.instruction is instruction and instruction.pairs[-1:] != ():
                    last = [each for each in instruction.pairs if each.name == pair.name][-1]
                    if last is pair:
                        found.append(LostPair(lost=lost, pair=pair))
    return tuple(found)


def declared(stage: Stage, keyword: str) -> Iterator[tuple[Instruction, tuple[str, ...]]]:
    """The instructions called `keyword` in the history of `stage`, with their values as far as they are known."""
    for instruction in stage.history:
        if instruction.keyword == keyword:
            known = stage.variables(instruction)
            words = instruction.json if instruction.json is not None else instruction.value.split()
            yield instruction, tuple(expanded(word, known) for word in words)


def working_directory(stage: Stage) -> str:
    """Where the commands of the image of `stage` run, as far as the file says; variables are replaced where known."""
    directory = "/"
    for instruction in stage.history:
        if instruction.keyword == "WORKDIR":
            value = expanded(instruction.value.strip("\"'"), stage.variables(instruction))
            directory = (
                value if value.startswith("$") else posixpath.normpath(posixpath.join(directory, value))
            )
    return directory


def observation(
    recipe: Recipe,
    losses: Sequence[Lost],
    what: str,
    lines: Callable[[Place], Iterable[str] | None],
    *,
    above: Instruction | None = None,
    reason: str = "",
) -> Observation:
    """What a rule about a loss says: `what` is lost, and `lines` declare it again, above the instruction `above` if given.

    `reason` says what makes a fix unsafe, where that can be named.
    """
    first = losses[0]
    written = tuple(dict.fromkeys(str(each.instruction.span.line) for each in losses))
    numbers = f"line{'s' if len(written) > 1 else ''} {', '.join(written)}"
    place = Place(recipe, first, above)
    made = lines(place)
    made = None if made is None else tuple(made)
    text = "declare it again in the last stage"
    fix = None
    if made is not None:
        text = f"after line {place.after.span.end_line} add {shown(recipe, made)}"
        fix = Fix(
            message=f"declare {what} again after the squash",
            edits=(lines_after(place.after.span, made),),
            applicability=Applicability.SAFE if place.sure else Applicability.UNSAFE,
        )
    text += f"; {reason}" if reason else ""
    return Observation(
        location=first.copy.span,
        seen=f"{what} of stage {first.stage.label} at {numbers}, lost by the squash",
        expected="declared again after the squash",
        remedy=text,
        key=what,
        fix=fix,
    )


def shown(recipe: Recipe, lines: Iterable[str]) -> str:
    """`lines` as a message shows what its fix writes: each as one line."""
    continued = f"{recipe.dockerfile.escape}\n"
    return " and ".join(f"`{' '.join(line.replace(continued, ' ').split())}`" for line in lines)


def started(place: Place) -> list[str]:
    """The lines that run the lost command as before."""
    if place.lost.instruction.json is None and place.lost.stage.last("SHELL") is not None:
        place.sure = False  # it was run by that shell
    return place.as_written
