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
    Set them again behind the squash. An argument that a value needs has to be declared again as well.

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

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import lost_pairs, observation

_FOR_INSTALLERS = re.compile(
    r"""
      DEBIAN_FRONTEND | DEBCONF_\w+ | APT_\w+ | PIP_\w+ | PIPX_\w+ | UV_\w+ | POETRY_\w+ | NPM_CONFIG_\w+ | YARN_\w+
    | COREPACK_\w+ | CARGO_\w+ | RUSTFLAGS | MAKEFLAGS | CFLAGS | CXXFLAGS | LDFLAGS | CGO_\w+ | GOFLAGS | GOPROXY
    """,
    re.VERBOSE | re.IGNORECASE,
)


@rule(summary="a squash loses ENV", severity=Severity.ERROR, since="0.1")
def squash_loses_env(recipe: Recipe) -> Iterator[Observation]:
    losses = lost_pairs(recipe, "ENV", lambda name: _FOR_INSTALLERS.fullmatch(name) is not None)
    if losses:
        names = ", ".join(dict.fromkeys(each.pair.name for each in losses))
        yield observation(
            recipe, [each.lost for each in losses], f"ENV {names}", lambda place: place.pairs("ENV", losses)
        )
