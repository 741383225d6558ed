"""Environment file inside the image.

What it checks
    Every layer of the image for files called `.env`, `.envrc`, or `.env` followed by anything that is no letter
    (`.env.local`, `.env-prod`), or something that ends with it (`prod.env`), also those that a later layer deletes or
    hides.
    Examples meant to be copied (`.env.example`, `.env.sample`, `.env.template`, `.env.dist`) are left alone.

Why it matters
    `.env` files hold the passwords of the machine that built the image. Deleting one in a later instruction only
    hides it: whoever has the image can still read the layer.

How to fix
    Keep it out of the build context, in `.dockerignore` beside the context:

        .env
        .env.*
        !.env.example

    One that a RUN writes is mounted there instead (`RUN --mount=type=secret`), or deleted by the same RUN.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark._secrets.variables import is_environment_file
from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.model.table import Kind
from hullmark.rules._layers import keep_out, where

_CONTENT = frozenset({Kind.FILE, Kind.HARDLINK})


@rule(summary="environment file in the image", severity=Severity.ERROR, since="0.1")
def env_file_in_layer(shipped: ShippedImage) -> Iterator[Observation]:
    layers, anatomy = len(shipped.image.layers), shipped.anatomy
    for index, layer in enumerate(shipped.image.layers):
        for row, path in enumerate(layer.table.paths):
            if ".env" not in path:
                continue
            entry = layer.table.entry(row)
            if entry.kind not in _CONTENT or not is_environment_file(entry.path):
                continue
            written = anatomy.attribution.origin(index, row)
            place = where(index, layers, written, anatomy.hider(index, row))
            yield Observation(
                location=ImagePath(image=shipped.image.reference, path=entry.path, layer=index),
                seen=f"`{entry.path}` ({entry.size} bytes) {place}",
                expected="no environment files in any layer",
                remedy=keep_out(entry.path, written),
                key=entry.path,
                origin=written.first.span,
            )
