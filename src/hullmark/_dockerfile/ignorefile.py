"""Ignore files: what of a build context the builder is not given."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SPECIAL = frozenset(".+()|{}$^")


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePattern:
    """One line of an ignore file."""

    text: str
    """Cleaned, without the exclamation mark."""
    negated: bool
    """Whether it takes back what an earlier line excludes."""
    regex: re.Pattern[str]

    def matches(self, path: str) -> bool:
        """Whether it is about `path` itself."""
        return self.regex.fullmatch(path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFile:
    """What is excluded, by the last line that is about a path or a directory above it."""

    patterns: tuple[IgnorePattern, ...] = ()

    def excludes(self, path: str) -> bool:
        """Whether the builder does not see `path`, which is relative to the context, with forward slashes."""
        parts = path.split("/")
        prefixes = ["/".join(parts[: number + 1]) for number in range(len(parts))]
        excluded = False
        for pattern in self.patterns:
            # A line that would change nothing need not be matched.
            if pattern.negated == excluded and any(pattern.matches(prefix) for prefix in prefixes):
                excluded = not pattern.negated
        return excluded

    def may_reinclude_below(self, directory: str) -> bool:
        """Whether something below `directory`, which is excluded, may be taken back."""
        return any(pattern.negated and _may_be_below(pattern.text, directory) for pattern in self.patterns)


def _may_be_below(pattern: str, directory: str) -> bool:
    for part, name in zip(pattern.split("/"), directory.split("/"), strict=False):
        if "**" in part:
            return True
        if not _compile(part).fullmatch(name):
            return False
    return True


def parse(text: str) -> IgnoreFile:
    """The ignore file in `text`; raises `ValueError` for a pattern that is none."""
    found = []
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.rstrip("\r")
        if line.startswith("#"):
            continue
        line = line.strip()
        negated = line.startswith("!")
        line = line.removeprefix("!").strip() if negated else line
        if not line:
            continue
        cleaned = posixpath.normpath(line)
        cleaned = "/" if cleaned == "//" else cleaned
        if len(cleaned) > 1:
            cleaned = cleaned.removeprefix("//").removeprefix("/")
        found.append(IgnorePattern(text=cleaned, negated=negated, regex=_compile(cleaned)))
    return IgnoreFile(patterns=tuple(found))


def find(context: Path, dockerfile: Path) -> IgnoreFile:
    """The ignore file that counts for a Dockerfile: the one called after it, else that of the context."""
    for path in places(context, dockerfile):
        try:
            return parse(path.read_bytes().decode("utf-8", "replace"))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return IgnoreFile()


def places(context: Path, dockerfile: Path) -> tuple[Path, ...]:
    """Where the ignore file of a Dockerfile may be; the first that is there counts."""
    return (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore")


def _compile(pattern: str) -> re.Pattern[str]:
    """The regular expression for a pattern."""
    found = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern[position : position + 1] == "*":
            position += 1
            if pattern[position : position + 1] == "/":
                position += 1
            found.append(".*" if position >= len(pattern) else "(?:.*/)?")
        elif char == "*":
            found.append("[^/]*")
        elif char == "?":
            found.append("[^/]")
        elif char == "\\" and position < len(pattern):
            found.append(re.escape(pattern[position]))
            position += 1
        elif char in _SPECIAL:
            found.append(f"\\{char}")
        elif char == "[":
            end = pattern.find("]", position + 1)
            if end < 0:
                raise ValueError(f"`{pattern}`: the bracket is not closed")
            inner = pattern[position:end].replace("\\\\", "\\")
            found.append(f"[{inner}]")
            position = end + 1
        else:
            found.append(re.escape(char))
    return re.compile("".join(found), re.DOTALL)
