"""What takes the space in an image, by owner and by path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.owner import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSpace:
    """What one owner takes."""

    owner: Owner
    bytes: int
    """Visible ones of regular files; a file with several names counts once, where its first visible name is."""
    files: int
    masked_bytes: int
    """Of its files that are in a layer and can no longer be reached."""
    masked_files: int
    why: tuple[str, ...] = ()
    """See `Package.why`; the shortest of several, empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many things of each kind there are.

    Wherever files are counted, regular files are meant, and one with several names once.
    """

    files: int
    """That are seen."""
    masked_files: int
    """That are in a layer and can no longer be reached."""
    directories: int
    """That are seen, the root not among them."""
    links: int
    """Symbolic links that are seen, and further names of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSpace:
    """What lies at one path and below it."""

    path: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceNode:
    """One box of a map of an image: what is in it sums up to it."""

    name: str
    """Of a directory relative to the box that it lies in; several steps where nothing else lies between."""
    bytes: int
    files: int
    inside: tuple[SpaceNode, ...] = ()
    """The largest first; nothing where the box is a file, or is not opened further."""
    folded: int = 0
    """How many things too small to be shown are taken together in this box; 0 for a box that is one thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceMap:
    """What is visible in an image as boxes in boxes, three times the same bytes."""

    owners: SpaceNode
    """By kind of package, package, and where its files lie."""
    instructions: SpaceNode
    """By what wrote them, and where they lie."""
    paths: SpaceNode
    smallest: int
    """Bytes; what is smaller than that is folded together with its neighbours."""
