r"""Compilers and headers end up in the image.

What it checks
    What apt, apk and dnf install in a stage whose whole file system ends up in the image: the final stage, what it is
    built on, and what it squashes. Compilers, build systems and packages of headers (`gcc`, `build-essential`, `cmake`,
    `cargo`, `*-dev`, ...) must be removed again: in the same RUN, or before a squash in a later one. A stage that only
    lends some files to the image is not looked at. A build that has one stage only is the matter of
    `single-stage-build`.

Why it matters
    Build tools are often the largest part of an image, they bring most of its vulnerabilities, and they serve an
    intruder better than the service. Removed in a later layer they are hidden but still there.

How to fix
    Build in a stage of its own and copy what it made.

    Bad:

        FROM python:3.13-slim AS base
        FROM base
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


@rule(summary="build tools end up in the image", severity=Severity.ERROR, since="0.1")
def build_tools_in_final_stage(recipe: Recipe) -> Iterator[Observation]:
    if len(recipe.stages) == 1:
        return
    for left in left_tools(recipe):
        yield Observation(
            location=left.words[0].span,
            seen=f"{left.call.program} installs {left.names} in stage {left.part.stage.label}",
            expected="build tools in a builder stage only",
            remedy=f"install them in a builder stage and COPY what they build, or {left.removal}",
            key=f"{left.part.stage.label}: {left.names}",
        )
