"""All software in an image that can be named, and what could not be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.owner import OwnerKind, Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The operating system's distribution, as its `os-release` has it."""

    id: str
    """In lower case, for example `debian`."""
    version_id: str = ""
    """For example `12`; empty for distributions without versions and for those still in the making."""
    codename: str = ""
    """For example `bookworm`."""
    id_like: tuple[str, ...] = ()
    """The distributions that it derives from, the closest first, for example `ubuntu` and `debian`."""
    name: str = ""
    """For people, for example `Debian GNU/Linux 12 (bookworm)`."""
    path: str = ""
    """The file that says so; empty where a document does."""

    @property
    def families(self) -> tuple[str, ...]:
        """Its own ID, then those that it derives from: whose packages these may be, the closest first."""
        return tuple(dict.fromkeys((self.id, *self.id_like)))

    def __str__(self) -> str:
        return self.name or f"{self.id} {self.version_id}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecognised:
    """A file that holds software which could not be named."""

    path: str
    reason: str
    """What is in the way, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The software in the final file system of one image, or that a document lists."""

    packages: tuple[Package, ...]
    """By owner, then by location; with `layer`, `origin` and `purl` as far as they are known."""
    distribution: Distribution | None = None
    """`None` where nothing says which."""
    unrecognised: tuple[Unrecognised, ...] = ()
    """By path."""
    notes: tuple[str, ...] = ()
    """What could not be read of the lists of packages; a sentence each."""
    document: str = ""
    """The document that was read in the place of the image, where one was."""

    @property
    def counts(self) -> Mapping[OwnerKind, int]:
        """How many packages of each kind there are, of those of which there is one."""
        found = Counter(package.owner.kind for package in self.packages)
        return dict(sorted(found.items()))
