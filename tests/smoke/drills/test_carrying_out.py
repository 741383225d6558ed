"""When drills run, what they leave to each other, and how they end early."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from hullmark._smoke import smoke
from hullmark.errors import Interrupted
from hullmark.model.drill import Drill, DrillSettings, Exempt, Passed, Undrilled
from hullmark.model.location import SourceSpan
from hullmark.model.probe import ExecProbe
from hullmark.model.progress import Silent
from hullmark.model.project import ServiceSettings

pytestmark = pytest.mark.docker

HERE = SourceSpan(path="hullmark.toml", line=7)
IDLE = """
    image: IMAGE
    command: [sleep, "600"]
    init: true
"""


def test_a_stack_that_does_not_work_is_not_drilled(yard: Any) -> None:
    probe = ExecProbe(command=("false",), origin=HERE, timeout=0.5)
    run = yard.tried(
        yard.project(
            f"services:\n  web:{IDLE}  db:{IDLE}",
            Drill.RESTART,
            Drill.READ_ONLY,
            services={"web": ServiceSettings(probes=(probe,))},
        )
    )
    assert [(each.drill, each.service) for each in run.drills] == [
        (Drill.RESTART, "db"),
        (Drill.RESTART, "web"),
        (Drill.READ_ONLY, "db"),
        (Drill.READ_ONLY, "web"),
    ]
    assert {each.result for each in run.drills} == {
        Undrilled(error="the probe of `web` (exec false) does not pass")
    }


def test_a_stack_that_does_not_get_well_again_is_not_drilled_any_further(yard: Any) -> None:
    # It counts its starts on a volume, which new containers have as well.
    once = "test -e /data/once && exit 9; touch /data/once /run/up; exec sleep 600"
    run = yard.tried(
        yard.project(
            f"""
services:
  a:
    image: IMAGE
    command: [sh, -c, "{once}"]
    init: true
    volumes: ["kept:/data"]
    tmpfs: [/run]
    healthcheck: {{test: [CMD, test, -e, /run/up], interval: 300ms, retries: 100}}
  b:{IDLE}
  c:{IDLE}
volumes:
  kept:
""",
            Drill.STOP,
            services={"b": ServiceSettings(drills=DrillSettings(skip=(Drill.STOP,)))},
        )
    )
    a, b, c = (yard.of(run, Drill.STOP, name).result for name in ("a", "b", "c"))
    assert isinstance(a, Passed)
    assert b == Exempt(reason="left out by `skip` of `[services.b.drills]`")
    assert c == Undrilled(
        error="not tried: the stack did not get well again after the drill `stop` of `a`: "
        "`a` has ended with exit code 9"
    )


class _Until(Silent):
    """Asks everything to stop once a drill of `service` begins."""

    def __init__(self, service: str, cancelled: threading.Event) -> None:
        self.service = service
        self.cancelled = cancelled
        self.at = 0.0

    def begin(self, check: Any, service: str | None, text: str) -> None:  # noqa: ARG002  # one for all
        """See `Progress.begin`."""
        if service == self.service and text.startswith("drill "):
            self.at = time.monotonic()
            threading.Timer(0.5, self.cancelled.set).start()


def test_who_asks_to_stop_does_not_wait_for_a_grace_period_and_nothing_is_left(yard: Any) -> None:
    deaf = '\n    image: IMAGE\n    command: [sleep, "600"]\n    stop_grace_period: 5m\n'
    project = yard.project(f"services:\n  web:{deaf}", Drill.STOP)
    progress = _Until("web", yard.engine.cancelled)
    with pytest.raises(Interrupted):
        smoke(project, yard.engine, yard.commands, progress)
    assert progress.at
    assert time.monotonic() - progress.at < 240
    filters: Any = {"label": "io.hullmark.run"}
    left = yard.engine.client.containers.list(all=True, filters=filters, ignore_removed=True)
    assert not [each for each in left if project.name in each.labels["io.hullmark.run"]]


def test_what_depends_on_a_service_is_looked_at_as_well(yard: Any) -> None:
    # The caller forgets what it was told at its start when the other is restarted, and never asks again.
    run = yard.tried(
        yard.project(
            f"""
services:
  db:
    image: IMAGE
    command: [sh, -c, "date +%s%N > /shared/token; exec sleep 600"]
    init: true
    volumes: ["token:/shared"]
    healthcheck: {{test: [CMD, test, -s, /shared/token], interval: 300ms}}
  web:
    image: IMAGE
    command: [sh, -c, "cp /shared/token /mine; exec sleep 600"]
    init: true
    volumes: ["token:/shared"]
    healthcheck: {{test: [CMD, cmp, /shared/token, /mine], interval: 5m, start_period: 20s}}
    depends_on: {{db: {{condition: service_healthy}}}}
  alone:{IDLE}
volumes:
  token:
""",
            Drill.RESTART,
            services={"web": yard.soon()},
        )
    )
    db = yard.of(run, Drill.RESTART, "db")
    assert db.status == "failed"
    assert db.said.startswith(
        "after a restart of `db`: `web` is unhealthy: its health check ends with exit code 1"
    )
    assert yard.of(run, Drill.RESTART, "web").status == "passed"
    assert yard.of(run, Drill.RESTART, "alone").status == "passed"
