"""Links that are cut: callers that tell, that go on, that say nothing, and that never recover; on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from hullmark.model.drill import Drill, Exempt, Failed, Passed
from hullmark.model.finding import Severity
from hullmark.rules import rules_for

pytestmark = pytest.mark.docker

SERVE = "use IO::Socket::INET; $$s = IO::Socket::INET->new(LocalPort => 9000, Listen => 5); while (1) { $$c = $$s->accept or next; print $$c qq(hi\\n); close $$c }"
CALLS = "timeout 5 bash -c 'exec 3<>/dev/tcp/store/9000'"
STACK = """
x-idle: &idle
  image: IMAGE
  command: [sleep, "600"]
  init: true
  networks: [back]
  depends_on: {store: {condition: service_healthy}}
services:
  store:
    image: IMAGE
    command: [perl, -e, '%(serve)s']
    init: true
    healthcheck: {test: [CMD-SHELL, "%(listens)s"], interval: 500ms, retries: 100}
    networks:
      back:
        aliases: [warehouse]
  honest:
    <<: *idle
    healthcheck: &calls
      test: [CMD-SHELL, "%(calls)s"]
      interval: 500ms
      retries: 2
  able:
    <<: *idle
    healthcheck: &always
      test: [CMD, "true"]
      interval: 500ms
  boast:
    <<: *idle
    healthcheck: *calls
  mute:
    <<: *idle
    healthcheck: *always
  grudge:
    <<: *idle
    healthcheck:
      test: [CMD-SHELL, "test -e /gone && exit 1; %(calls)s || { touch /gone; exit 1; }"]
      interval: 500ms
      retries: 2
  unwatched: *idle
networks:
  back:
""" % {"serve": SERVE, "calls": CALLS, "listens": CALLS.replace("store", "127.0.0.1")}  # noqa: UP031  # the braces are the shell's


def test_a_caller_that_is_cut_off_tells_or_goes_on_as_declared_and_recovers(yard: Any) -> None:
    run = yard.tried(
        yard.project(
            STACK,
            Drill.PARTITION,
            services={"mute": yard.soon(), "grudge": yard.soon()},
            links=(
                *(yard.link(name, "tcp://store:9000") for name in ("honest", "mute", "grudge", "unwatched")),
                *(yard.link(name, "tcp://warehouse:9000", degrades=True) for name in ("able", "boast")),
            ),
        )
    )
    assert [(each.service, each.subject) for each in run.drills] == [
        (name, "-> store") for name in ("able", "boast", "grudge", "honest", "mute", "unwatched")
    ]
    results = {each.service: each.result for each in run.drills}
    assert isinstance(results["honest"], Passed)
    assert results["honest"].seen.startswith("it told: ")
    assert isinstance(results["able"], Passed)
    assert results["able"].seen.startswith("it went on for ")
    assert isinstance(results["boast"], Failed)
    assert "does not go on as declared: " in results["boast"].seen
    assert isinstance(results["mute"], Failed)
    assert "says for " in results["mute"].seen
    assert "`degrades = true`" in results["mute"].remedy
    assert isinstance(results["grudge"], Failed)
    # In the same words whether the engine or the drill tried the health check last.
    assert results["grudge"].seen.startswith(
        "after the link to `store` was back: `grudge` is unhealthy: its health check ends with exit code 1"
    )
    assert isinstance(results["unwatched"], Exempt)
    found = {
        finding.service: finding
        for each in run.drills
        for rule in rules_for(type(each))
        for finding in rule.check(each, service=each.service)
    }
    assert set(found) == {"boast", "mute", "grudge"}
    assert {(each.rule, each.severity) for each in found.values()} == {
        ("partition-not-survived", Severity.ERROR)
    }
