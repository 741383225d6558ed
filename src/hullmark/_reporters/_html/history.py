"""How the sizes of a service have gone, as a line to be drawn and a table that says the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._reporters.history import commit_shown, counted, creep_told, findings_shown, step_told
from hullmark.model.size import format_change, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.history import ServiceHistory

WIDTH, HEIGHT = 1000, 200
_MARGIN = 20
"""That the line keeps from the edges of the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One record on the chart."""

    x: float
    y: float
    step: bool
    """Whether a new level begins there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One service."""

    service: str
    said: str
    """What the chart shows, in a sentence."""
    dots: tuple[Dot, ...]
    """Nothing where fewer than two sizes are known."""
    most: str
    least: str
    first: str
    last: str
    steps: tuple[str, ...]
    trend: str
    creeps: bool
    rows: tuple[tuple[str, ...], ...]
    """Date, commit, unpacked, change, transfer, start, findings and vulnerabilities of each record, the newest last."""

    @property
    def points(self) -> str:
        """The line, as SVG writes it."""
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.dots)


def charts(histories: Iterable[ServiceHistory]) -> tuple[Chart, ...]:
    """A chart of each service that something is recorded of."""
    return tuple(_chart(each) for each in histories if each.records)


def _chart(history: ServiceHistory) -> Chart:
    sized = [(each, each.unpacked) for each in history.records if each.unpacked is not None]
    sizes = [size for _, size in sized]
    least, most = min(sizes, default=0), max(sizes, default=0)
    begins = [step.after for step in history.steps]
    across = (WIDTH - 2 * _MARGIN) / max(len(sizes) - 1, 1)
    down = (HEIGHT - 2 * _MARGIN) / max(most - least, 1)
    dots = tuple(
        Dot(
            x=_MARGIN + at * across,
            y=HEIGHT / 2 if most == least else HEIGHT - _MARGIN - (size - least) * down,
            step=record in begins,
        )
        for at, (record, size) in enumerate(sized)
    )
    first, last = history.records[0].time, history.records[-1].time
    known = len(dots) > 1
    return Chart(
        service=history.service,
        said=f"Unpacked size in {len(sizes)} records, from {format_size(sizes[0])} to {format_size(sizes[-1])}"
        if known
        else "",
        dots=dots if known else (),
        most=format_size(most),
        least="" if most == least else format_size(least),
        first=f"{first:%Y-%m-%d}",
        last=f"{last:%Y-%m-%d}",
        steps=tuple(step_told(step) for step in history.steps),
        trend=creep_told(history.creep, history.limit),
        creeps=history.creeps,
        rows=_rows(history),
    )


def _rows(history: ServiceHistory) -> tuple[tuple[str, ...], ...]:
    found = []
    before: int | None = None
    for record in history.records:
        size = record.unpacked
        found.append(
            (
                f"{record.time:%Y-%m-%d %H:%M}",
                commit_shown(record),
                "" if size is None else format_size(size),
                "" if size is None or before is None or size == before else format_change(size - before),
                "" if record.transfer is None else format_size(record.transfer),
                "" if record.start is None else f"{record.start:.1f} s",
                findings_shown(record, history),
                counted(record.vulnerabilities),
            )
        )
        before = before if size is None else size
    return tuple(found)
