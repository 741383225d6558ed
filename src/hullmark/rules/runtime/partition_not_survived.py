"""Caller does not tell that it is cut off, or does not recover.

What it checks
    With the drill `partition`, the service that a link calls is taken out of the networks that it shares with the
    caller, for a while. The caller must tell: its health check or one of its probes fails. With `degrades = true` the
    link says that it can do without: it must stay healthy and answer its probes. In both cases everything must work
    again when the network is back.

Why it matters
    A service that says it is well while it cannot do its work gets requests that it cannot answer, and nobody is called.
    One that could do without, and does not, makes a small failure a large one.

How to fix
    Decide which of the two it is. Let the health check look at what the service cannot do without, or say that it goes on:

        [[links]]
        from = "platform"
        to = "http://rag:8001/health"
        degrades = true
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.drill import Drill, DrillRun, Failed
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="stack does not survive a cut link", severity=Severity.ERROR, since="0.1")
def partition_not_survived(run: DrillRun) -> Iterator[Observation]:
    if run.drill is Drill.PARTITION and isinstance(run.result, Failed):
        yield Observation(
            location=run.result.location or run.span,
            seen=run.result.seen,
            expected=(
                "the caller tells by its health check or a probe, or goes on where `degrades` says so, and recovers"
            ),
            remedy=run.result.remedy,
            key=run.result.key,
        )
