r"""A squash drops environment variables.

What it checks
    What the stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /` set with ENV, and what the stage that
    flattens them, or one built on it, sets again: each variable by name, whatever its value. Variables that only steer
    installers while the image is built (`DEBIAN_FRONTEND`, `PIP_...`, `UV_...`, `NPM_CONFIG_...` and the like) may go.
    What the base image brings along is not in the file and not looked at.

Why it matters
    A squash copies files and nothing else. Without its `PATH` a virtual environment is not found, without the rest the
    service runs with defaults that nobody chose, often far from where the variable was declared.

How to fix
    Set them again behind the squash. An argument that a value needs has to be declared again as well. Where an argument
    or a variable has another value by then, the fix writes the value itself; where that comes from outside as well, the
    fix is not a safe one and says which variables to look at. A variable whose
    name or value is that of a secret is better set when the container is started: no fix writes it into the image.

    Bad:

        FROM python:3.13-slim AS runtime
        ENV PYTHONUNBUFFERED=1 APP_MODE=production
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        ENV PYTHONUNBUFFERED=1 APP_MODE=production
        FROM scratch
        COPY --from=runtime / /
        ENV PYTHONUNBUFFERED=1 APP_MODE=production
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.variables import secret_in
from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import lost_pairs, observation
from hullmark.rules._squash_place import Place
from hullmark.rules._variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullmark.rules._squash_place import LostPair

_FOR_INSTALLERS = re.compile(
    r"""
      DEBIAN_FRONTEND | DEBCONF_\w+ | APT_\w+ | PIP_\w+ | PIPX_\w+ | UV_\w+ | POETRY_\w+ | NPM_CONFIG_\w+ | YARN_\w+
    | COREPACK_\w+ | CARGO_\w+ | RUSTFLAGS | MAKEFLAGS | CFLAGS | CXXFLAGS | LDFLAGS | CGO_\w+ | GOFLAGS | GOPROXY
    """,
    re.VERBOSE | re.IGNORECASE,
)


@rule(summary="a squash loses ENV", severity=Severity.ERROR, since="0.1", fixes="safe or unsafe")
def squash_loses_env(recipe: Recipe) -> Iterator[Observation]:
    losses = lost_pairs(recipe, "ENV", lambda name: _FOR_INSTALLERS.fullmatch(name) is not None)
    secret = _secret(losses)
    open_ = [each for each in losses if each not in secret]
    safe, unsure = _apart(recipe, open_)
    if safe:
        yield _lost(recipe, safe)
    if unsure:
        names = " and ".join(each.pair.name for each in unsure)
        reason = f"look at {names} first, which the base image, an argument or a later file may decide"
        yield _lost(recipe, unsure, reason)
    if secret:
        found = observation(recipe, [each.lost for each in secret], f"ENV {_names(secret)}", lambda _: None)
        yield replace(found, remedy="set it when the container is started: no image should hold a secret")


def _lost(recipe: Recipe, losses: Sequence[LostPair], reason: str = "") -> Observation:
    return observation(
        recipe,
        [each.lost for each in losses],
        f"ENV {_names(losses)}",
        lambda place: place.pairs("ENV", losses),
        reason=reason,
    )


def _names(losses: Iterable[LostPair]) -> str:
    return ", ".join(dict.fromkeys(each.pair.name for each in losses))


def _secret(losses: Iterable[LostPair]) -> list[LostPair]:
    """Those that hold a secret by their name or their value, or take one from another variable."""
    found: list[LostPair] = []
    for each in losses:
        taken = variables_of(each.pair.raw or "")
        names = {other.pair.name for other in found}
        if secret_in(each.pair.name, each.pair.value or "") or any(
            name in names or is_named_like_secret(name) for name in taken
        ):
            found.append(each)
    return found


def _apart(recipe: Recipe, losses: Sequence[LostPair]) -> tuple[list[LostPair], list[LostPair]]:
    """Those that mean the same when they are set again, and those of which that is not known."""
    safe: list[LostPair] = []
    unsure: list[LostPair] = []
    for each in losses:
        place = Place(recipe, losses[0].lost)
        made = place.pairs("ENV", [*safe, each])
        (safe if made is not None and place.sure else unsure).append(each)
    return safe, unsure
