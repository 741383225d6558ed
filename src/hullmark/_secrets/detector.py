"""A format of secrets: what finds it quickly among all bytes, and what makes sure of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from hullmark._secrets.plausible import is_random

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_REACH = 2048
"""The longest `Detector.reach`."""
LONGEST_BEHIND = 1 << 13
"""The longest `Detector.behind`: a key of 8192 bits."""
_BEFORE = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
"""A token is a word of its own, also after an escape in a string or a URL."""
_AFTER = rb"(?![A-Za-z0-9_])"
_GROUP = re.compile(rb"\(\?P<\w+>")
_OPEN_END = re.compile(rb"\{(\d+),\d*\}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One format."""

    id: str
    what: str
    """In words, with its article: `a GitHub token`."""
    trigger: bytes
    """A regular expression without groups, names and looks around, that ends in every match, and that both engines
    understand."""
    expression: bytes
    """A regular expression for what a match is; its group `value` is the secret."""
    literals: tuple[bytes, ...]
    """Every match has one of them, so without any of them there is none; in lower case where `caseless`."""
    check: Callable[[re.Match[bytes]], bool] | None = None
    """What a match must hold besides: its checksum, that it decodes."""
    value: Callable[[re.Match[bytes]], bytes] | None = None
    """What of a match is the secret where it is not as it stands there, so that it is known again everywhere."""
    reach: int = 256
    """Bytes from the beginning of a match to where its trigger ends, at most."""
    behind: int = 512
    """Bytes that a match may go on for after that; what is longer is cut."""
    caseless: bool = False
    generic: bool = False
    """Whether a name beside it makes it a secret, not its own form: any other format that fits is the better one."""

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The expression, compiled when somebody needs it: most formats have no trigger in most bytes."""
        return _compiled(self.expression)

    def secret(self, match: re.Match[bytes]) -> bytes | None:
        """The secret in `match`, which is one of its pattern; `None` where it only looks like one."""
        if self.check is not None and not self.check(match):
            return None
        return match["value"] if self.value is None else self.value(match)


@cache
def _compiled(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(expression)


def token(
    id: str,  # noqa: A002  # the word for it everywhere
    what: str,
    shape: bytes,
    *starts: bytes,
    check: Callable[[bytes], bool] | None = None,
    random: bool = True,
    behind: int = 512,
) -> Detector:
    """A token that is known by how it begins: `shape` is a regular expression, which begins with one of `starts`.

    With `random` what follows the beginning must look like chance, as documentation and tests do not.
    """

    def sure(match: re.Match[bytes]) -> bool:
        value = match["value"]
        if random:
            start = next((each for each in starts if value.startswith(each)), b"")
            if not is_random(value[len(start) :]):
                return False
        return check is None or check(value)

    return Detector(
        id=id,
        what=what,
        trigger=_OPEN_END.sub(rb"{\1}", _GROUP.sub(b"(?:", shape)),
        expression=_BEFORE + rb"(?P<value>" + shape + rb")" + _AFTER,
        literals=starts,
        behind=behind,
        check=sure if random or check is not None else None,
    )


_SEPARATOR = rb"[\"']?(?:\])?[ \t]{0,4}(?::=|=>|=|:)[ \t]{0,4}[\"']?"


def named(
    id: str,  # noqa: A002  # as above
    what: str,
    name: bytes,
    shape: bytes,
    *literals: bytes,
    check: Callable[[bytes], bool] | None = None,
    generic: bool = False,
) -> Detector:
    """A value that only the name before it tells: `name`, whose case does not matter, and `shape`.

    Each of `literals`, in lower case, may stand in the name; one of them does.
    """

    def sure(match: re.Match[bytes]) -> bool:
        value = match["value"]
        return is_random(value) and (check is None or check(value))

    return Detector(
        id=id,
        what=what,
        trigger=name + _SEPARATOR + _OPEN_END.sub(rb"{\1}", shape),
        expression=rb"(?i:" + name + _SEPARATOR + rb")(?P<value>" + shape + rb")(?![A-Za-z0-9_/+=])",
        literals=literals,
        check=sure,
        caseless=True,
        generic=generic,
    )
