"""A build that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.location import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBuild:
    """Why the image of a service could not be built, as BuildKit tells it."""

    span: SourceSpan
    """The instruction that failed, as far as it is known."""
    message: str
    """What did not complete, with its exit code."""
    step: str
    """The instruction, or empty when it failed before any."""
    output: tuple[str, ...]
    """The last lines that the instruction printed."""
    no_space: bool = False
    """Whether it printed that no space is left."""
    has_tmpfs: bool = False
    """Whether that may have been in a file system of its own, which it keeps in memory."""
