"""A disk that runs full while an image is built, on an engine whose disk is small."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullmark._compose import resolve
from hullmark._engines import build_service
from hullmark._process import SystemCommands
from hullmark.errors import Unavailable
from hullmark.model.project import Settings
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._process import Commands

pytestmark = pytest.mark.docker

BASE = "debian:bookworm-slim"
COMPOSE = """\
name: full
services:
  run: {build: {context: ., dockerfile: Run, network: none}}
  copy: {build: {context: ., dockerfile: Copy, network: none}}
"""
PRINTED = {
    "run": """\
#5 [run 2/2] RUN head -c 400000000 /dev/zero >/big
#5 0.411 head: error writing 'standard output': No space left on device
#5 ERROR: process "/bin/sh -c head -c 400000000 /dev/zero >/big" did not complete successfully: exit code: 1
------
 > [run 2/2] RUN head -c 400000000 /dev/zero >/big:
0.411 head: error writing 'standard output': No space left on device
------
failed to solve: process "/bin/sh -c head -c 400000000 /dev/zero >/big" did not complete successfully: exit code: 1
""",
    "copy": """\
#5 [copy internal] load build context
#5 ERROR: write /data/overlay2/u72ldrccs4jxcoggdbqm5k6hw/diff/big: no space left on device
------
 > [copy internal] load build context:
------
failed to solve: write /data/overlay2/u72ldrccs4jxcoggdbqm5k6hw/diff/big: no space left on device
""",
}
"""What such an engine printed, for those who may not start one."""


@pytest.fixture
def small() -> Iterator[str | None]:
    """The address of an engine of its own with a disk of 200 MB; `None` for whoever may not start one."""
    program = shutil.which("dockerd")
    if os.geteuid() != 0 or program is None:
        yield None
        return
    root = Path(tempfile.mkdtemp(prefix="hullmark-"))
    (root / "disk").mkdir()
    address = f"unix://{root}/engine.sock"
    # Disk and network are this engine's alone, and go with it: without a bridge of its own it removes the one there is.
    script = f'mount -t tmpfs -o size=200m tmpfs {root}/disk && exec "$@"'
    argv = (program, "-H", address, "--data-root", f"{root}/disk/data", "--exec-root", f"{root}/exec")
    quiet = ("--pidfile", f"{root}/pid", "--bridge=none", "--iptables=false", "--ip6tables=false")
    process = subprocess.Popen(
        ("unshare", "--mount", "--net", "sh", "-c", script, "sh", *argv, *quiet),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    docker = {**os.environ, "DOCKER_HOST": address}
    try:
        deadline = time.monotonic() + 60
        while (
            subprocess.run(("docker", "info"), env=docker, capture_output=True, check=False).returncode != 0
        ):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with subprocess.Popen(("docker", "save", BASE), stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ("docker", "load", "-q"), stdin=saving.stdout, env=docker, check=True, capture_output=True
            )
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)
        shutil.rmtree(root)


@pytest.mark.parametrize("service", ["run", "copy"])
def test_a_disk_that_runs_full_is_the_machines_fault_whoever_notices(
    tmp_path: Path, commands: Commands, small: str | None, service: str
) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "Run").write_text(f"FROM {BASE}\nRUN head -c 400000000 /dev/zero >/big\n", encoding="utf-8")
    (tmp_path / "Copy").write_text(f"FROM {BASE}\nCOPY big /big\n", encoding="utf-8")
    with (tmp_path / "big").open("wb") as file:
        file.truncate(300_000_000)
    project = resolve(tmp_path, Settings(), commands)
    builder: Commands
    if small is None:
        answer = ScriptedCommands.completed("", stderr=PRINTED[service], returncode=17)
        builder = ScriptedCommands({("docker", "compose"): answer})
    else:
        builder = SystemCommands({**os.environ, "DOCKER_HOST": small}, threading.Event())
    with pytest.raises(Unavailable) as caught:
        build_service(project, project.service(service), builder, lambda _: None)
    assert caught.value.message == f"building `{service}` failed: no space left on the engine's disk"
