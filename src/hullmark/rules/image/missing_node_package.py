"""Node.js package that is required and cannot be resolved.

What it checks
    Every `package.json` of the final file system: what it requires is found in a `node_modules` where Node.js looks,
    and the file that it is entered by is there. What fails as soon as the package is loaded is an error, what probably
    fails a warning.

Why it matters
    `npm prune`, a copy of a part of `node_modules`, or a bundler that leaves packages out, makes an image that builds,
    and that ends with `Cannot find module`.

How to fix
    Declare the package as a dependency, not as one of development, and install from the lock file:

        RUN npm ci --omit=dev
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.rules._missing import missing_packages


@rule(summary="Node.js package is missing", severity=Severity.ERROR, since="0.1")
def missing_node_package(shipped: ShippedImage) -> Iterator[Observation]:
    return missing_packages(
        shipped,
        kind="npm",
        remedy=lambda name: f"declare `{name}` in `dependencies`, and copy all of `node_modules`",
    )
