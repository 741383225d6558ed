"""Ignores that ignore nothing; what the rules about the project's configuration look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from hullmark.model.location import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleIgnore:
    """An ignore that covers no finding of this run, although everything that it could cover was looked at."""

    rule: str
    span: SourceSpan
    """Where it stands: a comment of a Dockerfile, or `hullmark.toml`."""
    service: str | None = None
    """The only service it is about, if there is one."""
    expired: dt.date | None = None
    """The last day on which it counted, if that is over."""
    misplaced: bool = False
    """Whether it is a comment about a rule that does not look at Dockerfiles."""
