r"""A squash drops the shell that commands are written for.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they have a SHELL, and the stage that
    flattens them, or one built on it, runs something in shell form (RUN, CMD, ENTRYPOINT, HEALTHCHECK), it has a SHELL
    as well.

Why it matters
    Commands that were written for bash are then run by `/bin/sh`, which does not know all of it, and without the options
    that made them stop at the first failure. A squash copies files and nothing else.

How to fix
    Declare the shell again behind the squash, or write the command as a list.

    Bad:

        FROM debian:12 AS runtime
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        FROM scratch
        COPY --from=runtime / /
        CMD service --run | logger

    Good:

        FROM debian:12 AS runtime
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        FROM scratch
        COPY --from=runtime / /
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        CMD service --run | logger
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation

_DEFAULT = ("/bin/sh", "-c")
_RUN_BY_IT = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN"})


@rule(summary="a squash loses SHELL", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_shell(recipe: Recipe) -> Iterator[Observation]:
    lost = recipe.final.lost("SHELL") if recipe.final.last("SHELL") is None else None
    if lost is None or lost.instruction.json in (None, _DEFAULT):
        return
    for instruction in recipe.final.history:
        if (
            instruction.keyword in _RUN_BY_IT
            and instruction.json is None
            and instruction.value.upper() not in ("", "NONE")
        ):
            yield observation(recipe, [lost], "SHELL", lambda place: place.as_written, above=instruction)
            return
