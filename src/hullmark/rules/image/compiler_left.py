"""Compiler or build program in the image.

What it checks
    The directories of the image's `PATH` for compilers and for the programs that drive builds: `gcc`, `g++`, `clang`,
    `gfortran`, `rustc`, `cargo`, `go`, `javac`, `make`, `cmake`, `meson`, `ninja`, also with a version in the name.

Why it matters
    Compilers are large, are reported for their vulnerabilities, and are what an attacker needs to build the rest.
    A service that was built does not need them.

How to fix
    Build in a stage of its own, and copy what was built:

        FROM debian:bookworm-slim AS builder
        RUN apt-get update && apt-get install -y --no-install-recommends gcc

        FROM debian:bookworm-slim
        COPY --from=builder /usr/local/bin/tool /usr/local/bin/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.rules._programs import programs

_COMPILER = re.compile(
    r"(?:[a-z0-9_]+-linux-(?:gnu|musl)\w*-)?(?:gcc|g\+\+|clang|clang\+\+|gfortran)(?:-\d+(?:\.\d+)*)?"
    r"|rustc|cargo|go|javac|make|gmake|cmake|meson|ninja"
)


@rule(summary="compiler or build program in the image", severity=Severity.WARNING, since="0.1")
def compiler_left(shipped: ShippedImage) -> Iterator[Observation]:
    for left in programs(shipped.anatomy, _COMPILER):
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=left.path),
            seen=left.text,
            expected="what was built, and not what builds it",
            remedy=f"leave `{left.name}` in a builder stage, and `COPY --from` it what was built",
            key=left.name,
            # The one that brings it into the image: in a stage that only lends files it is in its place.
            origin=next((each.span for each in left.origin.chain if each.span is not None), None),
        )
