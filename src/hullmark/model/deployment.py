"""An image as a service of the stack uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Recipe

REQUIRED_LABELS = ("org.opencontainers.image.version",)
"""The labels that are asked for where the policy says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How an image is made, and what Compose adds to it when it runs; what rules about both look at."""

    recipe: Recipe
    volumes: tuple[str, ...] = ()
    """The container paths at which Compose mounts volumes."""
    labels: tuple[str, ...] = ()
    """The labels that Compose has the builder set, whatever the Dockerfile says."""
    required: tuple[str, ...] = REQUIRED_LABELS
    """The labels that the policy asks every image for."""
    digests: tuple[tuple[str, str], ...] = ()
    """The digests of images from outside that are known here, by reference."""
    own: frozenset[str] = frozenset()
    """Names that stand for no image from outside: of images that the project builds, and of named contexts."""
    non_root: bool = False
    """Whether the configuration asks that the service does not run as root."""
    context: Context | None = None
    """What the build takes out of its context; `None` where that was not measured, or is not on this disk."""
