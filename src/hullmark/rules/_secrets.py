"""What tells a secret from an ordinary variable: its name, or the format of its value."""

from __future__ import annotations

import re

_NAMED = re.compile(
    r"(^|_)(PGPASSWORD|PASSWORD|PASS|PASSWD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|API_?KEY|APIKEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY"
    r"|ENCRYPTION_?KEY|SIGNING_?KEY|CREDENTIALS?|AUTH|PAT|SECRET_KEY_BASE)$",
    re.IGNORECASE,
)
_HARMLESS_NAMES = frozenset({"PWD", "OLDPWD"})
_HARMLESS = re.compile(
    r"(|\d{1,6}|true|false|yes|no|on|off|none|null|[01]|disabled|enabled|/\S*)", re.IGNORECASE
)
_FORMATS = (
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"), "a GitHub token"),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"), "a GitHub token"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b"), "a GitLab token"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b"), "a Slack token"),
    (re.compile(r"\bsk_(?:live|test)_[A-Za-z0-9]{20,}\b"), "a Stripe key"),
    (re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}\b"), "a key of an AI provider"),
    (re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"), "an npm token"),
    (re.compile(r"\bpypi-[A-Za-z0-9_-]{50,}\b"), "a PyPI token"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"), "a Google API key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s:@$]+@"), "a URL with a password"),
)


_EXAMPLES = frozenset({"example", "sample", "template", "tmpl", "dist", "default", "defaults"})


def is_environment_file(path: str) -> bool:
    """Whether the file at `path` is called `.env`, or that and more that is neither another word nor an example."""
    name = path.rpartition("/")[2]
    rest = name.removeprefix(".env")
    words = rest.replace("-", ".").replace("_", ".").split(".")
    return name != rest and (rest == "rc" or not rest[:1].isalpha()) and words[-1] not in _EXAMPLES


def format_in(name: str, text: str) -> str | None:
    """What in `text`, the value of the variable `name`, has the format of a secret; `None` where nothing has."""
    return next((f"`{name}` holds {what}" for pattern, what in _FORMATS if pattern.search(text)), None)


def secret_in(name: str, value: str) -> str | None:
    """What is secret about the variable, `None` when nothing is; never the value itself."""
    if found := format_in(name, value):
        return found
    if is_named_like_secret(name) and not _HARMLESS.fullmatch(value):
        return f"`{name}` has a value of {len(value)} characters"
    return None


def is_named_like_secret(name: str) -> bool:
    """Whether a variable that is called `name` is there to hold a secret."""
    return name not in _HARMLESS_NAMES and bool(_NAMED.search(name))
