"""How one image was scanned for known vulnerabilities: by whom, what was looked at, and what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.inventory import Inventory, Unrecognised
    from hullmark.model.vulnerability import Coverage, Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerUsed:
    """One scanner that has looked."""

    name: str
    version: str
    digest: str = ""
    """Of its program or of the image that holds it; empty for hullmark's own."""
    found: int = 0
    """How many vulnerabilities it knows of, of those that all know of together."""
    alone: int = 0
    """How many of these no other scanner knows of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One change, and how many vulnerabilities it takes away."""

    text: str
    fixes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A vulnerability that was found, and that somebody has decided to live with."""

    vulnerability: Vulnerability
    reason: str
    """Where that stands, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """The scan of the image of one service."""

    service: str
    distribution: str
    """For people; empty where nothing says which."""
    packages: tuple[tuple[str, int], ...]
    """How many of each kind are in the image."""
    scanners: tuple[ScannerUsed, ...]
    coverage: tuple[Coverage, ...] = ()
    """What the embedded scanner looked up, by ecosystem."""
    unrecognised: tuple[Unrecognised, ...] = ()
    """Files that hold software which could not be named, and so was not looked up."""
    advice: tuple[Advice, ...] = ()
    """The best first."""
    held: tuple[tuple[str, int], ...] = ()
    """Why vulnerabilities do not count, and how many."""
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()
    inventory: Inventory | None = None
    """The packages that were looked up."""
