"""Secret in a layer that a later layer hides.

What it checks
    The same as `visible-secret`, in files that a later layer deletes or replaces. A squashed image has no layers below
    it, so there is nothing of this in it.

Why it matters
    The file is gone for containers, and for nobody else: each layer is pulled whole, and can be read on its own.

How to fix
    Take the secret out of use: it has to be considered lost. Then keep it out of the layer in the first place, with a
    mount for the RUN that needs it. Deleting it in a later instruction only hides it.

    Bad:

        COPY id_rsa /root/.ssh/id_rsa
        RUN git clone git@example.com:shop.git && rm /root/.ssh/id_rsa

    Good:

        RUN --mount=type=ssh git clone git@example.com:shop.git
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.secret import ExposedSecret, Whereabouts
from hullmark.rules._layers import keep_out, where


@rule(summary="secret in a layer below", severity=Severity.ERROR, since="0.1")
def buried_secret(exposed: ExposedSecret) -> Iterator[Observation]:
    secret = exposed.secret
    if secret.whereabouts is not Whereabouts.BURIED:
        return
    place = where(secret.layer or 0, exposed.layers, exposed.written, exposed.hidden)
    yield Observation(
        location=exposed.location,
        seen=f"{secret.likeness} at byte {secret.offset}, {place}",
        expected="no secrets in any layer",
        remedy=f"take the secret in `{secret.path}` out of use; then {keep_out(secret.path, exposed.written)}",
        origin=None if exposed.written is None else exposed.written.first.span,
        severity=exposed.severity,
        likeness=secret.likeness,
        key=f"{secret.path} {secret.likeness.hash}",
    )
