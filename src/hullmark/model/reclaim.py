"""What an image could give back: bytes that are hidden, and bytes that nothing needs at run time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.attribution import Origin


class Waste(enum.StrEnum):
    """A kind of bytes that most images can do without; the value is how a report calls it."""

    PACKAGE_LISTS = "package lists"
    """What `apt-get update` and the like fetched."""
    PACKAGE_CACHES = "package caches"
    """Of apt, apk, dnf, pip, uv, npm, yarn and their kin."""
    BYTE_CODE = "byte code"
    """Of Python: `__pycache__` and `*.pyc`. Without it, programs start more slowly."""
    TESTS = "tests"
    """Test suites of packages."""
    DOCUMENTATION = "documentation"
    """Manual pages and other documentation; copyright files are not counted, because licences ask for them."""
    LOCALES = "locales"
    """Translations of messages."""
    SOURCE_MAPS = "source maps"
    STATIC_LIBRARIES = "static libraries"
    """What only a linker reads."""
    HEADERS = "headers"
    """What only a compiler reads."""
    DEBUG_FILES = "debug files"
    """Debug information in files of its own."""
    DUPLICATES = "duplicates"
    """Files with the content of another one: all but one of each."""
    DEBUG_SECTIONS = "debug sections"
    """What `strip --strip-debug` removes from programs and libraries."""
    SYMBOLS = "symbols"
    """What `strip --strip-unneeded` removes beyond that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A path and the bytes that could be saved there."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What doing without one kind of waste would save. No byte is in two savings."""

    waste: Waste
    bytes: int
    files: int
    top: tuple[Weighed, ...]
    """The largest, first the one that saves most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Files of one content."""

    size: int
    """Of one of them."""
    paths: tuple[str, ...]
    """Sorted; names of one file (hard links) are not listed twice."""

    @property
    def wasted(self) -> int:
        """Bytes that all but one of them take."""
        return self.size * (len(self.paths) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Files that one step wrote and a later one replaced or removed: their bytes are shipped and never seen."""

    written: Origin
    hidden: Origin
    """The step that hides them."""
    bytes: int
    files: int
    top: tuple[Weighed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaim:
    """Everything that an image could give back."""

    squash: int
    """Bytes that a squash would save: what is masked."""
    hidden: tuple[Hidden, ...]
    """The masked bytes by the steps that wrote and hid them, the most first; they sum up to `squash`."""
    savings: tuple[Saving, ...]
    """What is seen and could be done without, the most first. Together they are never more than what is seen."""
    duplicates: tuple[Duplicate, ...]
    """The most wasteful first; none where contents were not read."""
    notes: tuple[str, ...] = ()
    """What could not be measured, in a sentence each."""

    def saving(self, waste: Waste) -> int:
        """Bytes that doing without `waste` would save."""
        return sum(saving.bytes for saving in self.savings if saving.waste is waste)
