"""`hullmark docs sync`: sizes in documents are those that were measured."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main
from hullmark._documents import BEGIN, END

if TYPE_CHECKING:
    from pathlib import Path

TABLE = f"""\
{BEGIN}

| service | size | budget | used |
| --- | ---: | ---: | ---: |
| db | 402.0 MB |  |  |
| rag | 127.7 MB | 600.0 MB | 22% |

{END}
"""


def _run(directory: Path, *arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    code = main(
        ["-C", str(directory), "docs", "sync", *arguments], stdout=stdout, stderr=stderr, environ=kept
    )
    assert "Traceback" not in stderr.getvalue()
    return code, stdout.getvalue(), stderr.getvalue()


def _image(size: int, budget: int | None) -> dict[str, Any]:
    return {"reference": "r", "size": {"unpacked": size}, "budget": budget, "layers": []}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a report and two documents with tables, and one without."""
    images = {"rag": _image(127_700_000, 600_000_000), "db": _image(402_000_000, None)}
    (tmp_path / "report.json").write_text(json.dumps({"schema": "hullmark/report/1", "images": images}))
    (tmp_path / "compose.yml").write_text("services: {}\n")
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"# Here\n\n{BEGIN}\n{END}\n\nmore\n")
    (tmp_path / "docs" / "deep" / "sizes.md").write_text(f"{BEGIN}\nold\n{END}\n")
    (tmp_path / "docs" / "other.md").write_text("nothing\n")
    return tmp_path


def test_every_document_with_markers_gets_the_table_of_the_report(project: Path) -> None:
    code, stdout, stderr = _run(project, "--report", "report.json")
    assert (code, stderr) == (0, "")
    assert stdout == "README.md: written\ndocs/deep/sizes.md: written\n"
    assert (project / "README.md").read_text() == f"# Here\n\n{TABLE}\nmore\n"
    assert (project / "docs/deep/sizes.md").read_text() == TABLE
    assert (
        _run(project, "--report", "report.json")[1]
        == "README.md: up to date\ndocs/deep/sizes.md: up to date\n"
    )


def test_a_check_writes_nothing_shows_what_differs_and_fails(project: Path) -> None:
    code, stdout, stderr = _run(project, "--report", "report.json", "--check")
    assert code == 1
    assert "--- README.md\n+++ README.md\n" in stdout
    assert "+| rag | 127.7 MB | 600.0 MB | 22% |" in stdout
    assert "hullmark docs sync" in stderr
    assert "rag" not in (project / "README.md").read_text()
    _run(project, "--report", "report.json")
    assert _run(project, "--report", "report.json", "--check") == (0, "", "")


def test_only_the_documents_that_are_named_are_written(project: Path) -> None:
    assert (
        _run(project / "docs", "--report", "../report.json", "../README.md")[1] == "../README.md: written\n"
    )
    assert (project / "docs/deep/sizes.md").read_text() == f"{BEGIN}\nold\n{END}\n"


@pytest.mark.parametrize(
    ("document", "report", "code", "said"),
    [
        ("nothing\n", "report.json", 2, "docs.md: there is no table of sizes"),
        (f"{BEGIN}\n", "report.json", 2, "docs.md:1: the table does not end"),
        (f"{BEGIN}\n{END}\n", "absent.json", 3, "absent.json cannot be read"),
        (f"{BEGIN}\n{END}\n", "compose.yml", 2, "compose.yml: not a report of hullmark"),
        (f"{BEGIN}\n{END}\n", "empty.json", 2, "empty.json tells of no image"),
        (f"{BEGIN}\n{END}\n", "size.json", 2, "size.json: no JSON report of hullmark"),
        (b"\xff", "report.json", 2, "docs.md is no text in UTF-8: byte 0 is not"),
        (None, "report.json", 2, "docs.md cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_error(
    project: Path, document: str | bytes | None, report: str, code: int, said: str
) -> None:
    (project / "size.json").write_text('{"schema": "hullmark/size/1"}')
    (project / "empty.json").write_text('{"schema": "hullmark/report/1", "images": {}}')
    if document is not None:
        (project / "docs.md").write_bytes(document if isinstance(document, bytes) else document.encode())
    found, _, stderr = _run(project, "docs.md", "--report", report)
    assert found == code
    assert said in stderr


def test_a_project_without_markers_is_told_which_to_write(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n")
    code, _, stderr = _run(tmp_path)
    assert code == 2
    assert "no Markdown file here or below docs/ has a table of sizes" in stderr
    assert BEGIN in stderr


def test_every_document_that_something_is_wrong_with_is_told_at_once(project: Path) -> None:
    (project / "half.md").write_text(f"{BEGIN}\n")
    code, stdout, stderr = _run(project, "--report", "report.json", "half.md", "docs/other.md", "README.md")
    assert (code, stdout) == (2, "")
    assert "half.md" in stderr
    assert "docs/other.md" in stderr
    assert BEGIN in (project / "README.md").read_text()
    code, _, stderr = _run(project, "--report", "report.json", "gone.md", "lost.md")
    assert code == 2
    assert "gone.md" in stderr
    assert "lost.md" in stderr
