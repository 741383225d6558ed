"""What a source of COPY or ADD names in a context: patterns, and the symbolic links that the builder follows."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING

from hullmark._dockerfile.ignorepattern import check

if TYPE_CHECKING:
    from collections.abc import Iterator

_GLOB = frozenset("*?[\\")
_LINKS = 40
"""How many symbolic links are followed for one path, as the kernel does."""


def part(name: str) -> str | re.Pattern[str]:
    """What one part of a source matches, by the rules of Go's `filepath.Match`; a name where that is one.

    Raises `ValueError` for a pattern that is none.
    """
    if _GLOB.isdisjoint(name):
        return name
    check(name)
    found = ""
    position = 0
    while position < len(name):
        char = name[position]
        position += 1
        if char == "*":
            found += "[^/]*"
        elif char == "?":
            found += "[^/]"
        elif char == "\\":
            found += re.escape(name[position])
            position += 1
        elif char == "[":
            bracket, position = _bracket(name, position)
            found += bracket
        else:
            found += re.escape(char)
    return re.compile(found, re.DOTALL)


def _bracket(name: str, position: int) -> tuple[str, int]:
    """The bracket that opens before `position`, which is well formed, and where it has ended."""
    negated = name[position] == "^"
    position += negated
    ranges = ""
    start = position
    while name[position] != "]" or position == start:
        low, position = _one(name, position)
        high = low
        if name[position] == "-":
            high, position = _one(name, position + 1)
        if low <= high:
            ranges += f"{re.escape(low)}-{re.escape(high)}"
    if not ranges:
        # Only ranges that end before they begin: there is no such character.
        return "[^/]" if negated else r"(?!)", position + 1
    return f"[{'^' if negated else ''}{ranges}]", position + 1


def _one(name: str, position: int) -> tuple[str, int]:
    position += name[position] == "\\"
    return name[position], position + 1


def linked(top: str, parts: tuple[str | re.Pattern[str], ...]) -> Iterator[str]:
    """Where symbolic links in what a source names lead to, within the context in `top`, and those on the way."""
    found = [""]
    for each in parts:
        following = [f"{prefix}/{name}" for prefix in found for name in _names(f"{top}{prefix}", each)]
        found = []
        for path in following:
            where, links = _followed(top, path.lstrip("/"))
            yield from links
            if links:
                yield where
            found.append(f"/{where}")


def _names(directory: str, name: str | re.Pattern[str]) -> list[str]:
    if isinstance(name, str):
        return [name]
    try:
        return [each for each in os.listdir(directory) if name.fullmatch(each)]  # noqa: PTH208
    except OSError:
        return []


def _followed(top: str, path: str) -> tuple[str, list[str]]:
    """Where `path` leads to, taking `top` for the root of the file system, and the links on the way."""
    links: list[str] = []
    pending = path.split("/")
    here = ""
    while pending and len(links) < _LINKS:
        name = pending.pop(0)
        if name in {"", "."}:
            continue
        if name == "..":
            here = posixpath.dirname(here)
            continue
        candidate = posixpath.join(here, name)
        try:
            to = os.readlink(f"{top}/{candidate}")  # noqa: PTH115
        except OSError:
            here = candidate
            continue
        links.append(candidate)
        if to.startswith("/"):
            here = ""
        pending = [*to.split("/"), *pending]
    return posixpath.join(here, *pending) or ".", links
