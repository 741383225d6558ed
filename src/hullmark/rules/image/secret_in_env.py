"""Secret in the image's environment.

What it checks
    The environment in the image's configuration: variables whose name says that they hold a secret
    (`*_PASSWORD`, `*_TOKEN`, `*_SECRET`, `*_API_KEY`, ...) and that have a value, values in the format of a
    well-known credential, and URLs with a password. Names that point at a file (`*_FILE`, `*_PATH`) are left
    alone, and so are values that only say that a feature is on or off.

Why it matters
    Everybody who can pull the image can read its environment, for ever, and every child process inherits it.

How to fix
    Hand the secret over when the container starts (`environment` or `secrets` in the Compose file), or as a
    build secret when only the build needs it:

        RUN --mount=type=secret,id=token ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImageConfig
from hullmark.model.rule import rule

_NAMED = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|API_?KEY|APIKEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY"
    r"|ENCRYPTION_?KEY|SIGNING_?KEY|CREDENTIALS?|AUTH)$",
    re.IGNORECASE,
)
_HARMLESS_NAMES = frozenset({"PWD", "OLDPWD"})
_HARMLESS = re.compile(r"(|true|false|yes|no|on|off|none|null|[01]|disabled|enabled|/\S*)", re.IGNORECASE)
_FORMATS = (
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"), "a GitHub token"),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"), "a GitHub token"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b"), "a GitLab token"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b"), "a Slack token"),
    (re.compile(r"\bsk_live_[A-Za-z0-9]{20,}\b"), "a Stripe key"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"), "a Google API key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s:@$]+@"), "a URL with a password"),
)


@rule(summary="secret in the image's environment", severity=Severity.ERROR, since="0.1")
def secret_in_env(shipped: ShippedImage) -> Iterator[Observation]:
    for name, value in shipped.image.configuration.environment:
        seen = _secret(name, value)
        if seen:
            yield Observation(
                location=ImageConfig(image=shipped.image.reference, key=f"Env.{name}"),
                seen=seen,
                expected="no secrets in the image",
                remedy=f"hand `{name}` over when the container starts, or mount it as a build secret",
                key=name,
            )


def _secret(name: str, value: str) -> str | None:
    """What is secret about the variable; never the value itself."""
    for pattern, what in _FORMATS:
        if pattern.search(value):
            return f"`{name}` holds {what}"
    if name not in _HARMLESS_NAMES and _NAMED.search(name) and not _HARMLESS.fullmatch(value):
        return f"`{name}` has a value of {len(value)} characters"
    return None
