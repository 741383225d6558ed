"""When each service of the stack was created, started and up, drawn with characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import StackRun

BAR = 24
"""Columns of a service's time line."""
LEGEND = "created ·  starting ─  running ━"


def drawn(stack: StackRun) -> dict[str, str]:
    """The time line of each service, all to the same scale."""
    whole = max((_last(run) for run in stack.services), default=0.0)
    return {run.service: _bar(run, whole) for run in stack.services}


def _bar(run: ServiceRun, whole: float) -> str:
    def column(at: float) -> int:
        return round(at / whole * BAR) if whole else 0

    if run.created is None:
        return ""
    created = column(run.created)
    started = column(run.started) if run.started is not None else created
    healthy = column(run.healthy) if run.healthy is not None else started
    if run.started is None:
        return f"{' ' * created}·"
    if run.healthy is None:
        return f"{' ' * created}{'·' * (started - created)}{'─' if run.has_health_check else '━'}"
    return f"{' ' * created}{'·' * (started - created)}{'─' * (healthy - started)}━"


def _last(run: ServiceRun) -> float:
    return max(run.created or 0.0, run.started or 0.0, run.healthy or 0.0)
