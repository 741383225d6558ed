"""What the README shows is what one sees."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_output_that_is_shown_is_the_one_of_the_golden_file() -> None:
    golden = (ROOT / "tests/golden/lint-findings/case.txt").read_text(encoding="utf-8")
    command, stdout = (
        golden.partition("\n")[0],
        golden.partition("--- stdout\n")[2].partition("--- stderr\n")[0],
    )
    (shown,) = (
        block for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) if "verdict:" in block
    )
    assert re.sub(r"\d+\.\d s\b", "<TIME>", shown) == f"{command}\n{stdout}"


def test_the_example_of_the_library_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(
        ROOT / "examples",
        tmp_path / "examples",
        ignore=shutil.ignore_patterns("node_modules", "trivy-reports"),
    )
    completed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert completed.stdout == "Status.CLEAN []\n"


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    ran = [line for line in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines() if "make" in line]
    assert ran[-1] == "make test"
    assert "$ make test " in README
