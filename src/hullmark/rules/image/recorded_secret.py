"""Secret in the configuration or the history of an image.

What it checks
    The environment, labels, ENTRYPOINT, CMD and HEALTHCHECK of the image, and the steps of its history, for the formats
    of well-known secrets and for URLs with a password; for the values of variables, labels, build arguments and options
    of commands (`--password`) whose names say that they hold one; and for the logins of clients (`curl -u`). The history
    keeps what every build argument was, in front of each RUN that could see it.

Why it matters
    Configuration and history are a small file that comes with every pull; no layer has to be opened to read it, and no
    later instruction takes anything out of it.

How to fix
    Take the secret out of use: it has to be considered lost. Then hand it to the build as a secret, and to the container
    when it starts.

    Bad:

        ARG NPM_TOKEN
        RUN npm ci

    Good:

        RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.secret import ExposedSecret, Whereabouts


@rule(summary="secret in the image's configuration or history", severity=Severity.ERROR, since="0.1")
def recorded_secret(exposed: ExposedSecret) -> Iterator[Observation]:
    secret = exposed.secret
    if secret.whereabouts is not Whereabouts.RECORDED:
        return
    yield Observation(
        location=exposed.location,
        seen=f"{secret.likeness} in {secret.key}",
        expected="no secrets in what an image says of itself",
        remedy="take the secret out of use, and hand it over as a build secret or when the container starts",
        severity=exposed.severity,
        likeness=secret.likeness,
        key=f"{secret.key.partition('[')[0]} {secret.likeness.hash}",
    )
