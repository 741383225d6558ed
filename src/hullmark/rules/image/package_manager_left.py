"""Package manager of a programming language in the image.

What it checks
    The directories of the image's `PATH` for `pip`, `uv`, `poetry`, `pipx`, `conda`, `npm`, `yarn`, `pnpm`,
    `corepack`, `gem`, `bundle` and `composer`. The package manager of the distribution is part of a base image and is
    left alone.

Why it matters
    What is installed at run time is in no image, no report and no scan. It also takes space: npm alone has about
    200 packages.

How to fix
    Install in a stage of its own, and copy what was installed:

        FROM debian:bookworm-slim AS builder
        RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt \
            && /opt/venv/bin/pip uninstall -y pip
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.rules._programs import programs

_MANAGER = re.compile(
    r"pip(?:\d+(?:\.\d+)*)?|uvx?|poetry|pipx|conda|npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack|gem|bundle|composer"
)


@rule(summary="package manager of a programming language in the image", severity=Severity.NOTE, since="0.1")
def package_manager_left(shipped: ShippedImage) -> Iterator[Observation]:
    for left in programs(shipped.anatomy, _MANAGER):
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=left.path),
            seen=left.text,
            expected="packages, and not what installs them",
            remedy=f"install in a builder stage, or remove `{left.name}` when everything is installed",
            key=left.name,
        )
