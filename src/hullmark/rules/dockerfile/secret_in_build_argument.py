r"""Secret in ARG or ENV.

What it checks
    Every ARG and ENV of the stages that a build of the image runs: whether the name is that of a secret (`NPM_TOKEN`,
    `DB_PASSWORD`), or the value has the format of one, also as a default (`${X:-...}`). An ARG without a value counts
    as well, because the value that a build passes in is kept; in a stage whose history the image has not got, which
    keeps it in the build cache only, it is a note.

Why it matters
    The values of build arguments stand in the history of the image, and those of ENV in its configuration. Both are
    read by whoever can pull it, and no later instruction takes them out again.

How to fix
    Hand the secret to the one RUN that needs it, as a mount that leaves nothing behind. What a service needs while it
    runs comes from its environment there.

    Bad:

        ARG NPM_TOKEN
        RUN npm config set //registry.example.com/:_authToken=$NPM_TOKEN && npm ci

    Good:

        RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.variables import (
    defaults_in,
    format_in,
    secret_default,
    secret_in,
)
from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._variables import variables_of

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Pair


@rule(summary="secret in a build argument or variable", severity=Severity.ERROR, since="0.1")
def secret_in_build_argument(recipe: Recipe) -> Iterator[Observation]:
    # The history of an image is that of the stages that it is built upon; a squash and a COPY leave it behind.
    kept = {stage.index for stage in recipe.final.lineage}
    instructions = [(True, instruction) for instruction in recipe.dockerfile.arguments]
    instructions += [
        (stage.index in kept, instruction) for stage in recipe.stages for instruction in stage.instructions
    ]
    for in_image, instruction in instructions:
        for pair in instruction.pairs if instruction.keyword in {"ARG", "ENV"} else ():
            if seen := _seen(instruction, pair):
                literal = bool(pair.raw) and not variables_of(pair.raw or "")
                yield Observation(
                    location=pair.span,
                    seen=f"{instruction.keyword} {seen}{'' if in_image else ', in the build cache'}",
                    expected="no secrets in what an image, a repository or a cache keeps",
                    remedy=_remedy(instruction, pair),
                    # What stands in the file is in the repository, wherever the stage ends.
                    severity=None if in_image or literal else Severity.NOTE,
                    key=f"{instruction.keyword} {pair.name}",
                )


def _remedy(instruction: Instruction, pair: Pair) -> str:
    mount = f"hand it to the RUN that needs it: `--mount=type=secret,id={pair.name.lower()}`"
    return (
        mount if instruction.keyword == "ARG" else f"{mount}; what the service needs, set when it is started"
    )


def _seen(instruction: Instruction, pair: Pair) -> str | None:
    raw = pair.raw or ""
    if found := format_in(pair.name, raw):
        return found
    variables = variables_of(raw)
    if not variables:
        if found := secret_in(pair.name, pair.value or ""):
            return found
        if instruction.keyword == "ARG" and pair.raw is None and is_named_like_secret(pair.name):
            return f"`{pair.name}` is kept with the value that a build passes in"
        return None
    taken = next((name for name in variables if is_named_like_secret(name)), None)
    if taken:
        return f"`{pair.name}` keeps the value of `{taken}`"
    given = (secret_default(pair.name, variable, default) for variable, default in defaults_in(raw))
    return next((found for found in given if found), None)
