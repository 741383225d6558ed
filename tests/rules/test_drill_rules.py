"""Each rule about drills on literals: what it makes a finding of, where, and what it leaves alone."""

from __future__ import annotations

import pytest

from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.rule import HEADINGS
from hullmark.rules import rules_for

COMPOSE = SourceSpan(path="compose.yml", line=12)
DOCKERFILE = SourceSpan(path="web/Dockerfile", line=7)
RULE_OF = {
    Drill.MEMORY: "over-memory-budget",
    Drill.USER: "unexpected-process-user",
    Drill.STOP: "ignored-stop-signal",
    Drill.RESTART: "restart-not-survived",
    Drill.KILL: "crash-not-survived",
    Drill.PARTITION: "partition-not-survived",
    Drill.PERSIST: "lost-data",
    Drill.READ_ONLY: "writable-root-needed",
    Drill.UPGRADE: "upgrade-not-survived",
}
RULES = {rule.id: rule for rule in rules_for(DrillRun)}


def _run(drill: Drill, result: Passed | Failed | Exempt | Undrilled) -> DrillRun:
    return DrillRun(drill=drill, service="web", span=COMPOSE, result=result)


def test_every_drill_has_one_rule() -> None:
    assert set(RULE_OF) == set(Drill)
    assert set(RULE_OF.values()) == set(RULES) - {"write-outside-mounts"}
    assert all(heading in rule.page for rule in RULES.values() for heading in HEADINGS)


@pytest.mark.parametrize("drill", Drill)
def test_a_drill_that_failed_is_one_finding_of_its_own_rule(drill: Drill) -> None:
    run = _run(drill, Failed(seen="it is gone", remedy="keep it", key="gone"))
    (found,) = (finding for rule in RULES.values() for finding in rule.check(run, service="web"))
    assert found.rule == RULE_OF[drill]
    assert found.severity is Severity.ERROR
    assert (found.location, found.seen, found.remedy) == (COMPOSE, "it is gone", "keep it")
    assert found.expected


@pytest.mark.parametrize("drill", Drill)
def test_the_place_of_the_cause_is_better_than_that_of_the_service(drill: Drill) -> None:
    run = _run(drill, Failed(seen="it is gone", remedy="keep it", location=DOCKERFILE))
    (found,) = RULES[RULE_OF[drill]].check(run, service="web")
    assert found.location == DOCKERFILE


@pytest.mark.parametrize("drill", Drill)
def test_seconds_and_exit_codes_do_not_make_it_another_finding(drill: Drill) -> None:
    rule = RULES[RULE_OF[drill]]
    one, other = (
        next(iter(rule.check(_run(drill, Failed(seen=seen, remedy="", key="gone")), service="web")))
        for seen in ("after 10.1 s", "after 10.2 s")
    )
    assert one.fingerprint == other.fingerprint


def test_what_a_service_writes_to_its_root_and_does_without_is_a_warning_for_each_directory() -> None:
    missed = ("/app/a.pyc", "/app/b.pyc", "/app/c.pyc", "/app/d.pyc", "/core", "/var/log/web.log")
    run = _run(Drill.READ_ONLY, Passed(seen="it works", missed=missed))
    found = [finding for rule in RULES.values() for finding in rule.check(run, service="web")]
    assert {(each.rule, each.severity, each.location) for each in found} == {
        ("write-outside-mounts", Severity.WARNING, COMPOSE)
    }
    assert [each.seen.partition(", and works")[0] for each in found] == [
        "it writes `/core`",
        "it writes `/app/a.pyc`, `/app/b.pyc`, `/app/c.pyc` and 1 more",
        "it writes `/var/log/web.log`",
    ]
    assert "`tmpfs` at `/var/log`" in found[2].remedy


@pytest.mark.parametrize("drill", Drill)
@pytest.mark.parametrize(
    "result", [Passed(seen="fine"), Exempt(reason="not asked for"), Undrilled(error="no engine")]
)
def test_what_passed_was_skipped_or_broke_is_no_finding(
    drill: Drill, result: Passed | Exempt | Undrilled
) -> None:
    run = _run(drill, result)
    assert not [finding for rule in RULES.values() for finding in rule.check(run, service="web")]
