"""What is seen of a stack before anything of it starts: what waits in vain, and what would join the original."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hullmark._smoke import smoke
from hullmark.model.progress import Silent
from hullmark.model.service_run import State
from hullmark.model.stack import Aftermath

pytestmark = pytest.mark.docker

WAITING = """\
services:
  db: {image: BARE, command: [/sleep, "600"]}
  off:
    image: BARE
    command: [/sleep, "600"]
    healthcheck: {test: [CMD, /sleep, "0"], disable: true}
  web:
    image: BARE
    command: [/sleep, "600"]
    depends_on: {db: {condition: service_healthy}}
  front:
    image: BARE
    command: [/sleep, "600"]
    depends_on: {off: {condition: service_healthy}, web: {condition: service_started}}
"""
JOINED = """\
services:
  db:
    image: BOX
    container_name: NAME
    command: [busybox, httpd, -f, -p, "8080", -h, /www]
    healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8080/"], interval: 1s, retries: 60}
  beside:
    image: BOX
    command: [sleep, "600"]
    network_mode: container:NAME
    pid: container:NAME
"""


def test_what_waits_for_health_that_nobody_checks_is_told_and_nothing_is_started(
    bench: Any, tmp_path: Any
) -> None:
    project = bench.project(WAITING)
    known = tmp_path / "known"
    run = smoke(project, bench.engine, bench.commands, Silent(), Aftermath(artifacts=known))
    assert {each.service: (each.state, each.refusal) for each in run.services} == {
        "db": (State.ABSENT, ""),
        "off": (State.ABSENT, ""),
        "web": (State.EXITED, "waits until `db` is healthy, and `db` has no health check"),
        "front": (State.EXITED, "waits until `off` is healthy, and `off` has no health check"),
    }
    assert bench.service(run).remedy.startswith("give the service that `web` waits for a health check")
    assert (known / run.name / "events.jsonl").read_text("utf-8") == ""
    assert bench.left(run.name) == []
    # Who can do without goes on without.
    optional = WAITING.replace("service_healthy}", "service_healthy, required: false}")
    assert all(each.ready for each in bench.smoke(optional).services)


def test_what_names_the_container_of_another_service_joins_that_of_the_copy(bench: Any) -> None:
    compose = JOINED.replace("NAME", bench.root.name)
    original = bench.engine.client.containers.create(bench.images.bare, ["/sleep", "1"], name=bench.root.name)
    try:
        probe = bench.execute(
            "sh", "-c", "wget -qO- http://127.0.0.1:8080/ && cat /proc/1/cmdline", text="httpd"
        )
        run = bench.smoke(compose, probes={"beside": (probe,)})
        assert run.ready, json.dumps([str(each.state) for each in run.services])
        assert [each.passed for each in run.probes] == [True]
        assert run.notes == ()
    finally:
        original.remove(force=True)
