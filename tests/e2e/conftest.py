"""Copies of the reference stack that may be broken, and `hullmark` as a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._engines import Engine

TALE = Path(__file__).resolve().parents[2] / "examples" / "tale"
SERVICES = ("crawler", "db", "platform", "proxy", "rag")
_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run of `hullmark` left: its exit code, its report, and what it wrote."""

    exit_code: int
    report: dict[str, Any]
    stderr: str

    @property
    def findings(self) -> list[tuple[str, str | None]]:
        """Rule and service of every finding."""
        return [(finding["rule"], finding["service"]) for finding in self.report["findings"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """A copy of the reference stack whose images have a version of their own."""

    root: Path
    version: str

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces `old`, which must be there exactly once, in one of its files."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a run: another tag than everybody else's, and the host's certificate authorities."""
        environ = {**os.environ, "VERSION": self.version, "HULLMARK_HADOLINT": "never"}
        if _CA_BUNDLE.is_file():
            environ.setdefault("SSL_CERT_FILE", str(_CA_BUNDLE))
        return environ

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `hullmark` here."""
        return subprocess.Popen(
            [sys.executable, "-m", "hullmark", "-C", str(self.root), *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Outcome:
        """Runs `hullmark` here to its end."""
        process = self.start(*arguments, "--format", "json")
        stdout, stderr = process.communicate(timeout=600)
        assert stdout, stderr
        return Outcome(exit_code=process.returncode, report=json.loads(stdout), stderr=stderr)


@pytest.fixture
def tale(tmp_path: Path, engine: Engine) -> Iterator[Tale]:
    """A copy of the reference stack; its images are removed afterwards."""
    root = tmp_path / "tale"
    shutil.copytree(
        TALE, root, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "trivy-reports", ".env")
    )
    (root / ".git").mkdir()
    version = f"0.0.0-test.x{secrets.token_hex(4)}"
    yield Tale(root=root, version=version)
    for service in SERVICES:
        for image in engine.client.images.list(f"tale-{service}:{version}"):
            engine.client.images.remove(f"tale-{service}:{version}", force=True, noprune=True)
            del image
