"""Repositories to change."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRON = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "HULLMARK_", "COMPOSE_"))
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
    # Repositories next to each other are cloned and used as submodules.
    "GIT_ALLOW_PROTOCOL": "file",
}
"""Nothing of whoever runs the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A repository of a test."""

    top: Path
    environ: Mapping[str, str]

    def git(self, *arguments: str) -> str:
        """What git answers, without the line end."""
        done = subprocess.run(
            ("git", *arguments),
            cwd=self.top,
            env=dict(self.environ),
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, **files: str) -> None:
        """Writes files; `__` in a name stands for a slash."""
        self.write_all({name.replace("__", "/"): text for name, text in files.items()})

    def write_all(self, files: Mapping[str, str]) -> None:
        """Writes files, by path."""
        for name, text in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        """Writes files and commits all there is; the id of the commit."""
        self.write_all(files or {})
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    @property
    def commands(self) -> SystemCommands:
        """The programs of this machine, in the environment of the test."""
        return SystemCommands(self.environ, threading.Event())


def checkout(top: Path) -> Checkout:
    """An empty repository at `top`."""
    top.mkdir(parents=True, exist_ok=True)
    made = Checkout(top=top, environ=ENVIRON)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Checkout:
    """An empty repository."""
    return checkout(tmp_path / "work")


@pytest.fixture
def environ() -> Mapping[str, str]:
    """The environment of a test, with nothing of whoever runs it."""
    return ENVIRON
