"""Secrets that were found: where, what, and how to know them again, but never themselves."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.attribution import Origin
    from hullmark.model.finding import Severity
    from hullmark.model.location import Location
    from hullmark.model.owner import Owner


class Whereabouts(enum.StrEnum):
    """Who gets to see a secret, and how."""

    VISIBLE = "visible"
    """Every container of the image has it in its files."""
    BURIED = "buried"
    """A later layer deletes or replaces the file; whoever has the image has the layer."""
    RECORDED = "recorded"
    """It stands in the configuration or the history of the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """All that is kept of a secret."""

    format: str
    """The id of its format, such as `github-token`."""
    what: str
    """The same in words: `a GitHub token`."""
    shown: str
    """Its first and last characters."""
    hash: str
    """The beginning of its SHA-256: `sha256:` and 16 hexadecimal digits."""

    def __str__(self) -> str:
        return f"{self.what}, {self.shown} ({self.hash})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret in one file of one layer, or at one place of the configuration."""

    likeness: Likeness
    whereabouts: Whereabouts
    layer: int | None = None
    """Index of the layer, from the bottom; `None` for what is recorded."""
    row: int = -1
    """Of the file in the table of the layer."""
    path: str = ""
    offset: int = 0
    """Of its first byte in the file."""
    key: str = ""
    """Where it is recorded: `Env.TOKEN`, `history[3]`."""
    package: Owner | None = None
    """The package that brought the file as it is, which others have as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found in all layers of one image, and how much was not looked at."""

    secrets: tuple[Secret, ...] = ()
    """In the order of layers and files; those of packages are not among them."""
    packaged: tuple[Secret, ...] = ()
    """Those that packages brought: test keys, examples."""
    archives: int = 0
    """Files that are archives or compressed themselves, whose contents nobody looked into."""
    dropped: int = 0
    """Secrets beyond the most that are kept of one layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSecret:
    """One secret in a file that is in no image yet."""

    path: str
    """Relative to the build context, or to the project, with forward slashes."""
    line: int
    likeness: Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found in the files of a build context, and how much was not looked at."""

    secrets: tuple[FileSecret, ...] = ()
    """In the order of the files."""
    unread: int = 0
    """Files that could not be read, or are the largest of more than is looked through."""
    unread_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedSecret:
    """One secret of an image, as the rules look at it."""

    secret: Secret
    image: str
    layers: int
    """Of the image."""
    location: Location
    severity: Severity | None = None
    """What the project says of its whereabouts, where it does."""
    written: Origin | None = None
    """What wrote it, as far as that is known."""
    hidden: Origin | None = None
    """What hides the file: the step of a later layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPolicy:
    """What a project says of secrets, in `[secrets]`."""

    severities: tuple[tuple[Whereabouts, Severity | None], ...] = ()
    """`None` for those that are of no interest."""
    allow: frozenset[str] = field(default_factory=frozenset)
    """The beginnings of hashes of what is no secret, or of one that everybody may have."""

    def severity(self, whereabouts: Whereabouts) -> Severity | None:
        """How bad one of these is; `None` where the rule's own severity counts, or it is off."""
        return dict(self.severities).get(whereabouts)

    def off(self, whereabouts: Whereabouts) -> bool:
        """Whether these are of no interest."""
        severities = dict(self.severities)
        return whereabouts in severities and severities[whereabouts] is None

    def allows(self, hash: str) -> bool:  # noqa: A002  # what it is
        """Whether a secret with that hash is fine."""
        return any(each.startswith(hash) or hash.startswith(each) for each in self.allow)
