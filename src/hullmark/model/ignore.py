"""Ignores that ignore nothing; what the rules about the project's configuration look at."""

from __future__ import annotations

import enum
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
    narrowed: str = ""
    """What else it is confined to, in words; without a rule, the hash that `allow` of `[secrets]` names."""
    misplaced: bool = False
    """Whether it is a comment about a rule that does not look at Dockerfiles."""
    unknown: bool = False
    """Whether it is a comment about a rule that there is not."""
    nearest: str | None = None
    """The rule that was probably meant then."""
    elsewhere: int | None = None
    """The line of the same file where the rule did find something, for a comment above another instruction."""


class Stale(enum.StrEnum):
    """Why the decision to ignore a vulnerability is to be looked at again."""

    EXPIRED = "expired"
    UNUSED = "unused"
    """No image of the project has it, or has it there."""
    FIXABLE = "fixable"
    """There is a fix by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleIgnore:
    """The decision to ignore a vulnerability, made in whatever file, that may not hold any more."""

    id: str
    """The vulnerability, as it is named there."""
    why: Stale
    span: SourceSpan
    detail: str = ""
    """The last day of what has expired; of what can be fixed, the change."""
    statement: bool = False
    """Whether it stands in a VEX document, which says that an image is not affected."""
