"""What changed between two revisions, and which services that touches."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.location import SourceSpan


class ChangeKind(enum.StrEnum):
    """What became of a path."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    MODE = "mode"
    """Its content is the same, its executable bit is not."""
    TYPE = "type"
    """A file became a symbolic link, or a submodule, or the other way round."""
    RENAMED = "renamed"
    UNTRACKED = "untracked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that is not the same in both revisions."""

    path: str
    """Relative to the top of the repository, with forward slashes."""
    kind: ChangeKind
    old: str | None = None
    """Of a renamed file, what it was called."""
    tree: bool = False
    """Whether it stands for all below it as well: a submodule, a repository within, a symbolic link."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that it is about."""
        return (self.path,) if self.old is None else (self.path, self.old)

    def __str__(self) -> str:
        return self.path if self.old is None else f"{self.old} -> {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncompared:
    """Something in the work tree of which git does not say whether it changed."""

    path: str
    """Relative to the top of the repository; a directory ends with a slash."""
    why: str
    """Such as `which git ignores`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What git says."""

    base: str | None
    """The commit that was compared with; `None` when there is none."""
    head: str | None
    """The commit that was compared; `None` stands for the work tree."""
    changes: tuple[Change, ...] = ()
    """Sorted by path."""
    everything: str | None = None
    """Why nothing can be said, so that all has to count as changed."""
    uncompared: tuple[Uncompared, ...] = ()
    """What may be another thing than it was without being among the changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a service is affected."""

    path: str
    """What changed, relative to the project's root; empty where it is no file."""
    text: str
    """How it gets into the service, for example `COPY at services/rag/Dockerfile:41`."""
    span: SourceSpan | None = None
    """The place that says so."""

    def __str__(self) -> str:
        return f"{self.path} <- {self.text}" if self.path else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedService:
    """What has to be done about one service; one without reasons is not affected."""

    name: str
    builds: bool
    """Whether the project builds its image at all."""
    build: tuple[Reason, ...] = ()
    """Why its image has to be built."""
    smoke: tuple[Reason, ...] = ()
    """Why it has to be smoke-tested, where not because its image is built."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All of them, those for a build first."""
        return (*self.build, *self.smoke)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDigest:
    """What the image of a service is built from, in one digest; equal ones mean that nothing has to be built."""

    service: str
    digest: str | None
    """`sha256:` and 64 digits; `None` where an input is not known until it is fetched."""
    entries: tuple[tuple[str, str], ...] = ()
    """Every input and what stands for it: a git object id with its mode, a reference, a digest of a value."""
    unknown: str | None = None
    """Why there is no digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDifference:
    """One input that is not as it was recorded."""

    name: str
    was: str | None
    """`None` for an input that is new."""
    now: str | None
    """`None` for one that is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The inputs of a service beside those that its image was last built from."""

    today: InputDigest
    recorded: str | None = None
    """The digest that it is compared with; `None` when none was recorded."""
    differs: tuple[InputDifference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Which services a change touches."""

    project: str
    changes: Changes
    services: tuple[AffectedService, ...]
    """Every service of the project, sorted by name."""
    notes: tuple[str, ...] = ()
    """What was assumed or could not be followed."""
    warnings: tuple[str, ...] = ()
    """What Compose warns of."""
    explanations: tuple[Explanation, ...] = ()
    """Where it was asked for, of every service that is built."""

    @property
    def to_build(self) -> tuple[str, ...]:
        """The services whose images have to be built."""
        return tuple(each.name for each in self.services if each.build)

    @property
    def to_smoke(self) -> tuple[str, ...]:
        """The services that have to be smoke-tested."""
        return tuple(each.name for each in self.services if each.reasons)
