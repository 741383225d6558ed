"""Shared library that a program needs and the image does not have.

What it checks
    Every ELF file of the final file system: the loader that it names is there, and each library that it needs is found
    where the loader looks. A program that cannot start is an error, a module that probably cannot be loaded a warning,
    and what may never be loaded a note. A library is told once, with the files that need it.

Why it matters
    A squash or a copy of a program without its libraries makes an image that builds, and that ends with `cannot open
    shared object file`, or with `no such file or directory` for a file that is there.

How to fix
    Install the package that has the library in the stage that is shipped:

        RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.rules._missing import expected, kept, loser, lost, severity

if TYPE_CHECKING:
    from hullmark.model.dependency import Missing


@rule(summary="shared library is missing", severity=Severity.ERROR, since="0.1")
def missing_library(shipped: ShippedImage) -> Iterator[Observation]:
    needing: dict[str, list[Missing]] = {}
    for missing in shipped.missing:
        if missing.kind == "elf":
            needing.setdefault(missing.name, []).append(missing)
    for name, all_ in needing.items():
        first = all_[0]
        others = f", and {len(all_) - 1:,} more" if len(all_) > 1 else ""
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=first.path),
            seen=f"`{first.path}`{others} needs `{name}`, which is not found{lost(first)}",
            expected=expected(first),
            remedy=kept(first) or f"install the package that has `{name}` in the stage that is shipped",
            severity=severity(first),
            key=name,
            origin=loser(first),
        )
