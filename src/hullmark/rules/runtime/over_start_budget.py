"""Service takes longer to come up than its start-up budget.

What it checks
    Every service of the stack under test that has a `start-budget`: the time from the start of its container until its
    health check passes; without a health check until its probes pass; of one that completes, until it has. Time that
    it waits for others before it is started does not count.

Why it matters
    Every deployment, every restart after a crash and every run of the tests waits for it.

How to fix
    Look at the log for what it does while it starts: migrations, downloads, caches that are filled, imports. A health
    check is tried once each `interval`, so that a long one makes a quick start look slow: give it a `start_period` and
    a `start_interval`. When it is worth it, raise the budget in `hullmark.toml`:

        [services.rag]
        start-budget = "20 s"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.duration import format_duration
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun


@rule(summary="service starts too slowly", severity=Severity.ERROR, since="0.1")
def over_start_budget(run: ServiceRun) -> Iterator[Observation]:
    budget, took = run.start_budget, run.start_took
    if budget is None or not run.ready:
        return
    if took is None:
        yield Observation(
            location=budget.origin,
            seen="nothing says when it is up: it has no health check, and no probes",
            expected=f"up within {format_duration(budget.seconds)}",
            remedy=f"give `{run.service}` a health check, or probes (`[[services.{run.service}.probes]]`)",
            key="start-budget",
        )
    elif took > budget.seconds:
        over = format_duration(took - budget.seconds)
        yield Observation(
            location=budget.origin,
            seen=f"up {format_duration(took)} after its start, {over} over",
            expected=f"at most {format_duration(budget.seconds)}",
            remedy="see in its log what it does meanwhile, let its health check be tried more often, or raise "
            "`start-budget` here",
            key="start-budget",
        )
