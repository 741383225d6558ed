"""What a scanner has to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.vulnerability import Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """The scanner can be used."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The scanner is not there, or must not be used."""

    reason: str
    """Why, and how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scanner says of one image."""

    vulnerabilities: tuple[Vulnerability, ...]
    recognised: tuple[str, ...]
    """What it found to look at: the distribution, and each kind of package; nothing means that it saw nothing."""


class Scanner(Protocol):
    """Looks for known vulnerabilities in the packages of an image."""

    def probe(self) -> Available | Missing:
        """Whether it can be used here; cheap, and without a network."""

    def scan(self, image: str, *, service: str, report: Path, ignore_file: Path | None) -> Scanned:
        """What is known of `image`; the scanner's own report is kept in the file `report`.

        Raises `CommandFailed` when it could not look, and `Unavailable` when what it says cannot be understood:
        an answer that is not understood is never an image without vulnerabilities.
        """
