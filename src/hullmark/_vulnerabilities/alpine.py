"""The order of Alpine's versions.

Libraries refuse versions that the distribution has, such as `1.2_git20230717-r4` and `5.1p1-r0`; so here it is, as apk
version 2 compares: part by part, and what kind of part comes next counts where one version ends before the other.
"""

from __future__ import annotations

import enum
import functools
import re

_BEFORE = ("alpha", "beta", "pre", "rc")
_AFTER = ("cvs", "svn", "git", "hg", "p")
_SUFFIXES = {word: place - len(_BEFORE) for place, word in enumerate(_BEFORE)} | {
    word: place for place, word in enumerate(_AFTER)
}
"""The place of each suffix; below zero is what comes before the version without it."""
_SUFFIX = re.compile("|".join(sorted(_SUFFIXES, key=len, reverse=True)))
_DIGITS = re.compile("[0-9]+")


class _Part(enum.IntEnum):
    """The kinds of parts, in the order in which they may follow each other."""

    INVALID = -1
    FIRST = 0
    """Digits after a dot, where leading zeros count."""
    DIGITS = 1
    LETTER = 2
    SUFFIX = 3
    SUFFIX_NUMBER = 4
    REVISION = 5
    END = 6


_AGAIN = {
    (_Part.DIGITS, _Part.FIRST),
    (_Part.SUFFIX_NUMBER, _Part.SUFFIX),
    (_Part.LETTER, _Part.DIGITS),
}
"""What may come back after a part of a later kind: what was there, and what follows."""

Parts = tuple[tuple[_Part, int], ...]


@functools.total_ordering
class AlpineVersion:
    """A version; every text is one, since apk compares any two."""

    __slots__ = ("_parts",)

    def __init__(self, text: str) -> None:
        self._parts = _parts(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AlpineVersion) and _compare(self._parts, other._parts) == 0

    def __lt__(self, other: AlpineVersion) -> bool:
        return _compare(self._parts, other._parts) < 0

    __hash__ = None  # type: ignore[assignment]  # versions that are written differently may be equal


def _compare(ours: Parts, theirs: Parts) -> int:
    """Below, at or above zero, as the version with the parts `ours` is before, beside or after `theirs`."""
    for (kind, value), (other_kind, other) in zip(ours, theirs, strict=False):
        if kind is other_kind and value == other and kind not in {_Part.END, _Part.INVALID}:
            continue
        if kind is other_kind:
            return (value > other) - (value < other)
        # What is no version any more is before everything.
        if _Part.INVALID in {kind, other_kind}:
            return -1 if kind is _Part.INVALID else 1
        # A version that goes on with `_rc` is before the one that ends there.
        if kind is _Part.SUFFIX and value < 0:
            return -1
        if other_kind is _Part.SUFFIX and other < 0:
            return 1
        return -1 if kind > other_kind else 1
    raise AssertionError("a version ends with its end")


def _parts(text: str) -> Parts:
    found = list[tuple[_Part, int]]()
    # The first digits are compared as numbers, whatever they begin with.
    kind, at = _Part.DIGITS, 0
    while kind not in {_Part.END, _Part.INVALID}:
        kind, value, at = _part(text, at, kind)
        found.append((kind, value))
        if kind is not _Part.INVALID:
            kind, at = _next(text, at, kind, zeros=value < 0)
            if kind in {_Part.END, _Part.INVALID}:
                found.append((kind, 0))
    return tuple(found)


def _part(text: str, at: int, kind: _Part) -> tuple[_Part, int, int]:
    """What stands at `at`, where a part of that kind is expected: its kind, its value, and where it ends."""
    if kind is _Part.LETTER:
        return kind, ord(text[at]), at + 1
    if kind is _Part.SUFFIX:
        suffix = _SUFFIX.match(text, at)
        if suffix is None:
            return _Part.INVALID, 0, at
        return kind, _SUFFIXES[suffix[0]], suffix.end()
    if kind is _Part.FIRST and text.startswith("0", at):
        zeros = at
        while text.startswith("0", zeros):
            zeros += 1
        return _Part.DIGITS, at - zeros, zeros
    digits = _DIGITS.match(text, at)
    if kind is _Part.FIRST:
        kind = _Part.DIGITS
    return (kind, 0, at) if digits is None else (kind, int(digits[0]), digits.end())


def _next(text: str, at: int, before: _Part, *, zeros: bool) -> tuple[_Part, int]:
    """The kind of the part that follows one of the kind `before`, and where it begins.

    Leading `zeros` are a part of their own, and more digits may stand behind them.
    """
    if at >= len(text):
        return _Part.END, at
    sign = text[at]
    kind = _Part.INVALID
    if before is _Part.DIGITS and "a" <= sign <= "z":
        kind = _Part.LETTER
    elif before is _Part.LETTER and "0" <= sign <= "9":
        kind = _Part.DIGITS
    elif before is _Part.SUFFIX and "0" <= sign <= "9":
        kind = _Part.SUFFIX_NUMBER
    elif before is _Part.DIGITS and zeros and "0" <= sign <= "9":
        kind = _Part.DIGITS
    elif sign == ".":
        kind, at = _Part.FIRST, at + 1
    elif sign == "_":
        kind, at = _Part.SUFFIX, at + 1
    elif text.startswith("-r", at):
        kind, at = _Part.REVISION, at + 2
    if kind < before and (before, kind) not in _AGAIN:
        return _Part.INVALID, at
    return kind, at
