"""Files in an image that let whoever has them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.owner import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One file that holds a secret; what the secret is, is kept nowhere."""

    layer: int
    """Index of the layer that has the file, from the bottom."""
    row: int
    """Of the file in the table of that layer."""
    path: str
    what: str
    """In words, for example `a private key`."""
    visible: bool
    """Whether a container sees it; whoever has the image can read it in any case."""
    package: Owner | None = None
    """The package that it came with, which others have as well."""
