"""Services that end when asked and come back, and such that do not; on a real engine."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hullmark.model.drill import Drill, Exempt, Failed, Passed

pytestmark = pytest.mark.docker

POLITE = 'trap "exit 0" TERM; while :; do sleep 0.1; done'
STACK = f"""
services:
  polite:
    image: IMAGE
    command: [bash, -c, '{POLITE}']
    stop_grace_period: 1m
    restart: unless-stopped
  deaf:
    image: IMAGE
    command: [sleep, "600"]
    stop_grace_period: 1s
  shell:
    image: IMAGE
    entrypoint: [/bin/sh, -c, "sleep 600; exit 0"]
    stop_grace_period: 1s
  stubborn:
    image: IMAGE
    command: [bash, -c, "trap '' TERM; sleep 600; exit 0"]
    stop_grace_period: 1s
  slow:
    image: IMAGE
    command: [bash, -c, 'trap "sleep 60" TERM; while :; do sleep 0.1; done']
    stop_grace_period: 1s
  initiated:
    image: IMAGE
    command: [sleep, "600"]
    init: true
    stop_grace_period: 1m
  executed:
    image: IMAGE
    command: [sleep, "600"]
    stop_signal: SIGKILL
    stop_grace_period: 1m
  once:
    image: IMAGE
    command: ["true"]
"""


def test_a_service_that_does_not_end_when_asked_is_told_with_its_cause(yard: Any) -> None:
    run = yard.tried(yard.project(STACK, Drill.STOP))
    results = {each.service: each.result for each in run.drills}
    assert isinstance(results["polite"], Passed)
    assert "with exit code 0" in results["polite"].seen
    assert isinstance(results["initiated"], Passed)
    assert "with exit code 143" in results["initiated"].seen
    assert results["once"] == Exempt(reason="it has done its work and ended")
    causes = {name: each for name, each in results.items() if isinstance(each, Failed)}
    assert set(causes) == {"deaf", "shell", "stubborn", "slow", "executed"}
    assert "no handler for it" in causes["deaf"].seen
    assert "`init: true`" in causes["deaf"].remedy
    assert "the first process is a shell (`/bin/sh -c sleep 600; exit 0`)" in causes["shell"].seen
    assert "list of words" in causes["shell"].remedy
    assert "`init: true`" in causes["shell"].remedy
    assert "ignores it, as with `trap" in causes["stubborn"].seen
    assert "list of words" not in causes["stubborn"].remedy
    assert "does not end in time" in causes["slow"].seen
    assert "`stop_grace_period`" in causes["slow"].remedy
    assert causes["executed"].seen.startswith("its stop signal is SIGKILL")
    for name in ("deaf", "shell", "slow"):
        assert re.search(r"it was killed after \d", causes[name].seen)
        assert str(causes[name].location).startswith("compose.yml:")


LOCKED = 'test -e /run/app.lock && { echo already running; exit 1; }; touch /run/app.lock; trap "rm /run/app.lock; exit 0" TERM; while :; do sleep 0.1; done'
FIRST = 'test -e /once && { echo does not start twice; exit 1; }; touch /once; trap "exit 0" TERM; while :; do sleep 0.1; done'


def test_a_service_that_serves_nobody_and_ends_with_0_when_asked_is_started_again(yard: Any) -> None:
    stack = f"services:\n  web:\n    image: IMAGE\n    command: [bash, -c, '{POLITE}']\n"
    run = yard.tried(yard.project(stack, Drill.STOP, Drill.KILL))
    assert [each.status for each in run.drills] == ["passed", "passed"]


def test_a_service_that_does_not_come_back_is_told_and_the_others_are_drilled_all_the_same(yard: Any) -> None:
    stack = f"""
services:
  good:
    image: IMAGE
    command: [bash, -c, '{POLITE}']
    restart: unless-stopped
    healthcheck: {{test: [CMD, "true"], interval: 300ms}}
  plain:
    image: IMAGE
    command: [bash, -c, '{POLITE}']
  locked:
    image: IMAGE
    command: [bash, -c, '{LOCKED}']
  fresh:
    image: IMAGE
    command: [bash, -c, '{FIRST}']
"""
    run = yard.tried(yard.project(stack, Drill.RESTART, Drill.KILL))
    assert isinstance(yard.of(run, Drill.RESTART, "good").result, Passed)
    assert isinstance(yard.of(run, Drill.RESTART, "locked").result, Passed)
    assert isinstance(yard.of(run, Drill.RESTART, "plain").result, Passed)
    fresh = yard.of(run, Drill.RESTART, "fresh").result
    assert isinstance(fresh, Failed)
    assert "`fresh` has ended with exit code 1" in fresh.seen
    good = yard.of(run, Drill.KILL, "good").result
    assert isinstance(good, Passed)
    assert good.seen.startswith("its restart policy brought it back")
    plain = yard.of(run, Drill.KILL, "plain").result
    assert isinstance(plain, Passed)
    assert plain.seen.startswith("it came back when it was started")
    locked = yard.of(run, Drill.KILL, "locked").result
    assert isinstance(locked, Failed)
    assert "its log ends with: already running; left behind: /run/app.lock" in locked.seen
    assert locked.remedy == (
        "let the entrypoint of `locked` remove /run/app.lock before it starts the program"
    )


def test_every_container_of_a_service_is_drilled_and_not_only_the_first(yard: Any) -> None:
    # By its name in the network, which Compose ends with the number of the container.
    second = (
        'own=$$(hostname -i); echo "hosts: dns" >/etc/nsswitch.conf; getent hosts $$own | grep -q -- "-2[.]"'
    )
    stack = f"""
services:
  even:
    image: IMAGE
    init: true
    command: [sleep, "600"]
    scale: 2
  deaf:
    image: IMAGE
    command: [bash, -c, '{second} && exec sleep 600; {POLITE}']
    deploy: {{replicas: 2}}
    stop_grace_period: 1s
  fragile:
    image: IMAGE
    init: true
    command: [bash, -c, '{second} && test -e /crashed && exit 9; touch /crashed; exec sleep 600']
    scale: 2
"""
    services = {"fragile": yard.soon()}
    run = yard.tried(yard.project(stack, Drill.STOP, Drill.RESTART, Drill.KILL, services=services))
    seen = {(str(each.drill), each.service): each.result for each in run.drills}
    assert {key for key, result in seen.items() if isinstance(result, Failed)} == {
        ("stop", "deaf"),
        ("restart", "fragile"),
        ("kill", "fragile"),
    }
    assert seen["stop", "deaf"].seen.startswith("container 2 of 2: SIGTERM did not end it")
    assert seen["kill", "fragile"].seen.startswith("container 2 of 2: after its main process was killed: ")
    assert seen["stop", "even"].seen.startswith("2 containers, of the last: it ended ")
