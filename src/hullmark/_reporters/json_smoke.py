"""The smoke test in the JSON report, version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark.model.stack import LinkRun

if TYPE_CHECKING:
    from hullmark.model.stack import StackRun


class ServiceRunV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The life of one service in the stack under test; times in seconds since the stack was started."""

    state: str
    proven: bool
    """Whether it came up and something says that it works: a health check, probes of its own, or its end."""
    created_after_s: float | None
    started_after_s: float | None
    healthy_after_s: float | None
    answered_after_s: float | None
    """When its probes had passed, of one without a health check."""
    ended_after_s: float | None
    """When it completed, or when it was certain that it had failed."""
    restarts: int
    exit_code: int | None
    out_of_memory: bool
    blocked_by: str | None
    """What it waits for, what that waits for, and how the last of them stands."""
    health_output: str
    log: list[str]
    """The lines that say most."""


class StepV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a flow, or one path of an OpenAPI document, and its answer."""

    step: str
    passed: bool
    seen: str
    seconds: float


class LogV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often one log holds what it must not hold; `count` is null when it could not be read."""

    service: str
    pattern: str
    count: int | None
    lines: list[str]
    """The first of these lines, or why there are none."""


class ProbeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One probe and its answer; `passed` is null when it was not tried."""

    service: str
    probe: str
    passed: bool | None
    seen: str
    seconds: float
    steps: list[StepV1]
    """As far as it came; of a probe of another kind there are none."""


class LinkV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One link; `passed` is null when it could not be tried."""

    from_: str = msgspec.field(name="from")
    to: str
    derived: str | None
    """What says that there is this link; null where `hullmark.toml` declares it."""
    passed: bool | None
    seen: str
    by: str | None
    """What tried it."""
    resolved: bool | None
    """Whether the name stands for an address; this and what follows is null where it was not asked or not seen."""
    address: str | None
    connected: bool | None
    secured: bool | None
    """Whether TLS was agreed upon."""
    status: int | None
    """Of the HTTP answer."""
    seconds: float


class DrillV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One drill of one service; `seen` is why, when it was skipped or broke."""

    drill: str
    service: str
    subject: str | None
    """What of the service was drilled, where that is not all of it: the link that was cut."""
    status: Literal["passed", "failed", "skipped", "broken"]
    seen: str
    seconds: float


class SmokeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One isolated run of the stack."""

    project: str
    seconds: float
    services: dict[str, ServiceRunV1]
    probes: list[ProbeV1]
    links: list[LinkV1]
    logs: list[LogV1]
    drills: list[DrillV1]
    notes: list[str]
    """How the copy differs from the project in what it has of the world outside, a sentence each."""
    kept: bool
    """Whether it was left up on purpose."""
    artifacts: str | None
    """The directory with its logs, events and health, where that was asked for."""
    teardown_error: str | None


def smoke(stack: StackRun) -> SmokeV1:
    """One run of the stack as it is written."""
    links = [_link(run) for run in stack.links]
    links += [
        _link(LinkRun(link=each.link, passed=False, seen=each.reason), tried=False) for each in stack.untried
    ]
    probes = [
        ProbeV1(
            service=run.service,
            probe=str(run.probe),
            passed=run.passed,
            seen=run.seen,
            seconds=_s(run.seconds),
            steps=[
                StepV1(step=each.step, passed=each.passed, seen=each.seen, seconds=_s(each.seconds))
                for each in run.steps
            ],
        )
        for run in stack.probes
    ]
    probes += [
        ProbeV1(
            service=each.service,
            probe=str(each.probe),
            passed=None,
            seen=each.reason,
            seconds=0.0,
            steps=[],
        )
        for each in stack.unprobed
    ]
    return SmokeV1(
        project=stack.name,
        seconds=_s(stack.seconds),
        services={
            run.service: ServiceRunV1(
                state=str(run.state),
                proven=run.proven,
                created_after_s=None if run.created is None else _s(run.created),
                started_after_s=None if run.started is None else _s(run.started),
                healthy_after_s=None if run.healthy is None else _s(run.healthy),
                answered_after_s=None if run.answered is None else _s(run.answered),
                ended_after_s=None if run.ended is None else _s(run.ended),
                restarts=run.restarts,
                exit_code=run.exit_code,
                out_of_memory=run.out_of_memory,
                blocked_by=stack.blocked_by(run.service) or None,
                health_output=run.health_output,
                log=list(run.log),
            )
            for run in stack.services
        },
        probes=probes,
        links=sorted(links, key=lambda link: (link.from_, link.to)),
        logs=[
            LogV1(
                service=run.service,
                pattern=run.rule.pattern,
                count=None if run.error else run.count,
                lines=[run.error] if run.error else list(run.lines),
            )
            for run in stack.logs
        ],
        drills=[
            DrillV1(
                drill=str(run.drill),
                service=run.service,
                subject=run.subject or None,
                status=run.status,
                seen=run.said,
                seconds=_s(run.seconds),
            )
            for run in stack.drills
        ],
        notes=list(stack.notes),
        kept=stack.kept is not None,
        artifacts=stack.artifacts,
        teardown_error=stack.teardown_error,
    )


def _link(run: LinkRun, *, tried: bool = True) -> LinkV1:
    return LinkV1(
        from_=run.link.from_service,
        to=run.link.to,
        derived=run.link.derived or None,
        passed=run.passed if tried else None,
        seen=run.seen,
        by=run.by or None,
        resolved=run.resolved,
        address=run.address or None,
        connected=run.connected,
        secured=run.secured,
        status=run.status,
        seconds=_s(run.seconds),
    )


def _s(seconds: float) -> float:
    return round(seconds, 3)
