"""One line of an ignore file: which paths it is about.

The builder makes a regular expression of a line in one pass that knows nothing of brackets, but only of one that needs
it: the others are compared as texts. Both show in what is matched, so both are done here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""What the builder takes off both ends of a line."""
_GLOB = frozenset("*?[]\\^")
_ESCAPED = frozenset(".+()|{}$")
_CLASSES = frozenset("dDwW")
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePattern:
    """What one line says."""

    text: str
    """Cleaned, without the exclamation mark."""
    negated: bool
    """Whether it takes back what an earlier line excludes."""
    how: Literal["exact", "prefix", "suffix"] | re.Pattern[str]

    def matches(self, path: str) -> bool:
        """Whether it is about `path` itself."""
        match self.how:
            case "exact":
                return path == self.text
            case "prefix":
                return path.startswith(self.text[:-2])
            case "suffix":
                ending = self.text[2:]
                return path.endswith(ending) or (ending.startswith("/") and path == ending[1:])
            case regex:
                return regex.fullmatch(path) is not None

    @property
    def expression(self) -> str:
        """What matches the same in full, as a part of an expression with `re.ASCII`."""
        match self.how:
            case "exact":
                return re.escape(self.text)
            case "prefix":
                return f"{re.escape(self.text[:-2])}(?s:.*)"
            case "suffix":
                ending = self.text[2:]
                whole = f"|{re.escape(ending[1:])}" if ending.startswith("/") else ""
                return f"(?s:.*){re.escape(ending)}{whole}"
            case regex:
                return regex.pattern

    def may_match_below(self, directory: str) -> bool:
        """Whether it may be about something below `directory` without being about that."""
        parts, names = self.text.split("/"), directory.split("/")
        for part, name in zip(parts, names, strict=False):
            if not _GLOB.isdisjoint(part):
                return True
            if part != name:
                return False
        return len(parts) > len(names)


@lru_cache(maxsize=64)
def together(patterns: tuple[IgnorePattern, ...]) -> re.Pattern[str]:
    """What matches in full whatever one of `patterns` is about; one call is faster than one for each of them."""
    return re.compile("|".join(f"(?:{each.expression})" for each in patterns) or r"(?!)", re.ASCII)


def compiled(text: str, *, negated: bool = False) -> IgnorePattern:
    """The pattern in `text`, which is cleaned; raises `ValueError` for one that the builder refuses."""
    check(text)
    expression = ""
    how: Literal["exact", "prefix", "suffix", "regex"] = "exact"
    position = 0
    while position < len(text):
        first = position == 0
        char = text[position]
        position += 1
        if char == "*" and text[position : position + 1] == "*":
            position += 1
            if text[position : position + 1] == "/":
                position += 1
            if position < len(text):
                expression += "(.*/)?"
                how = "regex"
            elif how == "exact":
                how = "prefix"
            else:
                expression += ".*"
                how = "regex"
            if first:
                how = "suffix"
        elif char in "*?":
            expression += "[^/]*" if char == "*" else "[^/]"
            how = "regex"
        elif char in _ESCAPED:
            expression += f"\\{char}"
        elif char == "\\":
            expression += char + text[position : position + 1]
            position += 1
            how = "regex"
        else:
            expression += char
            how = "regex" if char in "[]" else how
    return IgnorePattern(
        text=text, negated=negated, how=_translated(expression, text) if how == "regex" else how
    )


def check(pattern: str) -> None:
    """Raises `ValueError` for a pattern that Go's `filepath.Match` refuses."""
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "\\":
            if position >= len(pattern):
                raise ValueError(f"`{pattern}` ends in a backslash")
            position += 1
        elif char == "[":
            position = _bracket(pattern, position)


def _bracket(pattern: str, position: int) -> int:
    """Where the bracket that opens before `position` has ended."""
    if pattern[position : position + 1] == "^":
        position += 1
    start = position
    while pattern[position : position + 1] != "]" or position == start:
        position = _one(pattern, position)
        if pattern[position : position + 1] == "-":
            position = _one(pattern, position + 1)
    return position + 1


def _one(pattern: str, position: int) -> int:
    """Where the character of a bracket at `position` has ended; something has to follow it."""
    if pattern[position : position + 1] == "\\":
        position += 1
    elif pattern[position : position + 1] in {"-", "]"}:
        raise ValueError(f"`{pattern}`: the bracket is malformed")
    position += 1
    if position >= len(pattern):
        raise ValueError(f"`{pattern}`: the bracket is not closed")
    return position


def _translated(expression: str, pattern: str) -> re.Pattern[str]:
    """A regular expression of Go's as one of Python's, to be matched in full."""
    found = ""
    position = 0
    while position < len(expression):
        char = expression[position]
        if char == "[":
            translated, position = _class(expression, position + 1, pattern)
            found += translated
        elif char == "\\":
            if expression[position + 1] in "bB":
                found += expression[position : position + 2]
            else:
                found += _escape(expression[position + 1], pattern)
            position += 2
        else:
            found += "\\]" if char == "]" else char
            position += 1
    try:
        return re.compile(found, re.ASCII)
    except re.error as error:
        raise ValueError(f"`{pattern}`: {error}") from error


def _class(expression: str, position: int, pattern: str) -> tuple[str, int]:
    found = "["
    if expression[position : position + 1] == "^":
        found += "^"
        position += 1
    start = position
    while expression[position : position + 1] != "]" or position == start:
        if expression.startswith("[:", position) and ":]" in expression[position + 2 :]:
            raise ValueError(f"`{pattern}`: a class of characters by name is not followed")
        low, position = _member(expression, position, pattern)
        if expression[position : position + 1] == "-" and expression[position + 1 : position + 2] not in {
            "",
            "]",
        }:
            high, position = _member(expression, position + 1, pattern)
            low = f"{low}-{high}"
        found += low
    return f"{found}]", position + 1


def _member(expression: str, position: int, pattern: str) -> tuple[str, int]:
    if position >= len(expression):
        raise ValueError(f"`{pattern}`: the bracket is not closed")
    if expression[position] == "\\" and position + 1 < len(expression):
        return _escape(expression[position + 1], pattern), position + 2
    return re.escape(expression[position]), position + 1


def _escape(char: str, pattern: str) -> str:
    """What a backslash and `char` stand for; a letter may be more than itself."""
    if char in _CLASSES:
        return f"\\{char}"
    if char in _CONTROLS:
        return re.escape(_CONTROLS[char])
    if char.isascii() and char.isalnum():
        raise ValueError(f"`{pattern}`: `\\{char}` is not followed")
    return re.escape(char)
