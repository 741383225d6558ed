r"""Secret in ARG or ENV.

What it checks
    Every ARG and ENV of the stages that a build of the image runs: whether the name is that of a secret (`NPM_TOKEN`,
    `DB_PASSWORD`), or the value has the format of one. An ARG without a value counts as well, because the value that
    a build passes in is kept.

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

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._secrets import is_named_like_secret, secret_in
from hullmark.rules._squash import variables_of

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Pair


@rule(summary="secret in a build argument or variable", severity=Severity.ERROR, since="0.1")
def secret_in_build_argument(recipe: Recipe) -> Iterator[Observation]:
    instructions = [
        *recipe.dockerfile.arguments,
        *(instruction for stage in recipe.stages for instruction in stage.instructions),
    ]
    for instruction in instructions:
        if instruction.keyword in {"ARG", "ENV"}:
            for pair in instruction.pairs:
                if seen := _seen(instruction, pair):
                    yield Observation(
                        location=pair.span,
                        seen=f"{instruction.keyword} {seen}",
                        expected="no secrets in what an image keeps",
                        remedy=f"hand it to the RUN that needs it: `--mount=type=secret,id={pair.name.lower()}`",
                        key=f"{instruction.keyword} {pair.name}",
                    )


def _seen(instruction: Instruction, pair: Pair) -> str | None:
    raw = pair.raw or ""
    variables = variables_of(raw)
    if not variables:
        if found := secret_in(pair.name, pair.value or ""):
            return found
        if instruction.keyword == "ARG" and pair.raw is None and is_named_like_secret(pair.name):
            return f"`{pair.name}` is kept in the history of the image, with the value that a build passes in"
        return None
    taken = next((name for name in variables if is_named_like_secret(name)), None)
    return f"`{pair.name}` keeps the value of `{taken}`" if taken else None
