"""What a change touches, for programs: the types here are what is promised to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written

if TYPE_CHECKING:
    from hullmark.model.affected import Affected, Explanation, Reason

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


def json(affected: Affected) -> str:
    """The report as JSON."""
    inputs = {each.today.service: _inputs(each) for each in affected.explanations}
    described = AffectedA1(
        schema="hullmark/affected/1",
        tool=ToolA1(name="hullmark", version=__version__),
        project=affected.project,
        base=affected.changes.base,
        head=affected.changes.head,
        everything=affected.changes.everything,
        build=list(affected.to_build),
        smoke=list(affected.to_smoke),
        services=[
            ServiceA1(
                name=each.name,
                build=bool(each.build),
                smoke=bool(each.reasons),
                build_reasons=[_reason(reason) for reason in each.build],
                smoke_reasons=[_reason(reason) for reason in each.smoke],
                inputs=inputs.get(each.name),
            )
            for each in affected.services
        ],
        changes=[
            ChangeA1(
                path=each.path,
                kind=each.kind.value,
                old=each.old,
            )
            for each in affected.changes.changes
        ],
        notes=list(affected.notes),
    )
    return written(described)


def schema() -> dict[str, Any]:
    """The JSON Schema of what `json` writes."""
    return schema_of(AffectedA1, SCHEMA)


def _reason(reason: Reason) -> ReasonA1:
    return ReasonA1(
        path=reason.path or None,
        text=reason.text,
        file=None if reason.span is None else reason.span.path,
        line=None if reason.span is None else reason.span.line,
    )


def _inputs(explanation: Explanation) -> InputsA1:
    today = explanation.today
    return InputsA1(
        digest=today.digest,
        unknown=today.unknown,
        entries=dict(today.entries),
        recorded=explanation.recorded,
        differs=[DifferenceA1(name=each.name, was=each.was, now=each.now) for each in explanation.differs],
    )
