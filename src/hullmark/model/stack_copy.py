"""The copy of a project that a smoke test starts, and what of this host is copied for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedDirectory:
    """A directory of this host that services may write to, and the volume that holds a copy of it for them."""

    source: str
    """Absolute path, without symbolic links."""
    shown: str
    """The same as the Compose file would write it."""
    volume: str
    """As the engine knows it."""
    mounts: tuple[tuple[str, str], ...]
    """Services, and where in their containers it is."""

    def __str__(self) -> str:
        service, target = self.mounts[0]
        return f"`{self.shown}:{target}` of service `{service}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFile:
    """A file of this host that a service may write to, and where in its containers the copy is."""

    source: str
    shown: str
    service: str
    target: str

    def __str__(self) -> str:
        return f"`{self.shown}:{self.target}` of service `{self.service}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackCopy:
    """What is to be started: a project that cannot meet any other."""

    name: str
    configuration: str = field(repr=False)
    """For Compose, as JSON. It holds secrets: never log or report it."""
    directories: tuple[CopiedDirectory, ...] = ()
    files: tuple[CopiedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """How it differs from the project in what it has of the world outside, a sentence each."""
