"""A cache of BuildKit that has lost a part of itself, on an engine of its own, and what the doctor makes of it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.doctor.conftest import LOGS

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

SETTINGS = {"features": {"containerd-snapshotter": True}}
"""Where the engine keeps its layers as containerd does; there it says what the guide quotes."""


class Engine:
    """An engine with a directory, a network and a list of mounts that nobody else has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {**os.environ, "DOCKER_HOST": f"unix://{root}/engine.sock"}
        (root / "daemon.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        where = ("--data-root", f"{self.root}/data", "--exec-root", f"{self.root}/exec")
        files = ("--config-file", f"{self.root}/daemon.json", "--pidfile", f"{self.root}/pid")
        # Told to have no bridge, an engine removes the one there is: that of its own network, not the host's.
        alone = ("unshare", "--mount", "--net", "dockerd")
        quiet = ("--bridge=none", "--iptables=false", "--ip6tables=false")
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                (*alone, "-H", self.environ["DOCKER_HOST"], *where, *files, *quiet), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 120
        while self.run("version", check=False).returncode != 0:
            told = (self.root / "log").read_text("utf-8", "replace")[-2000:]
            assert self._process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=120)
            self._process = None

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """What the client did, both of its streams in one."""
        done = subprocess.run(
            ("docker", *words),
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def lose_the_metadata(self) -> None:
        """What a full disk, or a clean-up that went too far, does: BuildKit knows layers that containerd does not."""
        self.stop()
        (self.root / "data/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db").unlink()
        self.start()


@pytest.fixture
def engine() -> Iterator[Engine | None]:
    """An engine of the test's own; `None` for whoever may not start one."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        yield None
        return
    # Short, because sockets lie in it.
    root = Path(tempfile.mkdtemp(prefix="hullmark-"))
    made = Engine(root)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(root)


def test_a_cache_that_lost_a_layer_is_told_and_repaired(tmp_path: Path, engine: Engine | None) -> None:
    """Whoever may not start an engine has what one printed."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY first /\nCOPY second /\n", encoding="utf-8")
    (tmp_path / "first").write_text("first", encoding="utf-8")
    (tmp_path / "second").write_text("second", encoding="utf-8")
    build = ("build", "--progress", "plain", str(tmp_path))
    said = (LOGS / "corrupted-build-cache-parent.log").read_text("utf-8")
    if engine is not None:
        engine.run(*build)
        engine.lose_the_metadata()
        (tmp_path / "second").write_text("changed", encoding="utf-8")
        done = engine.run(*build, check=False)
        assert done.returncode != 0
        said = done.stdout
    assert "parent snapshot " in said
    log = tmp_path / "output.log"
    log.write_text(said, encoding="utf-8")

    def doctor(*argv: str) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        words = ("-C", str(tmp_path), "doctor", "--log", str(log), "--format", "json", *argv)
        environ = engine.environ if engine is not None else os.environ
        return main(words, stdout=out, stderr=err, environ=environ), out.getvalue()

    code, out = doctor()
    (found,) = json.loads(out)["log"]["diagnoses"]
    assert (code, found["situation"]) == (1, "corrupted-build-cache")
    assert found["values"]["missing"] in said
    assert found["remedies"][0]["command"] == "docker builder prune -f"
    if engine is not None:
        code, out = doctor("--fix", "--yes")
        assert (code, json.loads(out)["log"]["diagnoses"][0]["repair"]["applied"]) == (0, True)
        engine.run(*build)
