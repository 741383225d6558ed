"""However early or late a smoke test is killed, clearing removes all that it began."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

MOMENTS = 20
LATEST = 5.0
"""Seconds; a run of this stack that nobody disturbs takes about as long."""
STACK = """\
services:
  job: {image: BOX, command: ["true"], volumes: ["data:/data"]}
  web:
    image: BOX
    command: [sleep, "600"]
    healthcheck: {test: [CMD-SHELL, "test -e /seen || { touch /seen; exit 1; }"], interval: 500ms}
    volumes: ["data:/data", "/anonymous", "./mine:/mine"]
    depends_on: {job: {condition: service_completed_successfully}}
volumes:
  data:
"""


def _kill(root: Path, temporary: Path, after: float) -> None:
    process = subprocess.Popen(
        (sys.executable, "-m", "hullmark", "-C", str(root), "-q", "smoke"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    time.sleep(after)
    process.kill()
    process.wait()


def _left(bench: Any, project: str) -> list[str]:
    client = bench.engine.client
    filters: dict[str, Any] = {"label": "io.hullmark.run"}
    found = [
        *(
            str(each.labels)
            for each in client.containers.list(all=True, filters=filters, ignore_removed=True)
        ),
        *(str(each.attrs["Labels"]) for each in client.networks.list(filters=filters)),
        *(str(each.attrs["Labels"]) for each in client.volumes.list(filters=filters)),
        *(str(each.labels) for each in client.images.list(filters=filters)),
    ]
    return [each for each in found if f"hullmark-{project}-" in each]


def test_killed_at_any_moment_a_run_leaves_nothing_that_clearing_does_not_remove(
    bench: Any, tmp_path: Path
) -> None:
    (bench.root / "mine").mkdir()
    (bench.root / "mine/file").write_text("mine", encoding="utf-8")
    (bench.root / "compose.yml").write_text(STACK.replace("BOX", bench.images.box), encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    chance = random.Random(20261124)  # noqa: S311  # the same moments each time
    moments = [chance.uniform(0.3, LATEST) for _ in range(MOMENTS)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda after: _kill(bench.root, temporary, after), moments))
    # What was asked of the engine before the kill may come into being a moment after it.
    time.sleep(2.0)
    cleared = subprocess.run(
        (sys.executable, "-m", "hullmark", "smoke", "--reap"), capture_output=True, text=True, check=False
    )
    assert cleared.returncode == 0, cleared.stderr
    assert _left(bench, bench.root.name) == []
    assert list(temporary.iterdir()) == []
    assert (bench.root / "mine/file").read_text(encoding="utf-8") == "mine"
