"""Secret in the files of an image.

What it checks
    Every byte of every file of every layer, large files and programs included, for the formats of well-known tokens,
    private keys, logins in the files of clients, URLs with a password, and random values behind names such as
    `password`; for those that a container of the image sees. What has a checksum must hold it, keys must parse, JSON web
    tokens must decode. Those that came with a package, and lie there as the package brought them, are counted and no
    finding. Contents of archives and of compressed files are not looked into; how many there are is said.

Why it matters
    Whoever can pull the image has the secret, and so has whoever gets into one of its containers.

How to fix
    Take the secret out of use: it has to be considered lost. Then mount it for the one RUN that needs it, or hand it to
    the container when it starts:

        RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci

    What is no secret is allowed by the hash that the finding tells:

        [secrets]
        allow = ["sha256:0123456789abcdef"]

    or, with a reason and a last day, `{hash = "sha256:...", reason = "...", expires = 2027-06-30, owner = "..."}` in the
    same list. Others are ignored by format, path or hash, without letting the next one pass:

        [[ignore.findings]]
        rule = "visible-secret"
        format = "github-token"
        path = "/srv/app/fixtures/**"
        reason = "a token of the recorded answers, which was never valid"

    `[[secrets.formats]]` says how bad one format is, of one class (`visible`, `buried`, `recorded`) or of all.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.secret import ExposedSecret, Whereabouts
from hullmark.rules._layers import keep_out, where


@rule(summary="secret in the image's files", severity=Severity.ERROR, since="0.1")
def visible_secret(exposed: ExposedSecret) -> Iterator[Observation]:
    secret = exposed.secret
    if secret.whereabouts is not Whereabouts.VISIBLE:
        return
    place = where(secret.layer or 0, exposed.layers, exposed.written, None)
    yield Observation(
        location=exposed.location,
        seen=f"{secret.likeness} at byte {secret.offset}, {place}",
        expected="no secrets in the image",
        remedy=f"take the secret in `{secret.path}` out of use; then {keep_out(secret.path, exposed.written)}",
        origin=None if exposed.written is None else exposed.written.first.span,
        severity=exposed.severity,
        likeness=secret.likeness,
        key=f"{secret.path} {secret.likeness.hash}",
    )
