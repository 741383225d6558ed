"""What tells a secret from an ordinary variable: its name, or the format of its value."""

from __future__ import annotations

import re

from hullmark._secrets.engine import find, plain

_NAMED = re.compile(
    r"(^|_)(PGPASSWORD|PASSWORD|PASS|PASSWD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|API_?KEY|APIKEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY"
    r"|ENCRYPTION_?KEY|SIGNING_?KEY|CREDENTIALS?|AUTH|PAT|SECRET_KEY_BASE)$",
    re.IGNORECASE,
)
_HARMLESS_NAMES = frozenset({"PWD", "OLDPWD"})
_HARMLESS = re.compile(
    r"(|\d{1,6}|true|false|yes|no|on|off|none|null|[01]|disabled|enabled|/\S*)", re.IGNORECASE
)
# In a variable any password is one, also that of an example.
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s:@$]+@")


_EXAMPLES = frozenset({"example", "sample", "template", "tmpl", "dist", "default", "defaults"})


def is_environment_file(path: str) -> bool:
    """Whether the file at `path` is called `.env`, or that and more that is neither another word nor an example."""
    name = path.rpartition("/")[2]
    rest = name.removeprefix(".env")
    words = rest.replace("-", ".").replace("_", ".").split(".")
    return name != rest and (rest == "rc" or not rest[:1].isalpha()) and words[-1] not in _EXAMPLES


def format_in(name: str, text: str) -> str | None:
    """What in `text`, the value of the variable `name`, has the format of a secret; `None` where nothing has."""
    found = find(text.encode("utf-8", "surrogateescape"), plain())
    what = next((match.detector.what for match in found), None)
    if what is None and _URL.search(text):
        what = "a URL with a password"
    return None if what is None else f"`{name}` holds {what}"


def secret_in(name: str, value: str) -> str | None:
    """What is secret about the variable, `None` when nothing is; never the value itself."""
    if found := format_in(name, value):
        return found
    return None if hidden_in(name, value) is None else f"`{name}` has a value of {len(value)} characters"


def hidden_in(name: str, value: str) -> bytes | None:
    """The value of the variable, where its name says that it is a secret, and it does not say that it is none."""
    if is_named_like_secret(name) and not _HARMLESS.fullmatch(value):
        return value.encode("utf-8", "surrogateescape")
    return None


def is_named_like_secret(name: str) -> bool:
    """Whether a variable that is called `name` is there to hold a secret."""
    return name not in _HARMLESS_NAMES and bool(_NAMED.search(name))
