"""Secrets that nothing but their names tell: many names, many ways of writing, many alphabets and lengths."""

from __future__ import annotations

import base64
import string
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_MIXED = string.ascii_letters + string.digits


def _of(alphabet: str, *lengths: int) -> Callable[[random.Random], str]:
    def made(chance: random.Random) -> str:
        return "".join(chance.choice(alphabet) for _ in range(chance.choice(lengths)))

    return made


VALUES: dict[str, Callable[[random.Random], str]] = {
    "hexadecimal": _of("0123456789abcdef", 32, 40, 48, 64),
    "letters and digits": _of(_MIXED, 16, 18, 20, 24, 32, 48, 64),
    "one case": _of(string.ascii_lowercase + string.digits, 24, 32, 50),
    "base 64": lambda chance: base64.b64encode(chance.randbytes(chance.choice((24, 32, 48)))).decode(),
    "base 64 for URLs": lambda chance: base64.urlsafe_b64encode(
        chance.randbytes(chance.choice((24, 33)))
    ).decode(),
    "UUID": lambda chance: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "with signs": _of(_MIXED + "!@#%^*-_+", 20, 24, 32),
}
"""By what they are made of: what makes one."""
QUOTED = {"of a web framework": _of(string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)", 50)}
"""What stands between quotes only."""
PLAIN_FORMS = (
    *("API_TOKEN={}", "password={}", "DJANGO_SECRET_KEY={}", "DB_PASS={}", "MYSQL_PWD={}", "STRIPE_KEY={}"),
    *(
        "SecretKey = {}",
        "APP_KEY=base64:{}",
        "SESSION_SECRET={}",
        "requirepass {}",
        "run --token {}",
        "db.password: {}",
    ),
    *("Authorization: Bearer {}", "<password>{}</password>", "  - name: DB_PASSWORD\n    value: {}"),
)
QUOTED_FORMS = (
    *('"apiKey": "{}"', 'SECRET_KEY = "{}"', 'secretKey: "{}"', "'password' => '{}',", 'password := "{}"'),
    *('<add key="ClearTextPassword" value="{}"/>', '["--token", "{}"]', "config['client_secret'] = '{}'"),
)


def named_secret(chance: random.Random) -> tuple[str, str]:
    """A text with such a secret, and the secret."""
    made = {**VALUES, **QUOTED}
    kind = chance.choice(tuple(made))
    secret = made[kind](chance)
    form = chance.choice(QUOTED_FORMS if kind in QUOTED else (*PLAIN_FORMS, *QUOTED_FORMS))
    return form.format(secret), secret
