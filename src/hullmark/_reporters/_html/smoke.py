"""When each service of the stack came up, to be drawn as a time line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.duration import format_duration
from hullmark.model.service_run import State

if TYPE_CHECKING:
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import StackRun

WIDE = 1000
"""Width of the drawing in its own units."""
_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of time in the life of a service, in units of the drawing."""

    kind: str
    """`waiting`, `starting`, `up` or `failed`."""
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One service on the time line."""

    run: ServiceRun
    bars: tuple[Bar, ...]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The services by when they were started, and the times at which a line is drawn."""

    lives: tuple[Life, ...]
    ticks: tuple[tuple[float, str], ...]


def timeline(stack: StackRun) -> Timeline:
    """The time line of `stack`; it ends with the last thing that is known to have happened."""
    moments = [at for run in stack.services for at in (run.created, run.started, run.up_at, run.ended) if at]
    end = max([*moments, 0.1]) * 1.04
    step = _step(end)
    return Timeline(
        lives=tuple(
            _life(run, end)
            for run in sorted(
                stack.services, key=lambda run: (run.started is None, run.started or 0, run.service)
            )
        ),
        ticks=tuple(
            (number * step / end * WIDE, f"{number * step:g} s") for number in range(int(end / step) + 1)
        ),
    )


def _step(end: float) -> float:
    """A round number of seconds that `end` has at most a handful of."""
    rough = end / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _life(run: ServiceRun, end: float) -> Life:
    bars: list[Bar] = []

    def add(kind: str, start: float | None, stop: float | None) -> None:
        if start is not None and stop is not None and stop >= start:
            bars.append(Bar(kind=kind, start=start / end * WIDE, width=max((stop - start) / end * WIDE, 2)))

    up, done = run.up_at, run.ended
    add("waiting", run.created, run.started)
    if up is not None:
        add("starting", run.started, up)
        add("up", up, end if done is None or done < up else done)
    else:
        add("starting" if run.ready else "failed", run.started, end if done is None else done)
    return Life(run=run, bars=tuple(bars), said=_said(run, up))


def _said(run: ServiceRun, up: float | None) -> str:
    if not run.ready:
        return run.fate
    if run.state is State.COMPLETED:
        return "completed" if run.ended is None else f"completed after {format_duration(run.ended)}"
    return str(run.state) if up is None else f"{run.state} after {format_duration(up)}"
