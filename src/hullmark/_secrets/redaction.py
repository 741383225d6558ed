"""How a secret is told without being given away: its first and last characters, and a hash to know it again."""

from __future__ import annotations

import hashlib
import re

from hullmark.model.secret import Likeness

_LONG, _MIDDLING = 20, 10
"""Characters from which on four and two, or one and one, of them give nothing away."""
_UNSEEN = re.compile(r"[^!-~]")
_SHOWN = re.compile(r"(?<![^\s:/@=\"',;])(?:[!-~]{4}\.\.\.[!-~]{2}|[!-~]?\.\.\.[!-~]?)(?![^\s:/@=\"',;])")
"""What `shown` writes, alone or as a part of a URL; not three dots that are a part of something."""
DIGITS = 16
"""Hexadecimal digits of a hash that are shown, and enough to allow a secret by."""


def shown(secret: bytes) -> str:
    """The first and the last characters of `secret`, as many as its length allows."""
    text = _UNSEEN.sub("?", secret.decode("ascii", "replace"))
    if len(text) >= _LONG:
        return f"{text[:4]}...{text[-2:]}"
    if len(text) >= _MIDDLING:
        return f"{text[:1]}...{text[-1:]}"
    return "..."


def is_shown(text: str) -> bool:
    """Whether `text` has something in it that looks as `shown` writes it, so that nothing is left to be hidden."""
    return _SHOWN.search(text) is not None


def fingerprint(secret: bytes) -> str:
    """The beginning of the SHA-256 of `secret`, as it is reported and as `allow` takes it."""
    return f"sha256:{hashlib.sha256(secret).hexdigest()[:DIGITS]}"


def likeness(format: str, what: str, secret: bytes) -> Likeness:  # noqa: A002  # the word for it
    """All that is kept of `secret`."""
    return Likeness(format=format, what=what, shown=shown(secret), hash=fingerprint(secret))
