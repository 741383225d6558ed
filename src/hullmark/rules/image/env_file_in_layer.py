"""Environment file inside the image.

What it checks
    Every layer of the image for files called `.env`, `.envrc`, or `.env` followed by anything that is no letter
    (`.env.local`, `.env-prod`), also those that a later layer deletes or hides.
    Examples meant to be copied (`.env.example`, `.env.sample`, `.env.template`, `.env.dist`) are left alone.

Why it matters
    `.env` files hold the passwords of the machine that built the image. Deleting one in a later instruction only
    hides it: whoever has the image can still read the layer.

How to fix
    Keep it out of the build context, in `.dockerignore` beside the context:

        .env
        .env.*
        !.env.example
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hullmark._secrets.variables import is_environment_file
from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath, layer_name
from hullmark.model.rule import rule
from hullmark.model.table import Kind

_CONTENT = frozenset({Kind.FILE, Kind.HARDLINK})


@rule(summary="environment file in the image", severity=Severity.ERROR, since="0.1")
def env_file_in_layer(shipped: ShippedImage) -> Iterator[Observation]:
    for index, layer in enumerate(shipped.image.layers):
        for row, path in enumerate(layer.table.paths):
            if "/.env" not in path:
                continue
            entry = layer.table.entry(row)
            if entry.kind in _CONTENT and is_environment_file(entry.path):
                yield Observation(
                    location=ImagePath(image=shipped.image.reference, path=entry.path, layer=index),
                    seen=f"`{entry.path}` ({entry.size} bytes) in {layer_name(index, len(shipped.image.layers))}",
                    expected="no environment files in any layer",
                    remedy=f"add `{posixpath.basename(entry.path)}` to the `.dockerignore` of the build context",
                    key=entry.path,
                )
