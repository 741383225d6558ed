"""Secrets that were found: where, what, and how to know them again, but never themselves."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from hullmark.model.attribution import Origin
    from hullmark.model.finding import Severity
    from hullmark.model.location import Location, SourceSpan
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


def is_hash_of(one: str, other: str) -> bool:
    """Whether two hashes, of which each may be the beginning only, are of the same."""
    return one.startswith(other) or other.startswith(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedSecret:
    """What is no secret, or one that everybody may have."""

    hash: str
    """Its beginning."""
    reason: str = ""
    expires: dt.date | None = None
    """The last day on which it holds."""
    owner: str | None = None
    """Whom to ask about it."""
    origin: SourceSpan | None = None

    def covers(self, likeness: Likeness, today: dt.date) -> bool:
        """Whether it lets a secret pass on the day `today`; the last day counts."""
        return is_hash_of(self.hash, likeness.hash) and (self.expires is None or today <= self.expires)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSeverity:
    """How bad secrets of one format are."""

    format: str
    severity: Severity | None
    """`None` for those that are of no interest."""
    origin: SourceSpan
    whereabouts: Whereabouts | None = None
    """Only there; everywhere where `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPolicy:
    """What a project says of secrets, in `[secrets]`."""

    severities: tuple[tuple[Whereabouts, Severity | None], ...] = ()
    """`None` for those that are of no interest."""
    formats: tuple[FormatSeverity, ...] = ()
    """What is said of a format counts before that."""
    allow: tuple[AllowedSecret, ...] = ()

    def severity(self, whereabouts: Whereabouts, format: str = "") -> Severity | None:  # noqa: A002  # what it is
        """How bad one of these is; `None` where the rule's own severity counts, or it is off."""
        return self._told(whereabouts, format)[0]

    def off(self, whereabouts: Whereabouts, format: str = "") -> bool:  # noqa: A002  # as above
        """Whether these are of no interest."""
        return self._told(whereabouts, format) == (None, True)

    def _told(self, whereabouts: Whereabouts, format: str) -> tuple[Severity | None, bool]:  # noqa: A002  # as above
        """What is said of these, and whether anything is: what says more precisely which ones counts first."""
        for place in (whereabouts, None):
            for each in self.formats:
                if each.format == format and each.whereabouts is place:
                    return each.severity, True
        severities = dict(self.severities)
        return severities.get(whereabouts), whereabouts in severities

    def allows(self, likeness: Likeness, today: dt.date) -> bool:
        """Whether a secret is fine on that day."""
        return any(each.covers(likeness, today) for each in self.allow)
