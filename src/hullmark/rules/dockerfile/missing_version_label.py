"""Final stage sets no version label.

What it checks
    The stage that becomes the image, and the stages it is built on through `FROM stage`: one of them sets the label
    `org.opencontainers.image.version`, and not to nothing. A value that comes from a build argument is fine, as long
    as the stage declares the argument; one that is declared before the first FROM only is empty inside of a stage.
    Nothing is missing where the Compose file sets the label (`build.labels`), or where `policy.labels` does not ask for
    it.

Why it matters
    The label is how a running container is traced to the release it came from. A squash (`FROM scratch` and
    `COPY --from=runtime / /`) copies files and drops the labels of the stage it flattens.

How to fix
    Set the label in the last stage. The fix stays away where `VERSION` already means something else: where ENV sets it,
    or a FROM uses it.

    Bad:

        FROM python:3.13-slim AS runtime
        LABEL org.opencontainers.image.version="1.0"
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        ARG VERSION=1.0
        LABEL org.opencontainers.image.version="${VERSION}"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, replacement
from hullmark.model.rule import rule
from hullmark.rules._edits import above, at_end_of, end_of
from hullmark.rules._squash_place import LostPair, Place
from hullmark.rules._variables import variables_of
from hullmark.rules._version_label import LABEL, argument, declares, is_free, owner

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Lost, Pair, Recipe

_VALUE = f'LABEL {LABEL}="${{VERSION}}"'


@rule(summary="version label is missing", severity=Severity.ERROR, since="0.1", fixes="safe")
def missing_version_label(deployment: Deployment) -> Iterator[Observation]:
    recipe = deployment.recipe
    if LABEL in deployment.labels or LABEL not in deployment.required:
        return
    stage = recipe.final
    found = stage.pair("LABEL", LABEL)
    expected = f"{LABEL} with a value in the final stage"
    if found is not None:
        instruction, pair = found
        outside = _arguments_outside(recipe, pair)
        if outside:
            name = outside[0]
            yield Observation(
                location=pair.span,
                seen=f"`{pair.raw}` is empty: ARG {name} stands before the first FROM only",
                expected=expected,
                remedy=f"add `ARG {name}` to stage {stage.label}, above the label",
                key=f"empty {name}",
                fix=Fix(
                    message=f"declare ARG {name} in the stage",
                    edits=(above(owner(stage, instruction), instruction, f"ARG {name}"),),
                ),
            )
        elif not pair.value and "$" not in (pair.raw or ""):
            yield Observation(
                location=pair.span,
                seen=f"{LABEL} is empty",
                expected=expected,
                remedy=f'add `ARG VERSION=dev` above it and write `{LABEL}="${{VERSION}}"`',
                key="empty",
                fix=_filled(recipe, instruction, pair),
            )
        return
    lost = stage.lost_pair("LABEL", LABEL)
    if lost is not None:
        lines = _again(recipe, lost)
        shown = " and ".join(f"`{line}`" for line in lines)
        yield Observation(
            location=lost.copy.span,
            seen=f"set in stage {lost.stage.label} at line {lost.instruction.span.line}, lost by the squash",
            expected=expected,
            remedy=f"after line {end_of(stage)} add {shown}",
            key="lost by the squash",
            fix=_declared_again(recipe, lines),
        )
        return
    yield Observation(
        location=stage.span,
        seen=f"no {LABEL} in stage {stage.label}",
        expected=expected,
        remedy=f"add `ARG VERSION=dev` and `{_VALUE}` to stage {stage.label}",
        key="none",
        fix=_added(recipe),
    )


def _again(recipe: Recipe, lost: Lost) -> list[str]:
    """The lines that give the image the version that it lost: from a build argument, and by default the same."""
    pair = [each for each in lost.instruction.pairs if each.name == LABEL][-1]
    place = Place(recipe, lost)
    variables = variables_of(pair.raw or "")
    if variables and set(variables) != {"VERSION"}:
        made = place.pairs("LABEL", [LostPair(lost=lost, pair=pair)])
        if made is not None:
            return made
    if declares(recipe.final):
        return [_VALUE]
    literal = pair.value or ""
    if not variables and re.fullmatch(r"[\w.+-]+", literal):
        return [f"ARG VERSION={literal}", _VALUE]
    return [*(place.arguments(["VERSION"], lost.stage) or [argument(recipe)]), _VALUE]


def _declared_again(recipe: Recipe, lines: list[str]) -> Fix | None:
    if not is_free(recipe):
        return None
    return Fix(message="set the label again behind the squash", edits=(at_end_of(recipe.final, *lines),))


def _added(recipe: Recipe) -> Fix | None:
    if not is_free(recipe):
        return None
    arguments = [] if declares(recipe.final) else [argument(recipe)]
    return Fix(message="set the label from ARG VERSION", edits=(at_end_of(recipe.final, *arguments, _VALUE),))


def _filled(recipe: Recipe, instruction: Instruction, pair: Pair) -> Fix | None:
    stage = owner(recipe.final, instruction)
    if not is_free(recipe) or declares(stage):
        return None
    edits = (
        above(stage, instruction, argument(recipe)),
        replacement(pair.span, f'{LABEL}="${{VERSION}}"'),
    )
    return Fix(message="set the label from ARG VERSION", edits=edits)


def _arguments_outside(recipe: Recipe, pair: Pair) -> list[str]:
    """The variables in `pair` that are declared before the first FROM and not again in the stage."""
    if pair.value is None or all(pair.value not in (f"${name}", f"${{{name}}}") for name in pair.unresolved):
        return []
    declared = {each.name for argument in recipe.dockerfile.arguments for each in argument.pairs}
    inside = {
        each.name
        for instruction in recipe.final.history
        if instruction.keyword in ("ARG", "ENV")
        for each in instruction.pairs
    }
    return [name for name in pair.unresolved if name in declared and name not in inside]
