"""Private key or credentials in a layer.

What it checks
    Every layer of the image, also for what a later layer deletes or hides: files that are called like keys and
    credentials (`*.pem`, `*.key`, `*.p12`, `id_rsa`, `.ssh`, `.npmrc`, `.pypirc`, `pip.conf`, `.netrc`,
    `.git-credentials`, `.docker/config.json`, `.aws/credentials`, `.pgpass`, kubeconfig, service accounts) and that
    hold a private key or a secret value. Certificates and public keys are fine, and so is a value that is taken from
    the environment (`${NPM_TOKEN}`). What came with a package, such as its test keys, is a note.

Why it matters
    Whoever can pull the image has the key. Deleting the file in a later instruction only hides it.

How to fix
    Take the key out of use: it has to be considered lost. Then mount it where a build needs it, and have it handed
    over where a container needs it:

        RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.rules._layers import keep_out, where


@rule(summary="private key or credentials in the image", severity=Severity.ERROR, since="0.1")
def credential_file_in_layer(shipped: ShippedImage) -> Iterator[Observation]:
    layers, anatomy = len(shipped.image.layers), shipped.anatomy
    for found in shipped.credentials:
        written = anatomy.attribution.origin(found.layer, found.row)
        hidden = None if found.visible else anatomy.hider(found.layer, found.row)
        package = f", part of {found.package}" if found.package is not None else ""
        name = posixpath.basename(found.path)
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=found.path, layer=found.layer),
            seen=f"`{found.path}` holds {found.what}, {where(found.layer, layers, written, hidden)}{package}",
            expected="no private keys or credentials in any layer",
            remedy=f"replace what is in `{name}`, it has to be considered lost; then {keep_out(found.path, written)}",
            severity=Severity.NOTE if found.package is not None else None,
            key=found.path,
            origin=written.first.span,
        )
