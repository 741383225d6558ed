"""Texts that quote what somebody wrote, such as instructions, without the secrets in them."""

from __future__ import annotations

import re

from hullmark._secrets.engine import find, plain
from hullmark._secrets.redaction import shown
from hullmark._secrets.variables import hidden_in

_VARIABLE = re.compile(
    r"\b(?P<name>[A-Za-z_]\w{0,200})(?P<sign>=|:\s)(?P<quote>[\"']?)(?P<value>[^\s\"'$]+)(?P=quote)"
)


def redacted(text: str) -> str:
    """`text` with the first and last characters of each secret in its place."""
    raw = text.encode("utf-8", "surrogateescape")
    kept, at = [], 0
    for match in find(raw, plain()):
        kept += [raw[at : match.begin], shown(match.secret).encode()]
        at = match.end
    plainly = b"".join([*kept, raw[at:]]).decode("utf-8", "surrogateescape")
    return _VARIABLE.sub(_without_value, plainly)


def _without_value(match: re.Match[str]) -> str:
    if "..." in match["value"]:
        return match[0]
    secret = hidden_in(match["name"], match["value"])
    if secret is None:
        return match[0]
    return f"{match['name']}{match['sign']}{match['quote']}{shown(secret)}{match['quote']}"
