"""`hullmark smoke` as a whole: what its exit code says of a stack that was not, or not all, tried."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

COMPOSE = """\
services:
  web:
    image: debian:bookworm-slim
    command: [sh, -c, "exit 3"]
  idle:
    image: debian:bookworm-slim
    command: [sleep, "60"]
    init: true
"""
PROMISES = """\
[[services.web.probes]]
tcp = 80

[[links]]
from = "web"
to = "tcp://idle:80"
"""
IGNORE = '[[ignore.findings]]\nrule = "service-exited"\nreason = "it always does"\n'


def _smoke(project: Path, toml: str) -> tuple[int, Any]:
    (project / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    (project / "hullmark.toml").write_text(toml, encoding="utf-8")
    stdout = io.StringIO()
    code = main(
        ["-C", str(project), "-q", "smoke", "--format", "json"],
        stdout=stdout,
        stderr=io.StringIO(),
        environ=dict(os.environ),
    )
    return code, json.loads(stdout.getvalue())


def test_what_was_not_tried_does_not_pass_because_a_finding_is_ignored(tmp_path: Path) -> None:
    code, report = _smoke(tmp_path, PROMISES)
    assert (code, [finding["rule"] for finding in report["findings"]]) == (1, ["service-exited"])
    code, report = _smoke(tmp_path, PROMISES + IGNORE)
    assert (code, report["findings"]) == (3, [])
    assert {
        each["service"]: (each["status"], each["reason"])
        for each in report["outcomes"]
        if each["check"] == "smoke"
    } == {
        "idle": ("ran", None),
        "web": ("broken", "its probes and links were not tried: `web` did not come up"),
    }
    assert [(each["probe"], each["passed"]) for each in report["smoke"]["probes"]] == [("tcp :80", None)]
    assert [(each["to"], each["passed"]) for each in report["smoke"]["links"]] == [("tcp://idle:80", None)]
