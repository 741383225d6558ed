"""Passwords and secrets of no form of their own: what stands before them, and how random they are, tells them."""

from __future__ import annotations

import re

from hullmark._secrets.detector import Detector
from hullmark._secrets.plausible import entropy, is_password

_EXAMPLE_HOSTS = re.compile(
    rb"(?i)(?:[\w-]+\.)*(?:example|invalid|test|localhost|host|hostname|server|myserver|domain|foo|bar|proxy|"
    rb"company|corp|mydomain|acme|somewhere|github|gitlab|url|address|ip|127\.0\.0\.1|0\.0\.0\.0)"
    rb"(?:\.(?:com|org|net|io|local|example|test))?(?![\w.-])"
)
_EXAMPLE_USERS = frozenset(b"user username foo bar me you joe bob alice login name usr u x a".split())
_NAME = (
    rb"(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|signing_?key|encryption_?key|"
    rb"auth_?key|credentials?|secret_key_base)"
)
_ASSIGNED = rb"[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?"
_RANDOM = rb"[A-Za-z0-9+/_.!@#%^&*~=-]"
_WEAK, _STRONG = 2.5, 3.7
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_IDENTIFIER = re.compile(
    rb"[a-z]+(?:[._/-][a-z]+)*[0-9]{0,3}|[A-Z]+(?:_[A-Z]+)*|[A-Za-z]+(?:\.[A-Za-z_]\w*)+", re.IGNORECASE
)
"""A word, several words, or a path in a program."""
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _is_login(match: re.Match[bytes]) -> bool:
    user, password = match["user"], match["value"]
    return (
        is_password(password, user)
        and entropy(password) >= _WEAK - 0.6
        and _EXAMPLE_HOSTS.match(match["host"]) is None
        and (user.lower() not in _EXAMPLE_USERS or entropy(password) >= _WEAK)
    )


def _is_value(match: re.Match[bytes]) -> bool:
    value = match["value"]
    return (
        is_password(value)
        and entropy(value) >= _STRONG
        and _DIGIT.search(value) is not None
        and _LETTER.search(value) is not None
        and _IDENTIFIER.fullmatch(value) is None
        and _UUID.fullmatch(value) is None
    )


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
        what="a secret by its name",
        trigger=_NAME + _ASSIGNED + _RANDOM + rb"{16}",
        expression=rb"(?i:"
        + _NAME
        + rb")"
        + _ASSIGNED
        + rb"(?P<value>"
        + _RANDOM
        + rb"{16,200})(?=[\"'\s,;)}\]\x00]|\\[nr]|$)",
        literals=(b"passw", b"passphrase", b"secret", b"token", b"key", b"credential"),
        check=_is_value,
        caseless=True,
        generic=True,
    ),
)
