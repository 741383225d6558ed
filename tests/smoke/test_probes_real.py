"""Probes of each kind in real containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.smoke.conftest import HERE

from hullmark.model.probe import Capture, ExecProbe, FlowProbe, LogProbe, LogRule, OpenApiProbe, Step

if TYPE_CHECKING:
    from tests.smoke.conftest import Bench

pytestmark = pytest.mark.docker

COMPOSE = """
services:
  web:
    image: BOX
    command:
      - sh
      - -c
      - |
        echo '{"paths": {"/index.html": {"get": {}}, "/none": {"get": {}}}}' >/www/openapi.json
        echo '{"id": 17}' >/www/order.json; echo done >/www/17
        echo 'ready to accept'; echo 'Traceback of s3cret'
        exec httpd -f -p 8080 -h /www
"""


def test_logs_documents_and_flows_are_probed_in_a_container(bench: Bench) -> None:
    steps = (
        Step(action=bench.http(path="/order.json"), captures=(Capture(name="ID", pattern="$.id"),)),
        Step(action=bench.http(path="/${ID}", body_contains="done"), until=2.0),
        Step(action=ExecProbe(command=("cat", "/www/${ID}"), origin=HERE, text="done")),
    )
    probes = (
        LogProbe(pattern="ready to accept", origin=HERE),
        LogProbe(pattern="never", absent=True, origin=HERE, timeout=0.0),
        LogProbe(pattern="^Traceback", absent=True, origin=HERE, timeout=0.0),
        OpenApiProbe(document=bench.http(path="/openapi.json"), origin=HERE),
        FlowProbe(steps=steps, origin=HERE),
    )
    rule = LogRule(pattern="Traceback", origin=HERE)
    run = bench.smoke(COMPOSE, probes={"web": probes}, forbidden_logs=(rule,))
    seen = {str(each.probe): (each.passed, each.seen) for each in run.probes}
    assert seen == {
        "log with `ready to accept`": (True, "line 1 of the log is: ready to accept"),
        "log without `never`": (True, "2 lines in the log, none with the pattern"),
        "log without `^Traceback`": (False, "line 2 of the log is: Traceback of s3cret"),
        "every GET of /openapi.json at port 8080": (True, "2 paths answered below 500"),
        str(probes[-1]): (True, "3 steps passed"),
    }
    (log,) = run.logs
    assert (log.service, log.count, log.lines) == ("web", 1, ("Traceback of s3cret",))
