r"""Compilers and headers are installed in the only stage there is.

What it checks
    A build that has one stage: the compilers, build systems and packages of headers that it installs are removed again in
    the same RUN. What counts as one is what counts for `build-tools-in-final-stage`, which is about builds of several
    stages; each defect is reported by one of the two.

Why it matters
    There is no place to build in but the image itself. Build tools are often the largest part of it, they bring most of
    its vulnerabilities, and they serve an intruder better than the service.

How to fix
    Build in a stage of its own and copy what it made into a clean one.

    Bad:

        FROM python:3.13-slim
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev \
            && pip install --no-cache-dir psycopg && rm -rf /var/lib/apt/lists/*

    Good:

        FROM python:3.13-slim AS builder
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev \
            && pip wheel --no-cache-dir --wheel-dir /wheels psycopg
        FROM python:3.13-slim
        RUN --mount=from=builder,source=/wheels,target=/wheels \
            pip install --no-cache-dir --no-index --find-links /wheels psycopg
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._build_tools import left_tools


@rule(summary="build tools are installed and there is one stage only", severity=Severity.ERROR, since="0.1")
def single_stage_build(recipe: Recipe) -> Iterator[Observation]:
    if len(recipe.stages) > 1:
        return
    for left in left_tools(recipe):
        yield Observation(
            location=left.words[0].span,
            seen=f"{left.call.program} installs {left.names} in the only stage",
            expected="a builder stage, and an image without build tools",
            remedy=f"install them in a stage `FROM {recipe.final.base} AS builder` and COPY --from=builder what they "
            f"build, or {left.removal}",
            key=left.names,
        )
