"""Ignore files: what of a build context the builder is not given."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile.ignorepattern import SPACES, compiled, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hullmark._dockerfile.ignorepattern import IgnorePattern

_LONGEST = 64 * 1024
"""Bytes that a line must stay below for the builder to read it."""
_UNNAMED = Path(".dockerignore")


class Refused(ValueError):
    """An ignore file with a line that the builder refuses, or that nobody here can follow."""

    def __init__(self, reason: str, line: int, path: Path) -> None:
        super().__init__(reason)
        self.line = line
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFile:
    """What is excluded: the last line that is about a path, or about a directory above it, counts.

    The builder walks the context from the top, and lines that could not change what is decided already are not held
    against a directory. They are not thought to be about what is below it either, which is why a path is not judged
    on its own here, but after everything above it.
    """

    patterns: tuple[IgnorePattern, ...] = ()
    _above: dict[str, tuple[bool, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def excludes(self, path: str) -> bool:
        """Whether the builder does not see `path`, which is relative to the context, with forward slashes."""
        if not self.patterns:
            return False
        parent = posixpath.dirname(path)
        return self._judged(path, self._directory(parent) if parent else None)[0]

    def within(self, directory: str) -> Callable[[str], object]:
        """`excludes` for what lies directly in `directory`, which is empty for the context; faster for many paths."""
        above = self._directory(directory) if directory else None
        patterns = self.patterns
        if (above is None or not any(above)) and not any(pattern.negated for pattern in patterns):
            # Nothing takes anything back, so one line that is about a path decides, whichever it is.
            return together(patterns).fullmatch
        return lambda path: self._judged(path, above)[0]

    def may_reinclude_below(self, directory: str) -> bool:
        """Whether something below `directory`, which is excluded, may be taken back."""
        return any(pattern.negated and pattern.may_match_below(directory) for pattern in self.patterns)

    def _directory(self, path: str) -> tuple[bool, ...]:
        known = self._above.get(path)
        if known is None:
            parent = posixpath.dirname(path)
            known = self._judged(path, self._directory(parent) if parent else None)[1]
            self._above[path] = known
        return known

    def _judged(self, path: str, above: tuple[bool, ...] | None) -> tuple[bool, tuple[bool, ...]]:
        """Whether `path` is excluded, and which lines are about it."""
        excluded = False
        about = []
        for number, pattern in enumerate(self.patterns):
            matched = above is not None and above[number]
            if not matched and pattern.negated == excluded:
                matched = pattern.matches(path)
            about.append(matched)
            if matched:
                excluded = not pattern.negated
        return excluded, tuple(about)


def parse(text: str, path: Path = _UNNAMED) -> IgnoreFile:
    """The ignore file in `text`, which was read from `path`; raises `Refused` for a line that cannot be followed."""
    found = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if len(raw.encode("utf-8", "surrogateescape")) >= _LONGEST:
            raise Refused("the line is too long to be followed", number, path)
        # A space before the sign makes it a name.
        if raw.startswith("#"):
            continue
        line = raw.strip(SPACES)
        if not line:
            continue
        try:
            found.append(_pattern(line))
        except ValueError as error:
            raise Refused(f"`{line}` cannot be followed: {error}", number, path) from error
    return IgnoreFile(patterns=tuple(each for each in found if each is not None))


def excluding(patterns: Iterable[str]) -> IgnoreFile:
    """What an instruction leaves out with `--exclude`; raises `ValueError` where the builder refuses it."""
    return IgnoreFile(patterns=tuple(each for each in map(_checked, patterns) if each is not None))


def _pattern(line: str) -> IgnorePattern | None:
    """One line, read twice as the builder does: what is cleaned of a path may leave an exclamation mark in front."""
    mark = "!" if line.startswith("!") else ""
    path = line[len(mark) :].strip(SPACES)
    if path:
        path = _cleaned(path)
        path = path[1:] if len(path) > 1 and path.startswith("/") else path
    return _checked(mark + path)


def _checked(text: str) -> IgnorePattern | None:
    text = text.strip(SPACES)
    if not text:
        return None
    text = _cleaned(text)
    if text == "!":
        raise ValueError("an exclamation mark takes back nothing")
    negated = text.startswith("!")
    return compiled(text[negated:], negated=negated)


def _cleaned(path: str) -> str:
    """`path` without what leads nowhere; two slashes in front, which mean something to POSIX, are one."""
    found = posixpath.normpath(path)
    return found[1:] if found.startswith("//") else found


def find(context: Path, dockerfile: Path | None) -> IgnoreFile:
    """The ignore file that counts for a Dockerfile: the one called after it, else that of the context.

    A Dockerfile that stands in the Compose file, or that of a named context, has only the latter. Raises `Refused`
    for one that cannot be followed.
    """
    for path in places(context, dockerfile):
        try:
            text = text_of(path)
        except OSError:
            continue
        return parse(text, path)
    return IgnoreFile()


def text_of(path: Path) -> str:
    """What stands in the ignore file `path`; bytes that are not UTF-8 become lone surrogates. Raises `OSError`."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def places(context: Path, dockerfile: Path | None) -> tuple[Path, ...]:
    """Where the ignore file of a Dockerfile may be; the first that is there counts."""
    own = (dockerfile.with_name(f"{dockerfile.name}.dockerignore"),) if dockerfile is not None else ()
    return (*own, context / ".dockerignore")
