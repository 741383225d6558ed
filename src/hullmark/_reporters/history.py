"""What was measured of each service, commit after commit, for a person; `history_v1` is for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.history import FEWEST
from hullmark.model.size import format_change, format_size
from hullmark.model.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hullmark.model.history import Creep, Record, ServiceHistory, Step

_LEVELS = "▁▂▃▄▅▆▇█"
_COMMIT = 8
"""Digits of a commit that are shown."""
_HEAD = ("date", "commit", "unpacked", "change", "transfer", "start", "findings", "vuln.")
_WIDTHS = (10, 9, 10, 11, 10, 7, 8, 6)
"""Columns; with a space between them they fit into 80."""
_FEWER = "; * where not all of them were made"
NOTHING = "nothing is recorded yet; `hullmark check --record` does it\n"


def text(histories: Sequence[ServiceHistory], *, nothing: str = NOTHING) -> Iterator[str]:
    """The lines of the report; a table for each service, its newest record last, and `nothing` where there is none."""
    if not histories:
        yield nothing
    for at, history in enumerate(histories):
        if at:
            yield "\n"
        yield from _service(history)
    if any(each.checkout.dirty for history in histories for each in history.records):
        yield "\n+ with changes that were not committed; steps and trends leave it out\n"


def sparkline(values: Sequence[float]) -> str:
    """`values` as a line of characters, the lowest as the smallest one; all of them where none differs."""
    lowest, highest = min(values), max(values)
    if lowest == highest:
        return _LEVELS[0] * len(values)
    scale = (len(_LEVELS) - 1) / (highest - lowest)
    return "".join(_LEVELS[round((value - lowest) * scale)] for value in values)


def commit_shown(record: Record) -> str:
    """What a person calls the state that was measured."""
    return f"{(record.checkout.commit or '-')[:_COMMIT]}{'+' if record.checkout.dirty else ''}"


def counted(counts: Iterable[tuple[str, int]] | None) -> str:
    """How many there are of all severities; empty where that is not known."""
    return "" if counts is None else f"{sum(number for _, number in counts):,}"


def findings_shown(record: Record, history: ServiceHistory) -> str:
    """How many findings a record has, marked where others tell of more checks."""
    return f"{counted(record.findings)}{'*' if history.fewer(record) else ''}"


def step_told(step: Step) -> str:
    """Where a step is, how large, and whose bytes they are."""
    owners = ", ".join(f"{printable(name)} {format_change(change)}" for name, change in step.owners)
    at = f"{format_change(step.change)} ({step.share:+.1%}) at {commit_shown(step.after)}"
    return f"{at} of {step.after.time:%Y-%m-%d}{f': {owners}' if owners else ''}"


def creep_told(creep: Creep | None, limit: float) -> str:
    """By how much an image creeps, and by how much it may."""
    if creep is None:
        return f"not known with fewer than {FEWEST} records"
    return (
        f"{format_change(creep.bytes)} ({creep.share:+.1%}) over {creep.records} records, "
        f"{'more than' if creep.share > limit else 'within'} {limit * 100:g}%"
    )


def _service(history: ServiceHistory) -> Iterator[str]:
    records = history.records
    sizes = [each.unpacked for each in records if each.unpacked is not None]
    yield f"{printable(history.service)}\n"
    if sizes:
        # What goes first when there are too many for a line is the oldest.
        shown = sizes[-40:]
        yield f"  {sparkline(shown)}  {format_size(sizes[0])} to {format_size(sizes[-1])}\n"
    yield f"  {_line(_HEAD)}"
    before: int | None = None
    for record in records:
        change = None if record.unpacked is None or before is None else record.unpacked - before
        yield f"  {_line(_cells(record, change, history))}"
        before = before if record.unpacked is None else record.unpacked
    if history.counted:
        yield f"  findings: of {', '.join(sorted(history.counted))}{_FEWER if any(map(history.fewer, records)) else ''}\n"
    for step in history.steps:
        yield f"  step: {shortened(step_told(step), 70)}\n"
    yield f"  trend: {creep_told(history.creep, history.limit)}\n"


def _cells(record: Record, change: int | None, history: ServiceHistory) -> tuple[str, ...]:
    return (
        f"{record.time:%Y-%m-%d}",
        commit_shown(record),
        "" if record.unpacked is None else format_size(record.unpacked),
        "" if not change else format_change(change),
        "" if record.transfer is None else format_size(record.transfer),
        "" if record.start is None else f"{record.start:.1f} s",
        findings_shown(record, history),
        counted(record.vulnerabilities),
    )


def _line(cells: tuple[str, ...]) -> str:
    aligned = [
        f"{cell:<{width}}" if at < 2 else f"{cell:>{width}}"  # noqa: PLR2004  # date and commit
        for at, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return f"{' '.join(aligned).rstrip()}\n"
