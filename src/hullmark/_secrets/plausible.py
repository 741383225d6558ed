"""Whether what stands where a secret could stand is one: what people write instead is no chance, and says so."""

from __future__ import annotations

import re

from hullmark._secrets.chance import entropy

_WORDS = re.compile(
    rb"example|sample|placeholder|changeme|change[-_.]me|replace[-_]?me|redacted|dummy|insert|your[-_.]|[-_.]your|fake|"
    rb"xxxx|\.\.\.|\*\*\*|todo|notreal|not[-_]a[-_]|foobar|lorem|invalid|deadbeef|(.)\1{5}",
    re.IGNORECASE,
)
"""What no secret holds; asked of values, never of what stands around them."""
_SEQUENCES = (
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"abcdefghijklmnopqrstuvwxyz0123456789",
    b"1234567890" * 3,
    b"9876543210",
    b"zyxwvutsrqponmlkjihgfedcba",
    b"qwertyuiopasdfghjklzxcvbnm",
)
_RUN = 8
"""Characters of a sequence that chance does not make."""
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F-]+").fullmatch
_REFERENCE = re.compile(
    rb"\$\w+|%\w+%|%[a-zA-Z]|:\w+|\*+|\(.*\)"
    rb"|.*(?:\$\{|\$\([\w ./-]+\)|%\(\w+\)|\.[*+]|\(\?|[`\\|]|<.*>|\[.*\]|\{.*\}).*",
    re.DOTALL,
)
"""What is taken from somewhere else, or stands for it: a variable, what a template fills in, an expression."""
_COMMON = frozenset(
    b"password passwd pass pwd secret user username login admin root test testing tester token apikey key none null "
    b"true false yes no foo bar baz qux hello world guest demo default postgres postgresql mysql mariadb redis "
    b"mongo mongodb rabbitmq letmein abc abc123 123 1234 12345 123456 1234567 12345678 p4ssw0rd pw passw0rd mypassword "
    b"mypass my-secret mysecret my_password mypw some some_password somepassword hunter2 s3cret sekret sesame xxx x "
    b"supersecret tiger anoncvs pass123 password1 password123 pass1 pass2 string str value credential credentials auth basic".split()
)
_STAND_IN = re.compile(
    rb"(?:my|your|the|some|an?|our|new|old|super|very|strong|secure|safe|db|database|root|admin|user|app|test|dev|"
    rb"local|git|secret|pass|word|wd|pw|token|key|api|access|personal|credentials?|here|value|goes|[0-9]{1,3}|[-_.!])+"
)
"""Made of nothing but words that say what should stand there."""
_ENOUGH = 16
_PLENTY = 20


def is_random(value: bytes) -> bool:
    """Whether `value`, what a token has besides its fixed beginning, looks like chance."""
    return not is_placeholder(value) and entropy(value) >= _least(value)


def _least(value: bytes) -> float:
    """Of values that are chance one in thousands has less."""
    if len(value) < _ENOUGH:
        return 1.5
    if len(value) < _PLENTY or _HEXADECIMAL(value):
        return 2.4
    return 3.0


def is_placeholder(value: bytes) -> bool:
    """Whether `value` says of itself that it stands for another, or goes through the alphabet."""
    return _WORDS.search(value) is not None or _goes_through(value.lower())


def _goes_through(value: bytes) -> bool:
    return any(
        value[at : at + _RUN] in sequence for at in range(len(value) - _RUN + 1) for sequence in _SEQUENCES
    )


def is_password(value: bytes, user: bytes = b"") -> bool:
    """Whether `value`, which stands where a password stands, is one of somebody, and none for examples."""
    return not is_reference(value) and is_own(value, user)


def is_reference(value: bytes) -> bool:
    """Whether `value` comes from somewhere else: `$PASSWORD`, `${PASSWORD}`, `%(password)s`, `{{ password }}`."""
    return _REFERENCE.fullmatch(value) is not None


def is_own(value: bytes, user: bytes = b"") -> bool:
    """Whether `value`, which is taken as it stands, is no password that is in everybody's examples."""
    lower = value.lower()
    return not (
        lower in _COMMON
        or lower.strip(b"\"'") in _COMMON
        or _STAND_IN.fullmatch(lower) is not None
        or (user and lower == user.lower())
        or is_placeholder(value)
    )
