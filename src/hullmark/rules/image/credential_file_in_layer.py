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
from hullmark.model.location import ImagePath, layer_name
from hullmark.model.rule import rule


@rule(summary="private key or credentials in the image", severity=Severity.ERROR, since="0.1")
def credential_file_in_layer(shipped: ShippedImage) -> Iterator[Observation]:
    layers = len(shipped.image.layers)
    for found in shipped.credentials:
        span = shipped.anatomy.attribution.origin(found.layer, found.row).chain[-1].span
        where = f"in {layer_name(found.layer, layers)}" + ("" if found.visible else ", hidden by a later one")
        written = f", written at {span.path}:{span.line}" if span is not None else ""
        package = f", part of {found.package}" if found.package is not None else ""
        name = posixpath.basename(found.path)
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=found.path, layer=found.layer),
            seen=f"`{found.path}` holds {found.what}, {where}{written}{package}",
            expected="no private keys or credentials in any layer",
            remedy=f"replace what is in `{name}`, keep it out with `.dockerignore`, and mount it as a build secret",
            severity=Severity.NOTE if found.package is not None else None,
            key=found.path,
        )
