"""The types of what a change touches, for programs: what is promised to them, and `affected_json` writes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hullmark._reporters.document import schema_of

SCHEMA = "hullmark/affected/1"


class ToolA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote it."""

    name: Literal["hullmark"]
    version: str


class ChangeA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One path that differs, relative to the top of the repository; `old` is what a renamed one was called."""

    path: str
    kind: Literal["added", "deleted", "modified", "mode", "type", "renamed", "untracked"]
    old: str | None


class ReasonA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a service is affected; `path` is what changed, where it is a file, and `file`, `line` say what takes it."""

    path: str | None
    text: str
    file: str | None
    line: int | None


class DifferenceA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input that is not as it was recorded; null stands for one that is not there."""

    name: str
    was: str | None
    now: str | None


class InputsA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an image is built from; `entries` says by which value each input is known."""

    digest: str | None
    unknown: str | None
    entries: dict[str, str]
    recorded: str | None
    differs: list[DifferenceA1]


class ServiceA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service; `inputs` is null unless they were asked for."""

    name: str
    build: bool
    smoke: bool
    build_reasons: list[ReasonA1]
    smoke_reasons: list[ReasonA1]
    inputs: InputsA1 | None


class AffectedA1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which services a change touches; `everything` says why all of them count as touched."""

    schema: Literal["hullmark/affected/1"]
    tool: ToolA1
    project: str
    base: str | None
    head: str | None
    everything: str | None
    build: list[str]
    smoke: list[str]
    services: list[ServiceA1]
    changes: list[ChangeA1]
    notes: list[str]


def schema() -> dict[str, Any]:
    """The JSON Schema of what is written."""
    return schema_of(AffectedA1, SCHEMA)
