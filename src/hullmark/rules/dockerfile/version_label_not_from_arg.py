r"""Version label is written into the Dockerfile.

What it checks
    The label `org.opencontainers.image.version` that decides in the image: its value holds a variable. That it is there at
    all is the matter of `missing-version-label`.

Why it matters
    Whoever releases sets the version when the image is built. A version in the file has to be edited for each release,
    and says the wrong thing from the first commit after it on.

How to fix
    Take it from a build argument. The fix keeps the version of the file as what is used when none is given.

    Bad:

        LABEL org.opencontainers.image.version="1.4.0"

    Good:

        ARG VERSION=dev
        LABEL org.opencontainers.image.version="${VERSION}"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix, replacement
from hullmark.model.rule import rule
from hullmark.rules._edits import above
from hullmark.rules._version_label import LABEL, declares, is_free, owner

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Pair

_VERSION = re.compile(r"[\w.+-]+")


@rule(
    summary="the version label is not set from a build argument",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe",
)
def version_label_not_from_arg(recipe: Recipe) -> Iterator[Observation]:
    found = recipe.final.pair("LABEL", LABEL)
    if found is None:
        return
    instruction, pair = found
    if pair.value and "$" not in (pair.raw or ""):
        yield Observation(
            location=pair.span,
            seen=f"{LABEL} is always `{pair.value}`",
            expected="the value of a build argument",
            remedy=f'add `ARG VERSION={pair.value}` above it and write `{LABEL}="${{VERSION}}"`',
            key=LABEL,
            fix=_fix(recipe, instruction, pair),
        )


def _fix(recipe: Recipe, instruction: Instruction, pair: Pair) -> Fix | None:
    stage = owner(recipe.final, instruction)
    named = {each.name for argument in recipe.dockerfile.arguments for each in argument.pairs}
    if (
        not is_free(recipe)
        or declares(stage)
        or "VERSION" in named
        or not _VERSION.fullmatch(pair.value or "")
    ):
        return None
    legacy = "=" not in instruction.value.split()[0]
    edits = (
        above(stage, instruction, f"ARG VERSION={pair.value}"),
        replacement(pair.span, f'{LABEL}{" " if legacy else "="}"${{VERSION}}"'),
    )
    return Fix(message="take the version from ARG VERSION", edits=edits)
