"""What was measured of each service, for programs: the types here are what is promised to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.history import Record, ServiceHistory, Step

SCHEMA = "hullmark/history/1"


class ToolH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote it."""

    name: Literal["hullmark"]
    version: str


class SizesH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes; null stands for what is not known. `update` is what a host with the previous image pulls."""

    transfer: int | None
    unpacked: int | None
    visible: int | None
    masked: int | None
    update: int | None


class OwnerH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Visible bytes of one owner, all of its versions together."""

    kind: str
    name: str
    bytes: int


class RecordH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record; `start_s` is the time from the start of the container until it was up."""

    time: str
    commit: str | None
    branch: str | None
    dirty: bool
    size: SizesH1
    owners: list[OwnerH1]
    start_s: float | None
    findings: dict[str, int] | None
    """Of all `checks` together; null where none was made."""
    checks: dict[str, dict[str, int]]
    """Of each check that was made."""
    vulnerabilities: dict[str, int] | None


class OwnerChangeH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By how much the bytes of an owner changed."""

    name: str
    change: int


class StepH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of the unpacked size that stayed: `record` is the position of the first record with it."""

    record: int
    commit: str | None
    change: int
    share: float
    owners: list[OwnerChangeH1]


class TrendH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By how much the unpacked size grew, its largest step and outliers aside; `limit` is how much it may."""

    records: int
    change: int
    share: float
    limit: float
    exceeded: bool


class ServiceH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service; the newest record is the last, and `trend` is null where there are too few."""

    name: str
    records: list[RecordH1]
    steps: list[StepH1]
    trend: TrendH1 | None


class HistoryH1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured of a project."""

    schema: Literal["hullmark/history/1"]
    tool: ToolH1
    project: str
    branch: str | None
    services: list[ServiceH1]


def json(histories: Iterable[ServiceHistory], *, project: str, branch: str | None) -> str:
    """The report as JSON."""
    return written(
        HistoryH1(
            schema="hullmark/history/1",
            tool=ToolH1(name="hullmark", version=__version__),
            project=project,
            branch=branch,
            services=[_service(each) for each in histories],
        )
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of what `json` writes."""
    return schema_of(HistoryH1, SCHEMA)


def _service(history: ServiceHistory) -> ServiceH1:
    creep = history.creep
    return ServiceH1(
        name=history.service,
        records=[_record(each) for each in history.records],
        steps=[_step(each, history.records.index(each.after)) for each in history.steps],
        trend=None
        if creep is None
        else TrendH1(
            records=creep.records,
            change=creep.bytes,
            share=creep.share,
            limit=history.limit,
            exceeded=history.creeps,
        ),
    )


def _step(step: Step, position: int) -> StepH1:
    return StepH1(
        record=position,
        commit=step.after.checkout.commit,
        change=step.change,
        share=step.share,
        owners=[OwnerChangeH1(name=name, change=change) for name, change in step.owners],
    )


def _record(record: Record) -> RecordH1:
    return RecordH1(
        time=record.time.isoformat(),
        commit=record.checkout.commit,
        branch=record.checkout.branch,
        dirty=record.checkout.dirty,
        size=SizesH1(
            transfer=record.transfer,
            unpacked=record.unpacked,
            visible=record.visible,
            masked=record.masked,
            update=record.update,
        ),
        owners=[OwnerH1(kind=each.kind, name=each.name, bytes=each.bytes) for each in record.owners],
        start_s=record.start,
        findings=None if record.findings is None else dict(record.findings),
        checks={check: dict(counts) for check, counts in record.checks},
        vulnerabilities=None if record.vulnerabilities is None else dict(record.vulnerabilities),
    )
