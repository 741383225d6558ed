"""A place to run the scripts in: fake programs first on PATH, and no way to the real engine or to apt."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

BOOKWORM = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'

# What an engine would answer is what files in $FAKE say; an absent file is an absent thing.
DOCKER = """
case "$1 ${2-}" in
"version --format") cat "$FAKE/engine" 2>/dev/null ;;
"compose version") cat "$FAKE/compose" 2>/dev/null ;;
"buildx version") [[ -e $FAKE/buildx ]] && echo "github.com/docker/buildx $(<"$FAKE/buildx") 0123abc" ;;
"context inspect") echo "${DOCKER_HOST:-unix:///var/run/docker.sock}" ;;
*) exit 64 ;;
esac
"""

# The archive that a bookworm host would know, with a password in one address, and a stranger's archive first.
APT = """
case "$*" in
indextargets*)
    echo "Stranger main bookworm http://stranger.example/debian/"
    echo "Debian main bookworm http://user:hunter2@mirror.example/debian/"
    echo "Debian main bookworm-updates http://mirror.example/debian/"
    echo "Debian main bookworm-security http://mirror.example/debian-security/"
    ;;
*) exit 64 ;;
esac
"""


@dataclass
class Sandbox:
    """Fake programs, what they were called with, and the environment that makes a script find only them."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay out the directories and the fakes that no test may go without."""
        for name in ("bin", "fake", "tmp"):
            (self.root / name).mkdir()
        self.environment = {
            "PATH": f"{self.root / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "FAKE": str(self.fake),
            "TMPDIR": str(self.tmp),
            "HULLMARK_ENGINE_STATE": str(self.state),
            "HULLMARK_ENGINE_PIDFILE": str(self.pidfile),
            "HULLMARK_OS_RELEASE": str(self.root / "os-release"),
        }
        (self.root / "os-release").write_text(BOOKWORM, encoding="utf-8")
        self.program("docker", DOCKER)
        self.program("apt-get", APT)
        self.program("id", "echo 0")
        for name in ("dockerd", "mmdebstrap"):
            self.program(name, "exit 127")

    @property
    def fake(self) -> Path:
        """Where the fakes look up their answers."""
        return self.root / "fake"

    @property
    def tmp(self) -> Path:
        """The directory for temporary files."""
        return self.root / "tmp"

    @property
    def state(self) -> Path:
        """The state directory of scripts/engine."""
        return self.root / "state"

    @property
    def pidfile(self) -> Path:
        """The pid file of dockerd."""
        return self.root / "docker.pid"

    def program(self, name: str, body: str) -> None:
        """Put a fake program on PATH; each call is noted as one line of `calls`."""
        path = self.root / "bin" / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"$FAKE/calls"\n{body}\n', encoding="utf-8")
        path.chmod(0o755)

    def answers(self, **versions: str | None) -> None:
        """Say what the fake docker answers as the version of `engine`, `compose` and `buildx`."""
        for name, version in versions.items():
            path = self.fake / name
            if version is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(f"{version}\n", encoding="utf-8")

    def calls(self, program: str) -> list[str]:
        """Say how a fake program was called."""
        log = self.fake / "calls"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [line.removeprefix(program).strip() for line in lines if line.split()[0] == program]

    def start(self, script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a script."""
        return subprocess.Popen(
            # Where pytest runs in a background job, Ctrl-C is ignored, and a shell cannot undo that.
            ["env", "--default-signal=INT", SCRIPTS / script, *arguments],
            env=self.environment | environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        process = self.start(script, *arguments, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def kill_leftovers(self) -> None:
        """Kill the fakes that are still running: processes whose command line names this sandbox."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.fsencode(self.root / "bin") in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Make a sandbox in which no engine answers yet."""
    made = Sandbox(tmp_path)
    yield made
    made.kill_leftovers()
