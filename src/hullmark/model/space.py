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


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSpace:
    """What lies at one path and below it."""

    path: str
    bytes: int
    files: int
