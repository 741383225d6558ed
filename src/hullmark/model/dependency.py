"""What something in an image needs and does not find there."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.attribution import Origin


class Certainty(enum.StrEnum):
    """How sure it is that something fails."""

    CERTAIN = "certain"
    """It fails as soon as what needs it is started or imported."""
    LIKELY = "likely"
    """It fails unless whoever loads it has made other provisions."""
    POSSIBLE = "possible"
    """It fails when a part is used that may never be."""

    @property
    def rank(self) -> int:
        """Higher for what is surer."""
        return {Certainty.CERTAIN: 2, Certainty.LIKELY: 1, Certainty.POSSIBLE: 0}[self]


class Problem(enum.StrEnum):
    """What is wrong with a dependency."""

    LIBRARY_MISSING = "library missing"
    """A shared library that an ELF file needs is not found."""
    LOADER_MISSING = "loader missing"
    """The program that loads an executable is not there: it cannot be started at all."""
    NOT_INSTALLED = "not installed"
    """A package that another one or the application requires is not there."""
    WRONG_VERSION = "wrong version"
    """It is there in a version that was not asked for."""
    INCOMPLETE = "incomplete"
    """It is there, and files that it was installed with are gone."""
    UNRESOLVED = "unresolved"
    """It is there, and the file that it is entered by is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One need that is not met."""

    problem: Problem
    kind: str
    """What needs it: `elf`, `python` or `npm`."""
    path: str
    """The file that needs it or that is incomplete."""
    name: str
    """What is needed: a library such as `libpq.so.5`, or a package."""
    by: str = ""
    """The package or file that needs it, where `path` does not say it."""
    expected: str = ""
    """The version that was asked for, or the file that should be there."""
    seen: str = ""
    """What is there instead, empty where nothing is."""
    certainty: Certainty = Certainty.CERTAIN
    lost: Origin | None = None
    """The instruction that took it away or left it behind, where that is known."""

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        """The surest first, then by what is missing."""
        return -self.certainty.rank, self.kind, self.name, self.path
