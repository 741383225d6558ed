"""The page on what does not work: which service, since when, why, who waits for it, and what to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from hullmark._reporters import Style, render
from hullmark._reporters.failure import failures
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check, CheckResult, Ran
from hullmark.model.probe import TcpProbe
from hullmark.model.report import Report
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.stack import ProbeRun, StackRun
from hullmark.model.verdict import Policy, decide

NO_BREAK = "\N{NO-BREAK SPACE}"
SPAN = SourceSpan(path="compose.yml", line=7)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _run(service: str, state: State, **more: Any) -> ServiceRun:
    return ServiceRun(
        service=service, span=SPAN, state=state, **({"has_health_check": state is State.UNHEALTHY} | more)
    )


def _report(stack: StackRun, *findings: Finding) -> Report:
    results = (CheckResult(check=Check.SMOKE, service="db", outcome=Ran(findings=findings), seconds=1.0),)
    return Report(
        project="shop",
        root="/shop",
        services=("db",),
        checks=(Check.SMOKE,),
        started=NOW,
        finished=NOW,
        verdict=decide(results, Policy()),
        results=results,
        stack=stack,
    )


def _text(report: Report, format_: str) -> str:
    return "".join(render(format_, report, Style()))


def _page(stack: StackRun, *findings: Finding) -> list[str]:
    return [
        line
        for each in failures(_report(stack, *findings))
        for line in (
            f"{each.service} {each.standing}",
            *(f"  {line}" for line in each.evidence),
            *(f"  what to do: {remedy}" for remedy in each.remedies),
        )
    ]


DB = _run(
    "db",
    State.UNHEALTHY,
    started=0.5,
    ended=4.2,
    health_output="\n".join(f"try {n}" for n in range(9)),
    log=("disk full",),
    log_lines=1240,
)
FINDING = Finding(
    rule="unhealthy-service",
    summary="service is unhealthy",
    severity=Severity.ERROR,
    service="db",
    location=SPAN,
    seen="the health check fails",
    expected="a health check that passes",
    remedy="empty the disk",
    fingerprint="0",
)


def test_a_service_at_fault_has_its_standing_times_health_log_followers_and_remedy() -> None:
    rag = _run("rag", State.CREATED, waits_on=("db",))
    platform = _run("platform", State.ABSENT, waits_on=("rag",))
    assert _page(StackRun(name="run", services=(DB, platform, rag)), FINDING) == [
        "db is unhealthy (started 0.5 s after the stack, never healthy, failed at 4.2 s)",
        "  its last health check printed:",
        *(f"    try {n}" for n in range(4, 9)),
        "  its log (1 of its last 1,240 lines):",
        "    disk full",
        "  platform waits for rag, which waits for db: unhealthy",
        "  rag waits for db: unhealthy",
        "  what to do: empty the disk",
    ]


def test_an_exit_is_explained_and_has_a_remedy_even_where_its_finding_is_ignored() -> None:
    killed = _run("db", State.EXITED, exit_code=137, out_of_memory=True, started=0.5, ended=1.0)
    assert _page(StackRun(name="run", services=(killed,))) == [
        "db exited with code 137 (SIGKILL: out of memory) (started 0.5 s after the stack, failed at 1.0 s)",
        "  what to do: raise `mem_limit` of the service, or let it use less memory",
    ]


def test_what_could_not_be_started_says_why() -> None:
    refused = _run("db", State.EXITED, exit_code=128, refusal="unable to find user nobody")
    assert _page(StackRun(name="run", services=(refused,)))[:2] == [
        "db cannot be started",
        "  unable to find user nobody",
    ]


def test_a_service_that_recovers_and_one_that_is_late_are_told_as_that() -> None:
    flapping = replace(DB, healthy=1.0, ended=2.0, recovered=3.0, health_output="", log=())
    late = _run("web", State.RUNNING, has_health_check=True, started=0.5, timed_out=True)
    assert _page(StackRun(name="run", services=(flapping, late))) == [
        "db is unhealthy (started 0.5 s after the stack, healthy at 1.0 s, failed at 2.0 s, healthy again at 3.0 s)",
        "web was still running when its time was over (started 0.5 s after the stack, never healthy)",
    ]


def test_bystanders_of_a_failure_are_not_at_fault_and_probes_that_fail_put_their_service_there() -> None:
    quiet = _run("web", State.RUNNING, unanswered=True, log=("listening",), log_lines=1)
    starting = _run("rag", State.RUNNING, has_health_check=True, log=("loading",), log_lines=1)
    stack = StackRun(name="run", services=(starting, quiet))
    assert _page(stack) == []
    failed = ProbeRun(service="web", probe=TcpProbe(port=80, origin=SPAN), passed=False, seen="refused")
    assert _page(replace(stack, probes=(failed,))) == [
        "web is running, but its probes do not pass",
        "  its log:",
        "    listening",
    ]


def test_without_a_stack_there_is_no_page() -> None:
    assert _page(StackRun(name="run")) == []


def test_comments_and_test_reports_say_why_a_service_is_not_up_and_draw_when_it_came_up() -> None:
    rag = _run("rag", State.CREATED, waits_on=("db",))
    cache = _run("cache", State.RUNNING, created=1.0, started=2.0)
    failed = _report(StackRun(name="run", services=(DB, rag, cache)), FINDING)

    comment = _text(failed, "markdown")
    assert (
        "### What is not up\n\n"
        "- `db` is unhealthy (started 0.5 s after the stack, never healthy, failed at 4.2 s)\n"
        "  - `its last health check printed:`\n"
    ) in comment
    assert "  - `rag waits for db: unhealthy`\n  - what to do: empty the disk\n" in comment
    assert "············━ | 2.0 s |  | running |" in comment
    assert f"| `cache` | {NO_BREAK * 12}·" in comment
    assert "end of the log of `db`" not in comment

    cases = ET.fromstring(_text(failed, "junit"))  # noqa: S314  # our own
    told = cases.findtext(".//failure") or ""
    assert "fix: empty the disk\n\ndb is unhealthy" in told
    assert "  disk full\n" in told
