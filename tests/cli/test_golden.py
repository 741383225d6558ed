"""The command line, word for word: what goes in, what comes out on each stream, and the exit code.

A case is a directory under `tests/golden` with a file `case.txt` and, where it needs one, a directory `project` that
the command runs in. `HULLMARK_UPDATE_GOLDEN=1` writes what is seen into the files, for review in the diff.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from hullmark._cli import main

CASES = Path(__file__).parents[1] / "golden"
UPDATE = "HULLMARK_UPDATE_GOLDEN"
PARTS = ("exit", "stdout", "stderr")


def _environ() -> dict[str, str]:
    """What a command needs to find Docker's command line, and nothing that changes what it says."""
    kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG")
    # What hadolint says depends on its version.
    return {"HULLMARK_HADOLINT": "never"} | {name: os.environ[name] for name in kept if name in os.environ}


def _run(arguments: list[str], directory: Path) -> dict[str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["-C", str(directory), *arguments], stdout=stdout, stderr=stderr, environ=_environ())
    return {
        "exit": f"{code}\n",
        "stdout": _scrubbed(stdout.getvalue(), directory),
        "stderr": _scrubbed(stderr.getvalue(), directory),
    }


def _scrubbed(text: str, directory: Path) -> str:
    text = text.replace(str(directory), "<PROJECT>")
    text = re.sub(r"\b\d+(\.\d+)? m?s\b", "<TIME>", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _read(path: Path) -> tuple[list[str], dict[str, str]]:
    first, *rest = re.split(r"^--- (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    program, *arguments = shlex.split(first.removeprefix("$ "))
    assert program == "hullmark"
    return arguments, dict(zip(rest[::2], rest[1::2], strict=True))


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_the_command_line_says_what_it_always_said(case: str, tmp_path: Path) -> None:
    directory = tmp_path / "project"
    if (CASES / case / "project").is_dir():
        shutil.copytree(CASES / case / "project", directory)
    else:
        directory.mkdir()
    (directory / ".git").mkdir()  # the search for a project ends here
    path = CASES / case / "case.txt"
    arguments, expected = _read(path)
    seen = _run(arguments, directory)
    if os.environ.get(UPDATE):
        written = f"$ {shlex.join(['hullmark', *arguments])}\n"
        path.write_text(written + "".join(f"--- {part}\n{seen[part]}" for part in PARTS), encoding="utf-8")
    assert seen == expected


def test_the_golden_files_are_not_being_rewritten() -> None:
    assert UPDATE not in os.environ, "golden files were rewritten, not checked"
