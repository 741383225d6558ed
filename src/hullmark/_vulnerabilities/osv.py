"""A record as the OSV format has it; what is not needed to find and to judge a vulnerability is left out.

https://ossf.github.io/osv-schema/
"""

from __future__ import annotations

from typing import Any

import msgspec


class WrongSchema(ValueError):
    """The bytes are no record of a version of the format that can be read."""


class Severity(msgspec.Struct, frozen=True):
    """A rating: a CVSS vector, or the word of a distribution."""

    type: str
    score: str


class Package(msgspec.Struct, frozen=True):
    """What is affected."""

    ecosystem: str
    name: str


class Event(msgspec.Struct, frozen=True):
    """A point in the order of versions; one of these is there."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(msgspec.Struct, frozen=True):
    """A range of versions, told by events."""

    type: str
    events: tuple[Event, ...]


class Affected(msgspec.Struct, frozen=True):
    """Versions of one package that have the vulnerability."""

    package: Package | None = None
    ranges: tuple[Range, ...] | None = None
    versions: tuple[str, ...] | None = None
    severity: tuple[Severity, ...] | None = None
    ecosystem_specific: dict[str, Any] | None = None
    database_specific: dict[str, Any] | None = None


class Advisory(msgspec.Struct, frozen=True):
    """One record."""

    id: str
    modified: str
    schema_version: str | None = None
    published: str | None = None
    withdrawn: str | None = None
    aliases: tuple[str, ...] | None = None
    upstream: tuple[str, ...] | None = None
    related: tuple[str, ...] | None = None
    summary: str | None = None
    severity: tuple[Severity, ...] | None = None
    affected: tuple[Affected, ...] | None = None
    database_specific: dict[str, Any] | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(Advisory)
_KINDS = frozenset({"SEMVER", "ECOSYSTEM", "GIT"})


def read(content: bytes) -> Advisory:
    """The record; raises `WrongSchema` for anything else, and for versions of the format that are not out yet."""
    try:
        advisory = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WrongSchema(str(error)) from error
    major = (advisory.schema_version or "1").partition(".")[0]
    if major != "1":
        raise WrongSchema(f"version {advisory.schema_version} of the format; version 1 can be read")
    if not advisory.id or not advisory.modified:
        raise WrongSchema("the record has no ID, or does not say when it was changed")
    for affected in advisory.affected or ():
        for each in affected.ranges or ():
            if each.type not in _KINDS:
                raise WrongSchema(f"`{each.type}` is no type of range")
            if not all(_is_event(event) for event in each.events):
                raise WrongSchema("an event of a range says nothing, or several things at once")
    return advisory


def _is_event(event: Event) -> bool:
    return (event.introduced, event.fixed, event.last_affected, event.limit).count(None) == len(
        Event.__struct_fields__
    ) - 1
