"""Brings the stack up, and says of each service what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._checks.sharing import ALL_ASLEEP, guarded
from hullmark._smoke import smoke
from hullmark.model.drill import Undrilled
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped

if TYPE_CHECKING:
    from hullmark._checks.run import Run
    from hullmark.model.drill import DrillRun
    from hullmark.model.outcome import Outcome
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import LinkRun, LogRun, ProbeRun, StackRun


def smoke_stack(run: Run) -> None:
    """Tests an isolated copy of the whole stack, where every image of it could be built."""
    started = time.monotonic()
    if not run.project.services:
        run.add(Check.SMOKE, None, Skipped(reason=ALL_ASLEEP, moot=True), started)
        return
    failed = run.failed_builds()
    if failed:
        run.add(
            Check.SMOKE, None, Skipped(reason=f"no image of {', '.join(sorted(failed))} to start"), started
        )
        return

    def work() -> Outcome:
        run.stack = smoke(
            run.project,
            run.surroundings.engine,
            run.surroundings.commands,
            run.surroundings.progress,
            run.aftermath,
        )
        return Ran()

    outcome = guarded(work)
    if run.stack is None:
        run.add(Check.SMOKE, None, outcome, started)
        return
    stack, seconds = run.stack, run.stack.seconds
    outcomes = {service.service: _outcome(stack, service) for service in stack.services}
    outcomes |= {name: _unwanted_outcome(stack, name) for name in stack.unwanted}
    for name, result in sorted(outcomes.items()):
        run.results.append(CheckResult(check=Check.SMOKE, service=name, outcome=result, seconds=seconds))
    if stack.artifacts_error:
        run.add(Check.SMOKE, None, Broken(error=stack.artifacts_error), started)
    if stack.teardown_error:
        error = f"the stack was tested, but not all of it could be removed: {stack.teardown_error}"
        run.add(Check.SMOKE, None, Broken(error=error), started)
    else:
        passed = all(
            (isinstance(outcome, Ran) and not outcome.findings)
            or (isinstance(outcome, Skipped) and outcome.moot)
            for outcome in outcomes.values()
        )
        came = stack.states if stack.ready else "the stack does not work"
        text = f"{came}; {stack.tally}; in {format_duration(seconds)}"
        run.surroundings.progress.end(Check.SMOKE, None, text, good=passed)


def _outcome(stack: StackRun, service: ServiceRun) -> Outcome:
    """What the run of the stack says of one service."""
    name = service.service
    findings = apply(service, name)
    probes: list[ProbeRun] = [probe for probe in stack.probes if probe.service == name]
    links: list[LinkRun] = [link for link in stack.links if link.link.from_service == name]
    logs: list[LogRun] = [log for log in stack.logs if log.service == name]
    drills: list[DrillRun] = [drill for drill in stack.drills if drill.service == name]
    for observed in (*probes, *links, *logs, *drills):
        findings += apply(observed, name)
    if untried := _untried(stack, name) or (_undrilled(drills) if service.ready else ""):
        return Broken(error=untried, findings=findings)
    if findings:
        return Ran(findings=findings)
    if not service.ready:
        behind = stack.blocked_by(name)
        return Skipped(reason=f"not started: waits for {behind}" if behind else _unready(service))
    return Ran()


def _unready(service: ServiceRun) -> str:
    """Why nothing is said of a service that has not failed, and that waits for none."""
    if service.unsettled and service.ran is not None:
        return f"had run {format_duration(service.ran)} when the run ended, too short to be believed"
    return "still starting when the run ended"


def _undrilled(drills: list[DrillRun]) -> str:
    """Why not all of `drills`, which are those of one service, were carried out; empty when they were."""
    broken: dict[str, list[str]] = {}
    for run in drills:
        if isinstance(run.result, Undrilled):
            names = broken.setdefault(run.result.error, [])
            names += [str(run.drill)] if str(run.drill) not in names else []
    return "; ".join(f"not drilled ({', '.join(names)}): {error}" for error, names in broken.items())


def _unwanted_outcome(stack: StackRun, name: str) -> Outcome:
    """What is said of a service of which the project wants no container."""
    if untried := _untried(stack, name):
        return Broken(error=untried)
    return Skipped(reason="no container of it is wanted (`scale` or `deploy.replicas` is 0)", moot=True)


def _untried(stack: StackRun, name: str) -> str:
    """Why not everything that is configured for the service `name` was tried; empty when it was."""
    reasons = [each.reason for each in stack.unprobed if each.service == name]
    # Nobody has asked for what was derived.
    reasons += [
        each.reason for each in stack.untried if each.link.from_service == name and not each.link.derived
    ]
    text = "; ".join(dict.fromkeys(reasons))
    unread = "; ".join(dict.fromkeys(log.error for log in stack.logs if log.service == name and log.error))
    tried = stack.tried and name not in stack.unwanted
    text = text if tried or not text else f"its probes and links were not tried: {text}"
    return "; ".join(filter(None, (text, unread)))
