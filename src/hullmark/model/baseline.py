"""What an earlier state of the project looked like, so that only what changed since has to be looked at."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.difference import Contents, Difference
    from hullmark.model.inventory import Inventory

ARTIFACT = "hullmark-baseline"
"""What a run on a CI system keeps a baseline as, of a project at the top of its repository."""
ARTIFACT_FILE = "hullmark-baseline.jsonl"
"""What that artifact holds."""


def artifact_of(name: str) -> str:
    """What it is kept as, of the project that is called `name` among those of its repository."""
    return f"{ARTIFACT}-{name}" if name else ARTIFACT


class Standing(enum.StrEnum):
    """How something that was found stands to the baseline."""

    INTRODUCED = "introduced"
    """It came with the change."""
    DISCLOSED = "disclosed"
    """A vulnerability that the baseline has as well, and of which nobody knew then."""
    KNOWN = "known"
    """The baseline has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """A finding that the baseline had."""

    fingerprint: str
    """Numbered, as `hullmark.model.finding.numbered` does it."""
    rule: str
    severity: str
    service: str | None = None
    check: str = ""
    """The check that found it; empty where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVulnerability:
    """A vulnerability that the baseline had, whether it counted then or not."""

    service: str
    id: str
    aliases: tuple[str, ...]
    package: str
    installed: str
    severity: str

    @property
    def names(self) -> frozenset[str]:
        """Everything that it is called."""
        return frozenset({self.id, *self.aliases})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownImage:
    """An image that the baseline had."""

    service: str
    contents: Contents
    """Its sizes, settings, layers and owners."""
    platform: str = ""
    inventory: Inventory | None = None
    """Its packages; `None` where they are not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """What the project is compared with."""

    name: str
    """What it is and where it was found, for people."""
    images: tuple[KnownImage, ...] = ()
    """By service."""
    listed: tuple[tuple[str, Inventory], ...] = ()
    """The packages of services of whose images nothing else is known, since they were scanned and not measured."""
    findings: tuple[KnownFinding, ...] = ()
    vulnerabilities: tuple[KnownVulnerability, ...] = ()
    looked: frozenset[tuple[str, str | None]] = frozenset()
    """The checks that had been made, each with its service; nothing is known of what others would have found."""
    first: bool = False
    """Whether there is none yet where it was looked for, so that this run is the first."""

    def image(self, service: str) -> KnownImage | None:
        """The image of a service, if it had one."""
        return next((each for each in self.images if each.service == service), None)

    def inventory(self, service: str) -> Inventory | None:
        """The packages of a service, where they are known."""
        image = self.image(service)
        return dict(self.listed).get(service) if image is None else image.inventory

    def has_looked(self, check: str, service: str | None) -> bool:
        """Whether `check` had been made of `service`, or of the whole project."""
        return (check, service) in self.looked or (check, None) in self.looked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A run beside its baseline; how findings and vulnerabilities stand to it, they say themselves."""

    name: str
    """As in `Baseline`."""
    first: bool
    new_only: bool
    """Whether only what is new can make the verdict fail."""
    fixed: tuple[KnownFinding, ...] = ()
    """What is found no more."""
    gone: tuple[KnownVulnerability, ...] = ()
    """Vulnerabilities that are found no more."""
    images: tuple[tuple[str, Difference], ...] = ()
    """What changed, by service; files are not compared."""
    notes: tuple[str, ...] = ()
    """What could not be compared, a sentence each."""

    def image(self, service: str) -> Difference | None:
        """What changed in the image of a service, where both sides have one."""
        return next((change for name, change in self.images if name == service), None)
