"""What secrets are called: one vocabulary for variables, and for what stands in any file."""

from __future__ import annotations

import re

WORDS = ("password", "passwd", "passphrase", "secret", "token", "credential", "credentials")
"""What ends the name of a secret, whatever stands before it."""
SHORT = ("pass", "pwd", "pat", "auth")
"""What does so as a word of its own: `DB_PASS`, and not `bypass`."""
KEYS = (
    *(
        "access",
        "aes",
        "algolia",
        "anthropic",
        "api",
        "app",
        "auth",
        "cookie",
        "datadog",
        "django",
        "encryption",
    ),
    *("flask", "hmac", "jwt", "mailgun", "master", "openai", "private", "secret", "sendgrid", "service_role"),
    *("session", "shared", "signing", "stripe", "twilio", "webhook"),
)
"""Which keys are secrets: `API_KEY`, `stripeKey`; many others are names of something, or public."""
SETTINGS = ("requirepass", "masterauth", "secret_key_base")
"""Names of single programs."""

_NOT_SECRET = frozenset({"PWD", "OLDPWD"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMED = re.compile(
    rf"(?:\w*(?:{'|'.join(WORDS[:4])})|(?:\w*_)?(?:{'|'.join((*WORDS, 'secrets', *SHORT, *SETTINGS))}"
    rf"|(?:{'|'.join(each.replace('_', '_?') for each in KEYS)})_?key))",
    re.IGNORECASE,
)


def is_named_like_secret(name: str) -> bool:
    """Whether what is called `name` (`DB_PASSWORD`, `secretKey`, `com.shop.api-key`) is there to hold a secret."""
    if name in _NOT_SECRET:
        return False
    return _NAMED.fullmatch(_HUMP.sub("_", name).replace(".", "_").replace("-", "_")) is not None


def _expression() -> bytes:
    keys = "|".join(each.replace("_", "[_.-]?") for each in KEYS)
    words = "|".join((*WORDS[:-2], "credentials?", *SETTINGS))
    return rf"(?:{words}|(?:{keys})[_.-]?key|[_.-](?:{'|'.join(SHORT)}))".encode()


EXPRESSION = _expression()
"""A regular expression for how such a name ends, in lower case."""
LITERALS = (
    *(b"passw", b"passphrase", b"secret", b"token", b"key", b"credential", b"requirepass", b"masterauth"),
    *((sign + word.encode()) for word in SHORT for sign in (b"_", b".", b"-")),
)
"""What stands in each of them."""
