"""What the image of one service is built from, as a value that any path can be held against."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath

    from hullmark.model.location import SourceSpan

MAIN = ""
"""The name of the context that has none."""


class Excludes(Protocol):
    """An ignore file."""

    def excludes(self, path: str) -> bool:
        """Whether the builder does not see `path`."""
        ...

    def within(self, directory: str) -> Callable[[str], object]:
        """`excludes` for what lies directly in `directory`, which is empty for the context."""
        ...

    def may_reinclude_below(self, directory: str) -> bool:
        """Whether something below `directory`, which is excluded, may be seen all the same."""
        ...


class PathPattern(Protocol):
    """A pattern as ignore files have them."""

    def matches(self, path: str) -> bool:
        """Whether it is about `path` itself."""
        ...

    def may_match_below(self, directory: str) -> bool:
        """Whether it may be about something below `directory` without being about that."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why something is an input."""

    text: str
    span: SourceSpan | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one source of a COPY, an ADD or a bind mount takes from a context."""

    context: str
    """Its name, or `MAIN`."""
    pattern: str
    """Cleaned, relative to the context; a dot for all of it."""
    parts: tuple[str | re.Pattern[str], ...]
    """For each part of the pattern the name, or what names it matches."""
    because: Because
    below: PathPattern | None = None
    """Of `COPY --parents`: what is taken of that, relative to it."""
    excluded: Excludes | None = None
    """What `--exclude` leaves out."""

    @property
    def takes_all_below(self) -> bool:
        """Whether all is selected that is below something that is."""
        return self.excluded is None

    def covers(self, path: str) -> bool:
        """Whether `path`, or a directory above it, is selected."""
        names = path.split("/")
        if len(names) < len(self.parts) or not self._agrees(names):
            return False
        if self.below is None and self.excluded is None:
            return True
        rest = names[len(self.parts) :]
        return self._takes(rest) and not self._leaves_out(path, rest)

    def reaches_below(self, directory: str) -> bool:
        """Whether it selects something below `directory`, or may do so."""
        names = directory.split("/")
        rest = names[len(self.parts) :]
        return self._agrees(names) and (
            self.below is None or not rest or self._takes(rest) or self.below.may_match_below("/".join(rest))
        )

    def brings_along(self, directory: str) -> bool:
        """Whether `directory` is in the image when something below it is selected and seen, whatever it is itself."""
        return directory.count("/") + 1 >= len(self.parts) and self.reaches_below(directory)

    def _takes(self, rest: list[str]) -> bool:
        below = self.below
        return (
            below is None
            or not rest
            or any(below.matches("/".join(rest[: number + 1])) for number in range(len(rest)))
        )

    def _leaves_out(self, path: str, rest: list[str]) -> bool:
        """Whether `--exclude` leaves `path` out, which is `rest` from the source on.

        What is named as a source itself was left out by some builders and not by others, and so was what only fits from
        the top of the context on; nothing of it is left out here.
        """
        excluded = self.excluded
        return bool(excluded and rest and excluded.excludes("/".join(rest)) and excluded.excludes(path))

    def _agrees(self, names: list[str]) -> bool:
        """Whether pattern and names agree as far as both go."""
        return all(
            part == name if isinstance(part, str) else part.fullmatch(name) is not None
            for part, name in zip(self.parts, names, strict=False)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfollowed:
    """An input that is not in a file here."""

    text: str
    because: Because
    known: bool = False
    """Whether what stands in the files tells it exactly, as a checksum does."""

    def __str__(self) -> str:
        return f"{self.because} takes {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """Everything that decides about one image."""

    files: Mapping[str, Because]
    """Single files, relative to the project's root: the Dockerfile, its ignore file (also where there is none)."""
    contexts: Mapping[str, str]
    """Directories by name, relative to the project's root."""
    ignored: Mapping[str, Excludes]
    """What is not seen of each context."""
    selections: tuple[Selection, ...]
    args: Mapping[str, str] = field(repr=False)
    target: str | None
    platform: str | None
    bases: tuple[str, ...]
    services: tuple[tuple[str, Because], ...]
    """Other services whose images are taken, and through what."""
    unfollowed: tuple[Unfollowed, ...]
    refused: tuple[str, ...] = ()
    """What of ignore files cannot be followed, each with its file and line; none of such a file counts."""
    unknown: tuple[str, ...] = ()
    """Images of others of which it is not known what they take from the context: ONBUILD."""
    local: bool = False
    """Whether something was read in an image that an engine has, and may have another one of tomorrow."""

    def match(self, path: PurePosixPath) -> tuple[Because, ...]:
        """Why `path`, relative to the project's root, is an input; it need not exist."""
        text = str(path)
        found = [self.files[text]] if text in self.files else []
        for name, directory in self.contexts.items():
            inside = relative(text, directory)
            if inside is None:
                continue
            selected = [each.because for each in self.selections if _selects(each, name, inside)]
            if selected and (inside == "." or not self.ignored[name].excludes(inside)):
                found += selected
        return tuple(dict.fromkeys(found))

    def below(self, path: PurePosixPath) -> tuple[Because, ...]:
        """Why something at or below `path` is, or may be, an input."""
        text = str(path)
        found = [because for file, because in self.files.items() if relative(file, text) is not None]
        for name, directory in self.contexts.items():
            inside = relative(text, directory)
            if inside is None:
                if relative(directory, text) is not None:
                    found += [each.because for each in self.selections if each.context == name]
                continue
            if (
                inside != "."
                and self.ignored[name].excludes(inside)
                and not self.ignored[name].may_reinclude_below(inside)
            ):
                continue
            found += [
                each.because
                for each in self.selections
                if each.context == name and (inside == "." or each.reaches_below(inside))
            ]
        return tuple(dict.fromkeys(found))


def _selects(selection: Selection, context: str, path: str) -> bool:
    return selection.context == context and selection.covers(path)


def relative(path: str, directory: str) -> str | None:
    """`path` from `directory` on; `None` where it is not below."""
    if directory in {"", "."}:
        return None if path == ".." or path.startswith("../") else path
    if path == directory:
        return "."
    found = posixpath.relpath(path, directory) if ".." in directory else path.removeprefix(f"{directory}/")
    return None if found == path or found.startswith("..") else found
