"""Several copies of the reference stack at the same time: none is in the way of another."""

from __future__ import annotations

import json
import subprocess
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
    tests = [tale.start(*smoke) for _ in range(2)]
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
