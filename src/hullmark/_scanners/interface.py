"""What a scanner has to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.inventory import Inventory
    from hullmark.model.vulnerability import Coverage, Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """The scanner can be used."""

    version: str
    digest: str = ""
    """Of its program, or of the image that holds it; empty for what is part of hullmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The scanner is not there, or must not be used."""

    reason: str
    """Why, and how to get it."""
    absent: bool = False
    """Whether there is nothing of it here: where everyone that is there was asked for, it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One image that is scanned."""

    image: str
    """As the engine calls it, or the registry that has it."""
    scheme: str = "docker"
    """Where it is: in the engine, or in a `registry`."""
    service: str
    inventory: Inventory
    report: Path
    """The file for the scanner's own report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scanner says of one image."""

    vulnerabilities: tuple[Vulnerability, ...]
    recognised: tuple[str, ...]
    """What it found to look at: the distribution, and each kind of package; nothing means that it saw nothing."""
    coverage: tuple[Coverage, ...] = ()
    """What was looked up, of those that say it."""
    problems: tuple[str, ...] = ()
    """What was there and could not be looked up, a sentence each."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing, a few words each."""


class Scanner(Protocol):
    """Looks for known vulnerabilities in the packages of an image."""

    name: str
    """One of `hullmark.model.vulnerability.SCANNERS`."""

    def probe(self) -> Available | Missing:
        """Whether it can be used here; cheap, and without a network."""

    def prepare(self) -> None:
        """Gets what all scans need, once before the first of them; they may then run side by side."""

    def scan(self, target: Target) -> Scanned:
        """What is known of an image; the scanner's own report is kept in the file that the target names.

        Raises `CommandFailed` when it could not look, and `Unavailable` when what it says cannot be understood:
        an answer that is not understood is never an image without vulnerabilities.
        """
