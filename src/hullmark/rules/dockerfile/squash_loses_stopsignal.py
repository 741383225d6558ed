r"""A squash drops the signal that stops the service.

What it checks
    Stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /`: when they have a STOPSIGNAL, the stage that
    flattens them, or one built on it, has one as well.

Why it matters
    A service that needs another signal than SIGTERM to end in good order is killed after ten seconds instead. A squash
    copies files and nothing else.

How to fix
    Declare it again behind the squash.

    Bad:

        FROM debian:12 AS runtime
        STOPSIGNAL SIGINT
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM debian:12 AS runtime
        FROM scratch
        COPY --from=runtime / /
        STOPSIGNAL SIGINT
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import observation
from hullmark.rules._variables import expanded

_DEFAULT = frozenset({"SIGTERM", "TERM", "15"})


@rule(summary="a squash loses STOPSIGNAL", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_stopsignal(recipe: Recipe) -> Iterator[Observation]:
    lost = recipe.final.lost("STOPSIGNAL") if recipe.final.last("STOPSIGNAL") is None else None
    if lost is None:
        return
    signal = expanded(lost.instruction.value, lost.stage.variables(lost.instruction))
    if signal.upper() not in _DEFAULT:
        yield observation(recipe, [lost], f"STOPSIGNAL {signal}", lambda place: place.whole())
