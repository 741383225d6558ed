"""Several copies of the reference stack at the same time: none is in the way of another."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Tale

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

# The developer's own copy, at any ports: those of the file may be taken on a machine that others use.
OWN = """\
services:
  db: {ports: !override ["127.0.0.1::5432"]}
  crawler: {ports: !override ["127.0.0.1::8002"]}
  rag: {ports: !override ["127.0.0.1::8001"]}
  platform: {ports: !override ["127.0.0.1::3000"]}
  proxy: {ports: !override ["127.0.0.1::80", "127.0.0.1::443"]}
"""


def test_two_smoke_tests_and_the_developers_own_copy_are_green_at_the_same_time(tale: Tale) -> None:
    # Three stacks on a small machine start slowly, which is not what this is about.
    patient = "    start_period: {}\n\nservices:\n"
    tale.edit("compose.test.yml", patient.format("120s"), patient.format("30m"))
    assert tale.run("build").exit_code == 0
    (tale.root / "compose.own.yml").write_text(OWN, encoding="utf-8")
    files = ("-f", "compose.yml", "-f", "compose.test.yml", "-f", "compose.own.yml")
    own = (
        "docker",
        "compose",
        "-p",
        f"own-{tale.version.replace('.', '-')}",
        "--env-file",
        ".env.test",
        *files,
    )
    smoke = ("smoke", "--no-build", "--smoke-timeout", "20 min", "--format", "json")
    known = [tale.root / f"known-{number}" for number in range(2)]
    tests = [tale.start(*smoke, "--artifacts", str(each)) for each in known]
    try:
        up = subprocess.run(
            (*own, "up", "-d", "--no-build", "--wait"),
            cwd=tale.root,
            env=tale.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
        outputs = [test.communicate(timeout=1200) for test in tests]
        listed = subprocess.run(
            (*own, "ps", "--format", "json"), cwd=tale.root, env=tale.environ, capture_output=True, check=True
        )
        ids = [json.loads(line)["ID"] for line in listed.stdout.splitlines()]
        started = subprocess.run(
            ("docker", "inspect", "--format", "{{.State.StartedAt}}", *ids),
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        for test in tests:
            # A test that has ended is not there any more; what it left would be removed by the next one.
            test.terminate()
            test.wait(120)
        subprocess.run(
            (*own, "down", "-v", "-t", "0"), cwd=tale.root, env=tale.environ, check=True, capture_output=True
        )
    assert up.returncode == 0, up.stderr
    assert [test.returncode for test in tests] == [0, 0], outputs
    reports = [json.loads(stdout) for stdout, _ in outputs]
    assert len({report["smoke"]["project"] for report in reports}) == 2
    for report in reports:
        assert report["findings"] == []
        assert {each["state"] for each in report["smoke"]["services"].values()} == {"healthy"}
    # Both tests have removed their stacks by now, and nothing of this one.
    states = [json.loads(line) for line in listed.stdout.splitlines()]
    assert {each["Service"]: each["Health"] for each in states} == dict.fromkeys(
        ("crawler", "db", "platform", "proxy", "rag", "site"), "healthy"
    )
    # One after the other they would be green in any case. The last event of a stack is told just before it is removed.
    lives = [_life(report["smoke"]["artifacts"]) for report in reports]
    lives.append((min(map(datetime.fromisoformat, started.stdout.split())).timestamp(), float("inf")))
    assert max(begin for begin, _ in lives) < min(end for _, end in lives), lives


def _life(artifacts: str) -> tuple[float, float]:
    """When the first container of a stack was started, and when it was last heard of."""
    lines = (Path(artifacts) / "events.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    started = [each["timeNano"] for each in events if each["Action"] == "start"]
    return min(started) / 1e9, max(each["timeNano"] for each in events) / 1e9
