"""Fixes: changes to a file of the project that remove a finding, exact enough for a machine to make."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable


class Applicability(enum.StrEnum):
    """Whether a fix may be made without asking."""

    SAFE = "safe"
    """The image keeps what it did; only the defect goes."""
    UNSAFE = "unsafe"
    """What was meant is guessed, or the image may behave differently: a person has to look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One replacement in a file."""

    span: SourceSpan
    """What is replaced, to the character; nothing when it ends where it begins."""
    text: str
    """What takes its place, with `\\n` for whatever ends the lines of the file."""

    @property
    def start(self) -> tuple[int, int]:
        """Line and column of the first character that is replaced."""
        return self.span.line, self.span.column

    @property
    def end(self) -> tuple[int, int]:
        """Line and column after the last character that is replaced."""
        return self.span.end_line or self.span.line, self.span.end_column or self.span.column


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What removes one finding: edits of one file, made together or not at all."""

    message: str
    """What it does, as a request: `add --no-install-recommends`."""
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.SAFE

    @property
    def path(self) -> str:
        """The file that it changes."""
        return self.edits[0].span.path

    def allowed(self, *, unsafe: bool) -> bool:
        """Whether it may be made, given whether unsafe fixes may."""
        return unsafe or self.applicability is Applicability.SAFE


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fixed:
    """A fix that was made."""

    location: SourceSpan
    """Where the finding was when it was fixed."""
    rule: str
    message: str


def insertion(path: str, line: int, column: int, text: str) -> Edit:
    """Puts `text` in front of the character at `line` and `column`."""
    place = SourceSpan(path=path, line=line, column=column, end_line=line, end_column=column)
    return Edit(span=place, text=text)


def insertion_after(span: SourceSpan, text: str) -> Edit:
    """Puts `text` behind the last character of `span`."""
    return insertion(span.path, span.end_line or span.line, span.end_column, text)


def replacement(span: SourceSpan, text: str) -> Edit:
    """Puts `text` in the place of `span`."""
    return Edit(span=span, text=text)


def lines_after(span: SourceSpan, lines: Iterable[str]) -> Edit:
    """Puts `lines`, each an instruction or a part of one, below an instruction that ends where `span` does."""
    return insertion_after(span, "".join(f"\n{line}" for line in lines))
