"""Runs whose process was killed, and runs that go on: what the next run removes and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke import reap
from hullmark._smoke.reap import remove_run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

STACK = """
services:
  web:
    image: BOX
    command: [sleep, "600"]
    volumes: [/anonymous, "named:/named", "./data:/data"]
    ports: ["8080"]
volumes:
  named:
"""
OWNER = """
import os, sys, threading
from pathlib import Path
from hullmark._compose import resolve
from hullmark._engines import connect
from hullmark._process import SystemCommands
from hullmark._smoke.stack import running
from hullmark.model.project import Settings

cancelled = threading.Event()
commands = SystemCommands(os.environ, cancelled)
engine = connect(commands, os.environ, cancelled)
project = resolve(Path(sys.argv[1]), Settings(), commands)
with running(project, engine, commands, timeout=60) as stack:
    print(stack.name, flush=True)
    sys.stdin.read()
"""


READER = """
import os, sys, threading
from pathlib import Path
from hullmark._compose import resolve
from hullmark._dockerfile import load
from hullmark._engines import connect
from hullmark._engines.stages import stage_images
from hullmark._process import SystemCommands
from hullmark._smoke import labels_of_run
from hullmark.model.project import Settings

cancelled = threading.Event()
commands = SystemCommands(os.environ, cancelled)
engine = connect(commands, os.environ, cancelled)
root = Path(sys.argv[1])
project = resolve(root, Settings(), commands)
service = project.service("web")
recipe = load(Path("Dockerfile"), root).recipe(None)
with stage_images(project, service, recipe, engine, commands, labels=labels_of_run) as names:
    print(names[0], flush=True)
    sys.stdin.read()
"""


@contextmanager
def _run(bench: Any) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A run in a process of its own that goes on until it is told to end, and its name."""
    (bench.root / "data").mkdir()
    bench.project(STACK)
    process = subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(OWNER), str(bench.root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    name = ""
    try:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name.startswith("hullmark-")
        yield name, process
    finally:
        process.communicate(timeout=60)
        if name:
            remove_run(bench.engine, name)


def _volumes(bench: Any, name: str) -> set[str]:
    (container,) = bench.engine.client.containers.list(filters={"label": f"io.hullmark.run={name}"})
    return {str(mount["Name"]) for mount in container.attrs["Mounts"]}


def test_what_a_killed_run_left_is_removed_by_the_next(bench: Any) -> None:
    with _run(bench) as (name, process):
        volumes = _volumes(bench, name)
        assert len(volumes) == 3
        # The container, the network, and the volumes that have a name: the third holds a copy of `data`.
        assert len(bench.left(name)) == 4
        process.kill()
        process.wait()
        assert name in reap(bench.engine)
        assert bench.left(name) == []
        assert not volumes & {volume.name for volume in bench.engine.client.volumes.list()}
        assert name not in reap(bench.engine)


def test_the_image_of_a_stage_is_removed_with_its_run_and_not_before(bench: Any) -> None:
    (bench.root / "Dockerfile").write_text(
        f"FROM {bench.images.box} AS whole\nLABEL mine=kept\nFROM scratch\nCOPY --from=whole / /\n",
        encoding="utf-8",
    )
    bench.project("services:\n  web:\n    build: .\n")
    process = subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(READER), str(bench.root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    client = bench.engine.client
    try:
        run = client.images.get(name).labels["io.hullmark.run"]
        assert name.startswith(f"{run}:")
        assert run not in reap(bench.engine)
        assert client.images.get(name).labels["mine"] == "kept"
        process.kill()
        process.wait()
        assert run in reap(bench.engine)
        assert name not in {tag for image in client.images.list() for tag in image.tags}
        assert run not in reap(bench.engine)
    finally:
        process.communicate(timeout=60)


def test_a_run_that_goes_on_is_left_alone(bench: Any) -> None:
    with _run(bench) as (name, _):
        before = sorted(bench.left(name))
        assert name not in reap(bench.engine)
        assert sorted(bench.left(name)) == before
    assert bench.left(name) == []


def _reaped(bench: Any, name: str) -> None:
    """Has what there is of the killed run `name` removed.

    What was asked of the engine before the kill may come into being after it; the run after that gets it.
    """
    deadline = time.monotonic() + 120
    reap(bench.engine)
    while bench.left(name) and time.monotonic() < deadline:
        reap(bench.engine)
    assert bench.left(name) == []


def test_what_is_killed_while_it_starts_is_removed_too(bench: Any) -> None:
    (bench.root / "data").mkdir()
    bench.project(STACK)
    process = subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(OWNER), str(bench.root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    project = bench.root.name
    client = bench.engine.client
    deadline = time.monotonic() + 300

    def labelled() -> list[str]:
        networks = client.networks.list(filters={"label": "io.hullmark.run"})
        return [str(n.attrs["Labels"]["io.hullmark.run"]) for n in networks if project in str(n.name)]

    while not labelled():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (name,) = labelled()
    process.kill()
    process.communicate()
    _reaped(bench, name)


def test_what_is_killed_while_it_copies_is_removed_too(bench: Any) -> None:
    (bench.root / "data").mkdir()
    # A file with a hole takes no time to write, and some to copy.
    with (bench.root / "data/large").open("wb") as file:
        file.truncate(900_000_000)
    bench.project(STACK)
    process = subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(OWNER), str(bench.root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    client = bench.engine.client
    deadline = time.monotonic() + 300
    name = ""

    def copying() -> bool:
        nonlocal name
        for container in client.containers.list(
            all=True, filters={"label": "io.hullmark.run"}, ignore_removed=True
        ):
            if bench.root.name in container.labels["io.hullmark.run"]:
                name = container.labels["io.hullmark.run"]
                if container.labels.get("com.docker.compose.project") == "":
                    return True
        return False

    while not copying():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    _reaped(bench, name)


def test_a_run_of_nobody_that_is_known_is_left_alone(bench: Any) -> None:
    client = bench.engine.client
    name = f"hullmark-{bench.root.name}"
    labels = {"io.hullmark.run": name, "io.hullmark.owner": "nobody"}
    network = client.networks.create(name, labels=labels)
    try:
        assert name not in reap(bench.engine)
        assert bench.left(name) == [name]
    finally:
        network.remove()
