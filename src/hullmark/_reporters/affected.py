"""What a change touches, for a person, for a program, and for the next job of a workflow."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.affected import Affected, Explanation, Reason

SCHEMA = "hullmark/affected/1"
FORMATS = ("text", "json", "github")
_MOST = 5
"""Reasons of a service that are shown one by one."""
_SHORT = 12


def text(affected: Affected) -> Iterator[str]:
    """The lines of the report; of many reasons for one service the first ones."""
    yield f"{_compared(affected)}\n"
    for title, names in (("build", affected.to_build), ("smoke-test", affected.to_smoke)):
        yield f"\n{title}\n" if names else f"\n{title}: nothing\n"
        for service in affected.services:
            if service.name not in names:
                continue
            reasons = service.build if title == "build" else service.smoke
            if title == "smoke-test" and not reasons:
                yield f"  {service.name}: its image is built\n"
            for reason in reasons[:_MOST]:
                yield f"  {service.name}: {printable(str(reason))}\n"
            if len(reasons) > _MOST:
                yield f"  {service.name}: and {len(reasons) - _MOST:,} more reasons\n"
    for explanation in affected.explanations:
        yield from _explained(explanation)
    untouched = [each.name for each in affected.services if not each.reasons]
    if untouched:
        yield f"\nnot affected: {', '.join(untouched)}\n"
    for note in affected.notes:
        yield f"note: {printable(note)}\n"


def _compared(affected: Affected) -> str:
    changes = affected.changes
    if changes.everything:
        return f"everything counts as changed: {printable(changes.everything)}"
    head = "the work tree" if changes.head is None else changes.head[:_SHORT]
    number = len(changes.changes)
    return f"{number:,} change{'' if number == 1 else 's'} between {(changes.base or '')[:_SHORT]} and {head}"


def _explained(explanation: Explanation) -> Iterator[str]:
    today = explanation.today
    yield f"\ninputs of {today.service}\n"
    if today.digest is None:
        yield f"  no digest: {printable(today.unknown or '')}\n"
        return
    yield f"  {today.digest}\n"
    if explanation.recorded is None:
        yield "  nothing is recorded to compare it with\n"
    elif explanation.recorded == today.digest:
        yield "  as recorded\n"
    for each in explanation.differs:
        what = "new" if each.was is None else "gone" if each.now is None else f"{each.was} -> {each.now}"
        yield f"  {printable(each.name)}: {printable(what)}\n"


def github(affected: Affected) -> str:
    """The lines for the file that GITHUB_OUTPUT names.

    `any` says whether the matrix has anything in it: a job with an empty matrix is an error there.
    """
    return (
        f"matrix={_compact({'service': affected.to_build})}\n"
        f"smoke={_compact(affected.to_smoke)}\n"
        f"any={'true' if affected.to_build else 'false'}\n"
    )


def _compact(value: dict[str, Sequence[str]] | Sequence[str]) -> str:
    return dumps(value, separators=(",", ":"))


# --- for programs ----------------------------------------------------------------------------------------------------


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
