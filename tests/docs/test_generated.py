"""What is derived from the code is what the code says, and the script that derives it notices when it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from hullmark.rules import catalogue

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(generate: ModuleType, tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    for name in ("configuration.md", "doctor.md", "secrets.md"):
        shutil.copy(ROOT / "docs" / name, tmp_path / "docs")
    assert generate.main([], tmp_path) == 0
    return tmp_path


def test_generated_files_are_up_to_date(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


def test_a_second_run_writes_nothing(
    generate: ModuleType, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert generate.main([], tree) == 0
    assert capsys.readouterr().out == ""


def test_a_check_names_what_is_out_of_date_and_changes_nothing(
    generate: ModuleType, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed, missing, stale = (
        tree / "docs/configuration.md",
        tree / "docs/rules/root-user.md",
        tree / "docs/rules/gone.md",
    )
    before = changed.read_text("utf-8").replace("`HULLMARK_FAIL_ON`", "`HULLMARK_FAIL`")
    changed.write_text(before, encoding="utf-8")
    missing.unlink()
    stale.write_text("# gone\n", encoding="utf-8")
    capsys.readouterr()
    assert generate.main(["--check"], tree) == 1
    assert capsys.readouterr().out.splitlines() == [
        "docs/rules/root-user.md is out of date: run `make generate`",
        "docs/configuration.md is out of date: run `make generate`",
        "docs/rules/gone.md belongs to no rule: run `make generate`",
    ]
    assert changed.read_text("utf-8") == before
    assert not missing.exists()
    assert generate.main([], tree) == 0
    assert not stale.exists()
    assert generate.main(["--check"], tree) == 0


def test_what_stands_around_the_markers_is_kept(generate: ModuleType, tree: Path) -> None:
    path = tree / "docs/configuration.md"
    path.write_text(f"before\n{path.read_text('utf-8')}after\n", encoding="utf-8")
    assert generate.main(["--check"], tree) == 0


def test_a_document_without_its_markers_is_refused(generate: ModuleType, tree: Path) -> None:
    (tree / "docs/configuration.md").write_text("no place for options\n", encoding="utf-8")
    with pytest.raises(ValueError, match="options"):
        generate.main([], tree)


def test_an_unknown_flag_is_refused(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


def test_every_rule_has_a_page_and_a_row() -> None:
    index = (ROOT / "docs/rules/README.md").read_text("utf-8")
    for rule in catalogue():
        assert f"| [{rule.id}]({rule.id}.md) | {rule.severity} |" in index
        assert (ROOT / f"docs/rules/{rule.id}.md").read_text("utf-8").startswith(f"# {rule.id}\n")


def test_a_page_keeps_prose_and_code_apart(generate: ModuleType) -> None:
    body = "What it checks\n    One.\n\n    Two.\n\nHow to fix\n    Bad:\n\n        RUN a \\\n            b\n\n        RUN c\n"
    assert generate.as_markdown(body) == (
        "## What it checks\n\nOne.\n\nTwo.\n\n## How to fix\n\n"
        "Bad:\n\n```dockerfile\nRUN a \\\n    b\n\nRUN c\n```"
    )


def test_no_code_of_a_page_has_doubled_its_backslashes() -> None:
    assert not [rule.id for rule in catalogue() if "\\\\" in rule.page]


def test_no_page_is_a_stub(new_rule: ModuleType) -> None:
    stub = {line for line in new_rule.MODULE.split('"""')[1].splitlines() if "ay " in line}
    assert len(stub) == 4
    for rule in catalogue():
        assert not stub & {
            line if line.startswith("Say") else f"    {line.strip()}" for line in rule.page.splitlines()
        }
        assert "say in lower case" not in rule.summary


@pytest.mark.parametrize("path", sorted((ROOT / "docs/schemas").iterdir()), ids=lambda path: path.name)
def test_a_published_schema_is_a_schema(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)
