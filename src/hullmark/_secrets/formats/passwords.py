"""Passwords and secrets of no form of their own: what stands before them, and how random they are, tells them."""

from __future__ import annotations

import re

from hullmark._secrets.chance import entropy, is_chance
from hullmark._secrets.detector import Detector
from hullmark._secrets.names import EXPRESSION, LITERALS
from hullmark._secrets.plausible import is_password

EXAMPLE_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "example.com", "example.org", "example.net")  # noqa: S104  # compared
"""Hosts that are nobody's, with all below them, see RFC 2606."""
EXAMPLE_DOMAINS = ("example", "test", "invalid", "localhost")
"""Top-level domains that are nobody's."""
EXAMPLE_USERS = (
    *(
        "user",
        "username",
        "name",
        "login",
        "usr",
        "me",
        "you",
        "foo",
        "bar",
        "joe",
        "bob",
        "alice",
        "u",
        "x",
        "a",
    ),
)
"""With these a password has to look like chance."""
SHORTEST, LONGEST = 16, 200
"""Characters of a value that a name makes a secret, in any file."""
_NOBODY = re.compile(
    rb"(?:.*\.)?(?:%b)\.?"
    % b"|".join(re.escape(each.encode()) for each in (*EXAMPLE_HOSTS, *EXAMPLE_DOMAINS)),
    re.IGNORECASE | re.DOTALL,
).fullmatch
_WEAK, _EXAMPLE = 1.9, 2.5
"""Bits for each byte of a password in a URL, and of one whose user is that of examples."""
_PATH = re.compile(rb"[.~]{0,2}(?:/[a-z0-9_.*-]+)+/?|(?:[a-z0-9_.-]+/)+[a-z0-9_.-]+\.[a-z]{2,4}").fullmatch
_CODE = re.compile(
    rb"(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*|[a-z]+(?:[._/-][a-z]+)*[0-9]{0,3}|.*://.*|\$?[\w.-]+\([^()]*\)"
).fullmatch
"""Words, the path to something in a program, a call, an address."""
_NEXT = re.compile(rb"&(?:amp;)?[a-z_-]{2,}=.*", re.DOTALL)
_GLUE = rb"\\?[\"']?(?:\])?[ \t]{0,4}(?::=|=>|=|:|>)[ \t]{0,4}"
_IN_ANOTHER = rb"[\"']?[,\s]{1,24}[\"']?value[\"']?[ \t]{0,2}[:=][ \t]{0,2}"
"""`name: DB_PASSWORD` and `value: ...`, in YAML, XML and JSON."""
_BEFORE = (
    rb"(?:%b(?:%b|%b)(?:[bru]?\\?[\"'`]|)(?:base64:|)" % (EXPRESSION, _GLUE, _IN_ANOTHER)
    + rb"|(?:--[a-z-]{0,24}(?:password|passwd|secret|token|key)|requirepass|masterauth|bearer)[\"']?,?[ \t]{1,4}[\"']?)"
)
_BARE = rb"[A-Za-z0-9+/_.!@#%^&*~=-]"
_QUOTED = rb"[A-Za-z0-9+/_.!@#%^&*~=$()?-]"


def _is_login(match: re.Match[bytes]) -> bool:
    user, password, host = match["user"], match["value"], match["host"]
    least = _EXAMPLE if user.lower().decode("latin-1") in EXAMPLE_USERS else _WEAK
    return is_password(password, user) and entropy(password) >= least and not _NOBODY(host)


def _is_value(match: re.Match[bytes]) -> bool:
    value = _value(match)
    return is_password(value) and not _PATH(value) and not _CODE(value) and is_chance(value)


def _value(match: re.Match[bytes]) -> bytes:
    """Without what follows it in a URL; what is quoted is a value as a whole."""
    quoted = match.string[match.start("value") - 1 : match.start("value")] in {b'"', b"'", b"`"}
    return match["value"] if quoted else _NEXT.sub(b"", match["value"])


DETECTORS = (
    Detector(
        id="url-password",
        what="a URL with a password",
        trigger=rb"://[^ \t\r\n/:@\"'<>]{0,64}:[^ \t\r\n/@\"'<>]{3,100}@[A-Za-z0-9]",
        expression=rb"[A-Za-z][A-Za-z0-9+.-]{1,30}://(?P<user>[^\s/:@\"'<>\x00]{0,64}):(?P<value>[^\s/@\"'<>\x00]{3,100})@(?P<host>[A-Za-z0-9.-]+)",
        literals=(b"://",),
        check=_is_login,
        generic=True,
    ),
    Detector(
        id="assigned-secret",
        what="a random value with the name of a secret",
        trigger=_BEFORE + _QUOTED + rb"{%d}" % SHORTEST,
        expression=rb"(?i:%b)(?P<value>(?<=[\"'`])%b{%d,%d}(?=\\?[\"'`])|%b{%d,%d}(?=[\"'`\s,;)}\]<\x00\\]|$))"
        % (_BEFORE, _QUOTED, SHORTEST, LONGEST, _BARE, SHORTEST, LONGEST),
        literals=(*LITERALS, b"bearer"),
        check=_is_value,
        value=_value,
        caseless=True,
        generic=True,
    ),
)
