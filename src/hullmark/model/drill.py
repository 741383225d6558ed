"""Drills: what a service is put to on purpose once the stack works, and what became of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hullmark.model.location import Location, SourceSpan


class Drill(enum.StrEnum):
    """What a stack can be put to, in the order in which it is."""

    MEMORY = "memory"
    USER = "user"
    STOP = "stop"
    RESTART = "restart"
    KILL = "kill"
    PARTITION = "partition"
    PERSIST = "persist"
    READ_ONLY = "read-only"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The service did what was expected of it."""

    seen: str
    missed: tuple[str, ...] = ()
    """Paths that it writes to otherwise, and could not write to this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The service did not do what was expected of it."""

    seen: str
    remedy: str
    """The change that lets it pass, as concrete as what was seen allows."""
    key: str = ""
    """What tells this failure from others of the drill; `seen` holds times and exit codes, which change."""
    location: Location | None = None
    """Where the cause stands, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """The drill does not apply to the service, or the project does not say enough for it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undrilled:
    """The drill was asked for and could not be carried out."""

    error: str


DrillResult = Passed | Failed | Exempt | Undrilled


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRun:
    """One drill of one service."""

    drill: Drill
    service: str
    span: SourceSpan
    """Where the project declares what was drilled."""
    result: DrillResult
    subject: str = ""
    """What of the service was drilled, where that is not all of it: the link that was cut."""
    seconds: float = 0.0

    @property
    def status(self) -> Literal["passed", "failed", "skipped", "broken"]:
        """What became of it, in one word."""
        match self.result:
            case Passed():
                return "passed"
            case Failed():
                return "failed"
            case Exempt():
                return "skipped"
            case Undrilled():
                return "broken"

    @property
    def said(self) -> str:
        """What was seen, or why nothing was."""
        match self.result:
            case Passed(seen=text) | Failed(seen=text) | Exempt(reason=text) | Undrilled(error=text):
                return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """Data that a service must keep: how it is written, and how it is seen that it is there."""

    write: tuple[str, ...]
    """Command inside the container."""
    read: tuple[str, ...]
    expect: str | None
    """Text that `read` must print; where not given, exit code 0 is enough."""
    origin: SourceSpan
    timeout: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillSettings:
    """What `hullmark.toml` says of how one service is drilled."""

    skip: tuple[Drill, ...] = ()
    """Drills that it is not put to."""
    timeout: float | None = None
    """Seconds within which it must be well again; `None` stands for what holds for all."""
    persist: tuple[Persistence, ...] = ()
