"""However early or late a smoke test is killed, clearing removes all that it began, and nothing else."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke.owner import labels_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

MOMENTS = 20
STACK = """\
services:
  job: {image: BOX, command: ["true"], volumes: ["data:/data"]}
  web:
    image: BOX
    command: [sleep, "600"]
    # Never healthy, so that however fast this machine is, whoever is killed was waiting.
    healthcheck: {test: [CMD, "false"], interval: 500ms, start_period: 1h}
    volumes: ["data:/data", "/anonymous", "./mine:/mine"]
    depends_on: {job: {condition: service_completed_successfully}}
volumes:
  data:
"""
DEAD = "import json, sys; from hullmark._smoke.owner import labels_of_run as l; print(json.dumps(l(sys.argv[1])))"


@contextmanager
def _listening(prefix: str) -> Iterator[Counter[str]]:
    """How many events of each project whose name begins with `prefix` the engine has told of so far."""
    counts: Counter[str] = Counter()
    process = subprocess.Popen(
        ("docker", "events", "--since", "1s", "--format", "{{json .}}"), stdout=subprocess.PIPE, text=True
    )

    def count() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if (at := line.find(f"hullmark-{prefix}-")) >= 0:
                    # The number of the project follows, and what is drawn for each run.
                    counts[line[at:].split("-")[2]] += 1

    reader = threading.Thread(target=count, daemon=True)
    reader.start()
    try:
        yield counts
    finally:
        process.terminate()
        process.wait()
        reader.join()


def _left(bench: Any, prefix: str) -> dict[str, set[str]]:
    """What there is of runs whose name begins with `prefix`, by run."""
    api, filters = bench.engine.client.api, {"label": "io.hullmark.run"}
    raw = [(each["Id"], each["Labels"]) for each in api.containers(all=True, filters=filters)]
    raw += [(each["Name"], each["Labels"]) for each in api.networks(filters=filters)]
    raw += [(each["Name"], each["Labels"]) for each in api.volumes(filters=filters)["Volumes"] or ()]
    raw += [(each["Id"], each["Labels"]) for each in api.images(filters=filters) if each.get("RepoTags")]
    found: dict[str, set[str]] = {}
    for name, labels in raw:
        if (run := labels["io.hullmark.run"]).startswith(prefix):
            found.setdefault(run, set()).add(name)
    return found


def _project(bench: Any, number: int) -> Path:
    root: Path = bench.root / f"{bench.root.name}-{number}"
    (root / "mine").mkdir(parents=True)
    (root / "mine/file").write_text("mine", encoding="utf-8")
    (root / "compose.yml").write_text(STACK.replace("BOX", bench.images.box), encoding="utf-8")
    return root


def _killed(bench: Any, temporary: Path, counts: Counter[str], number: int, pause: float) -> tuple[int, bool]:
    """How a run ended that was killed `pause` seconds after its event `number`, and whether it left anything."""
    root = _project(bench, number)
    process = subprocess.Popen(
        (sys.executable, "-m", "hullmark", "-C", str(root), "-q", "smoke"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    deadline = time.monotonic() + 300
    # The first ones are killed before they have done anything.
    while number > 1 and counts[str(number)] < number and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(pause)
    process.kill()
    code = process.wait()
    return code, bool(_left(bench, f"hullmark-{root.name}-"))


@contextmanager
def _bystanders(bench: Any, prefix: str) -> Iterator[set[str]]:
    """What sounds like a run, or is one that may not be touched: of somebody who lives, or kept on purpose."""
    client = bench.engine.client
    kept = {**_of_the_dead(f"{prefix}-kept"), "io.hullmark.kept": "true"}
    made: list[Any] = [
        client.volumes.create(f"{prefix}-unlabelled"),
        client.volumes.create(f"{prefix}-other", labels={"io.hullmark.owner": kept["io.hullmark.owner"]}),
        client.volumes.create(f"{prefix}-living", labels=labels_of_run(f"{prefix}-living")),
        client.volumes.create(f"{prefix}-kept", labels=kept),
        client.networks.create(f"{prefix}-unlabelled"),
        client.networks.create(f"{prefix}-living", labels=labels_of_run(f"{prefix}-living")),
        client.containers.create(bench.images.bare, ["/sleep", "1"], name=f"{prefix}-unlabelled-web-1"),
        client.containers.create(bench.images.bare, ["/sleep", "1"], labels=kept),
    ]
    try:
        yield {str(each.id) for each in made}
    finally:
        for each in reversed(made):
            each.remove(**({"force": True} if hasattr(each, "image") else {}))


def _of_the_dead(run: str) -> dict[str, str]:
    """The labels of a run whose process has ended."""
    ended = subprocess.run((sys.executable, "-c", DEAD, run), check=True, capture_output=True)
    labels: dict[str, str] = json.loads(ended.stdout)
    return labels


def _there(bench: Any) -> set[str]:
    client = bench.engine.client
    found = [*client.containers.list(all=True, ignore_removed=True), *client.networks.list()]
    return {str(each.id) for each in (*found, *client.volumes.list())}


def _image_of_the_dead(run: str) -> None:
    words = [word for each in _of_the_dead(run).items() for word in ("--label", "=".join(each))]
    argv = ("docker", "build", "-q", "-t", f"{run}:stage", *words, "-")
    subprocess.run(argv, input=b"FROM scratch\nLABEL a=b\n", check=True, capture_output=True)


def _clear() -> str:
    argv = (sys.executable, "-m", "hullmark", "smoke", "--reap")
    cleared = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert cleared.returncode == 0, cleared.stderr
    return cleared.stdout


def test_killed_at_any_moment_a_run_leaves_nothing_that_clearing_does_not_remove(
    bench: Any, tmp_path: Path
) -> None:
    prefix = bench.root.name
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    chance = random.Random(20261124)  # noqa: S311  # the same moments each time
    pauses = [chance.uniform(0.0, 0.3) for _ in range(MOMENTS)]
    with _bystanders(bench, f"hullmark-{prefix}by") as bystanders:
        with _listening(prefix) as counts, ThreadPoolExecutor(max_workers=4) as pool:
            ended = list(
                pool.map(
                    lambda number: _killed(bench, temporary, counts, number, pauses[number]), range(MOMENTS)
                )
            )
        assert [code for code, _ in ended] == [-signal.SIGKILL] * MOMENTS
        # What the next run, or one of another test, has cleared by then is not seen any more.
        assert sum(left for _, left in ended) >= MOMENTS // 2
        _image_of_the_dead(f"hullmark-{prefix}-image")
        said = _clear()
        assert f"kept hullmark-{prefix}by-kept: " in said
        assert f"removed hullmark-{prefix}by" not in said
        deadline = time.monotonic() + 120
        # What was asked of the engine before the kill may come into being after the first look.
        while _left(bench, f"hullmark-{prefix}-") and time.monotonic() < deadline:
            _clear()
        assert _left(bench, f"hullmark-{prefix}-") == {}
        assert bystanders <= _there(bench)
    assert list(temporary.iterdir()) == []
    for number in range(MOMENTS):
        assert (bench.root / f"{prefix}-{number}/mine/file").read_text(encoding="utf-8") == "mine"
