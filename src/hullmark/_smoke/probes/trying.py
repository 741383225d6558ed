"""One attempt after the other at a probe, until it passes or its time is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from hullmark._smoke.probes.attempt import ATTEMPT, retry
from hullmark._smoke.probes.command import execute
from hullmark._smoke.probes.filling import Filling
from hullmark._smoke.probes.flow import run_flow
from hullmark._smoke.probes.http import ask
from hullmark._smoke.probes.log import find, watch
from hullmark._smoke.probes.openapi import run_openapi
from hullmark._smoke.probes.sql import query
from hullmark._smoke.probes.tcp import connect
from hullmark.model.probe import (
    ExecProbe,
    FlowProbe,
    HttpProbe,
    LogProbe,
    OpenApiProbe,
    SqlProbe,
    TcpProbe,
)
from hullmark.model.stack import ProbeRun

if TYPE_CHECKING:
    from hullmark._smoke.probes.attempt import Answer
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import Probe
    from hullmark.model.stack import StepRun


def run_probe(stack: Stack, service: str, probe: Probe) -> ProbeRun:
    """Tries `probe` until it passes or its time is over; what the last attempt saw is in the result."""
    started = time.monotonic()
    filling = Filling.of(stack.project.settings.variables)
    answer, steps = _run(stack, service, probe, filling)
    return ProbeRun(
        service=service,
        probe=probe,
        passed=answer.passed,
        seen=answer.seen,
        seconds=time.monotonic() - started,
        steps=steps,
    )


def _run(stack: Stack, service: str, probe: Probe, filling: Filling) -> tuple[Answer, tuple[StepRun, ...]]:
    match probe:
        case FlowProbe():
            return run_flow(stack, service, probe, filling)
        case OpenApiProbe():
            return run_openapi(stack, service, probe, filling)
        case _:
            return retry(
                stack, probe.timeout, lambda left: _attempt(stack, service, probe, filling, left)
            ), ()


def _attempt(
    stack: Stack,
    service: str,
    probe: HttpProbe | TcpProbe | ExecProbe | LogProbe | SqlProbe,
    filling: Filling,
    left: float,
) -> Answer | None:
    match probe:
        case HttpProbe():
            return ask(stack, service, probe, filling, left)
        case TcpProbe():
            return connect(stack, service, probe.port, min(ATTEMPT, left))
        case ExecProbe():
            # Ending it in the middle to try again would be no help: it gets all the time there is.
            return execute(stack, service, probe, filling, left)
        case LogProbe(absent=True):
            return watch(stack, service, probe, filling, left if probe.timeout else 0.0)
        case LogProbe():
            return find(stack, service, probe, filling)
        case SqlProbe():
            return query(stack, service, probe, filling, left)
        case never:
            assert_never(never)
