"""The scaffold of a rule, in a copy of the repository: what it writes fails until it is filled in, and then passes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]

FUNCTION = """\
    for instruction in stage.instructions:
        if instruction.keyword == "RUN" and "wrong" in instruction.value:
            yield Observation(
                location=instruction.span, seen="wrong", expected="right", remedy="write `RUN the right way`"
            )
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for part in ("src", "tests/rules"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _run(copy: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *argv],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _tests(copy: Path, name: str) -> tuple[set[str], set[str], str]:
    """The tests that name the rule: those that passed, those that failed, and what was printed."""
    expression = f"{name} or {name.replace('-', '_')}"
    run = _run(
        copy,
        "pytest",
        "tests/rules",
        "-k",
        expression,
        "-p",
        "no:cacheprovider",
        "-rA",
        "-n",
        "0",
        "--tb",
        "no",
    )
    passed = set(re.findall(r"^PASSED (.*?)$", run.stdout, re.MULTILINE))
    failed = set(re.findall(r"^FAILED (.*?)(?: - .*)?$", run.stdout, re.MULTILINE))
    return passed, failed, run.stdout + run.stderr


def test_stubs_of_a_dockerfile_rule_fail_until_they_are_filled_in(
    new_rule: ModuleType, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_rule.main(["dockerfile", "wrong-way"], copy) == 0
    told = capsys.readouterr().out
    module = copy / "src/hullmark/rules/dockerfile/wrong_way.py"
    cases = sorted((copy / "tests/rules/dockerfile/wrong-way").iterdir())
    assert len(cases) == 6
    for path in (module, *cases):
        assert f"wrote {path.relative_to(copy)}" in told
    for step in ("make generate", "CHANGELOG.md", "-k 'wrong-way or wrong_way'"):
        assert step in told
    style = _run(copy, "ruff", "check", str(module))
    assert style.returncode == 0, style.stdout
    assert _run(copy, "ruff", "format", "--check", str(module)).returncode == 0

    _, failed, output = _tests(copy, "wrong-way")
    for path in cases:
        assert any(f"[wrong-way/{path.stem}]" in test for test in failed), output

    module.write_text(
        module.read_text("utf-8").replace("    raise NotImplementedError\n", FUNCTION), encoding="utf-8"
    )
    _, failed, output = _tests(copy, "wrong-way")
    left = {path.stem for path in cases if any(f"[wrong-way/{path.stem}]" in test for test in failed)}
    assert left == {"good-1", "good-2", "good-3"}, output

    for path in cases:
        if path.stem.startswith("good-"):
            path.write_text("FROM debian:12\nRUN true\n", encoding="utf-8")
    passed, failed, output = _tests(copy, "wrong-way")
    assert passed, output
    assert not failed, output


def test_stubs_of_a_compose_rule_fail_until_they_are_filled_in(
    new_rule: ModuleType, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_rule.main(["compose", "wrong-way"], copy) == 0
    assert "tests/rules/compose/wrong-way: cases" in capsys.readouterr().out
    module = copy / "src/hullmark/rules/compose/wrong_way.py"
    style = _run(copy, "ruff", "check", str(module))
    assert style.returncode == 0, style.stdout
    # The one conftest that these tests share with others is above the copied part.
    shutil.copy(ROOT / "tests/conftest.py", copy / "tests/conftest.py")
    _, failed, output = _tests(copy, "wrong-way")
    assert {case for case in ("wrong-way/bad", "wrong-way/good") if any(case in test for test in failed)} == {
        "wrong-way/bad",
        "wrong-way/good",
    }, output


@pytest.mark.parametrize("target", ["image", "runtime"])
def test_stubs_of_other_rules_fail_until_they_are_filled_in(
    new_rule: ModuleType, copy: Path, target: str
) -> None:
    assert new_rule.main([target, "wrong-way"], copy) == 0
    module = copy / f"src/hullmark/rules/{target}/wrong_way.py"
    style = _run(copy, "ruff", "check", str(copy / "src/hullmark/rules"), str(copy / "tests/rules" / target))
    assert style.returncode == 0, style.stdout
    assert _run(copy, "ruff", "format", "--check", str(module)).returncode == 0
    _, failed, output = _tests(copy, "wrong-way")
    assert sum("test_wrong_way.py" in test for test in failed) == 2, output


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dockerfile"],
        ["dockerfile", "Wrong"],
        ["dockerfile", "wrong_way"],
        ["dockerfile", "no-way"],
        ["dockerfile", "-"],
        ["kubernetes", "wrong-way"],
        ["dockerfile", "../../wrong"],
        ["image", "apt-recommends"],
    ],
    ids=" ".join,
)
def test_what_makes_no_rule_is_refused_and_writes_nothing(
    new_rule: ModuleType, tmp_path: Path, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "src/hullmark/rules/dockerfile/apt_recommends.py"
    taken.parent.mkdir(parents=True)
    taken.touch()
    assert new_rule.main(argv, tmp_path) == 2
    assert capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [taken]
