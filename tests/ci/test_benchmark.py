"""The benchmark of `hullmark affected` measures what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_of_what_is_affected_compares_and_finds_the_three_services() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "benchmarks/affected.py", "--rounds", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    times = [
        float(re.search(rf"^{name} +([0-9.]+) ms", run.stdout, re.MULTILINE)[1])  # type: ignore[index]
        for name in ("hullmark affected", "git diff --name-only", "git ls-files -s, hash-object")
    ]
    ratio = float(re.search(r"^ +([0-9.]+) times", run.stdout, re.MULTILINE)[1])  # type: ignore[index]
    assert abs(ratio - times[0] / times[1]) < 0.1
    aimed = re.findall(r"([0-9.]+) times   \(aimed at: at most ([0-9.]+)\)", run.stdout)
    assert len(aimed) == 2, run.stderr
    # What is missed is not only printed; a ratio that is rounded to its limit may be on either side of it.
    if all(ratio != f"{float(limit):.2f}" for ratio, limit in aimed):
        assert run.returncode == any(float(ratio) > float(limit) for ratio, limit in aimed)
