"""What the reports say of drills."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from hullmark._reporters import Style, render
from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check
from hullmark.model.report import Report
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.stack import StackRun
from hullmark.model.verdict import Policy, decide

HERE = SourceSpan(path="compose.yml", line=3)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _run(drill: Drill, service: str, result: Any, **more: Any) -> DrillRun:
    return DrillRun(drill=drill, service=service, span=HERE, result=result, **more)


RUNS = (
    _run(Drill.MEMORY, "db", Exempt(reason="`memory-budget` is not set")),
    _run(Drill.MEMORY, "web", Exempt(reason="`memory-budget` is not set")),
    _run(Drill.STOP, "db", Passed(seen="it ended"), seconds=2.04),
    _run(Drill.STOP, "web", Failed(seen="it was killed", remedy="`exec` it"), seconds=10.1),
    _run(Drill.PARTITION, "web", Passed(seen="it told"), subject="-> db", seconds=1.0),
    _run(Drill.PARTITION, "web", Undrilled(error="no engine"), subject="-> rag", seconds=2.0),
    _run(Drill.READ_ONLY, "db", Passed(seen="it is already")),
    _run(Drill.READ_ONLY, "web", Exempt(reason="left out")),
)


def _report(*runs: DrillRun) -> Report:
    services = tuple(
        ServiceRun(service=name, span=HERE, state=State.HEALTHY, has_health_check=True)
        for name in ("db", "web")
    )
    return Report(
        project="shop",
        root=".",
        services=("db", "web"),
        checks=(Check.SMOKE,),
        started=NOW,
        finished=NOW,
        verdict=decide((), Policy()),
        results=(),
        stack=StackRun(name="hullmark-shop", services=services, drills=runs),
    )


def _rendered(format_: str, *runs: DrillRun) -> str:
    return "".join(render(format_, _report(*runs), Style()))


def test_json_has_every_drill_with_what_was_seen_of_it_or_why_not() -> None:
    drills = json.loads(_rendered("json", *RUNS))["smoke"]["drills"]
    assert len(drills) == len(RUNS)
    assert drills[0] == {
        "drill": "memory",
        "service": "db",
        "subject": None,
        "status": "skipped",
        "seen": "`memory-budget` is not set",
        "seconds": 0.0,
    }
    assert [each["status"] for each in drills[2:6]] == ["passed", "failed", "passed", "broken"]
    assert drills[5]["subject"] == "-> rag"


def test_the_text_has_services_against_drills_and_the_reasons_of_what_was_not_carried_out() -> None:
    text = _rendered("text", *RUNS)
    lines = [line.split() for line in text.splitlines()]
    assert ["service", "stop", "partition", "read-only"] in lines
    assert ["db", "2.0", "s", "-", "ok"] in lines
    # Of several links the worst one counts.
    assert ["web", "failed", "broken", "skipped"] in lines
    assert "drill memory skipped (db, web): `memory-budget` is not set\n" in text
    assert "drill partition broken (web -> rag): no engine\n" in text
    assert "and 3 of 5 drills" in text


def test_a_stack_that_could_not_be_drilled_says_so_once() -> None:
    runs = [
        _run(drill, name, Undrilled(error="`web` did not come up"))
        for drill in (Drill.STOP, Drill.KILL)
        for name in ("db", "web")
    ]
    text = _rendered("text", *runs)
    assert [line for line in text.splitlines() if line.startswith("drill")] == [
        "drills stop, kill broken (db, web): `web` did not come up"
    ]
    assert "and 0 of 4 drills" in text


def test_the_table_of_all_drills_that_a_stack_usually_has_fits_into_a_terminal() -> None:
    runs = [
        _run(drill, name, Passed(seen="fine"), seconds=14.5)
        for drill in Drill
        if drill not in {Drill.MEMORY, Drill.UPGRADE}
        for name in ("db", "platform")
    ]
    table = [
        line for line in _rendered("text", *runs).splitlines() if line.startswith(("service", "platform"))
    ]
    assert any(
        line.split()[1:] == ["user", "stop", "restart", "kill", "partition", "persist", "read-only"]
        for line in table
    )
    assert all("…" not in line for line in table)


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_a_stack_that_was_not_drilled_has_no_word_of_it(format_: str) -> None:
    assert "drill" not in _rendered(format_)


def test_markdown_has_a_line_for_each() -> None:
    text = _rendered("markdown", *RUNS)
    assert "- **failed**: `web: drill stop` `it was killed`" in text
    assert "- skipped: `web: drill read-only` `left out`" in text
    assert "- **broken**: `web: drill partition -> rag` `no engine`" in text
