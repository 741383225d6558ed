"""What a document lists is scanned as the image would be, and without it."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities.conftest import DATA

from hullmark._cli import main

if TYPE_CHECKING:
    from pathlib import Path

JINJA = {"type": "library", "name": "jinja2", "version": "2.11.2", "purl": "pkg:pypi/jinja2@2.11.2"}
LIBC = {
    "type": "library",
    "name": "glibc",
    "version": "2.36-9",
    "purl": "pkg:deb/debian/glibc@2.36-9?distro=debian-12",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two services whose images were never built, and records of PyPI and Debian."""
    text = "name: shop\nservices:\n" + "".join(
        f"  {name}: {{build: ., image: 'hullmark-test-none:{name}'}}\n" for name in ("web", "db")
    )
    (tmp_path / "compose.yml").write_text(text, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /a\n", encoding="utf-8")
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [JINJA, LIBC]}
    (tmp_path / "web.json").write_text(json.dumps(document), encoding="utf-8")
    code, _, stderr = run(tmp_path, "db", "update", "--db-url", str(DATA / "osv"), "PyPI", "Debian")
    assert code == 0, stderr
    return tmp_path


def run(project: Path, *arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    # The records are those of a day that is long over.
    environ = {
        **os.environ,
        "HULLMARK_CACHE_DIR": str(project / "cache"),
        "HULLMARK_DB_MAX_AGE": "9999 days",
    }
    code = main(["-q", "-C", str(project), *arguments], stdout=stdout, stderr=stderr, environ=environ)
    return code, stdout.getvalue(), stderr.getvalue()


def test_what_a_document_lists_is_looked_up(project: Path) -> None:
    code, stdout, stderr = run(project, "scan", "web", "--sbom", "web.json", "--format=json")
    assert code == 0, stderr
    report: Any = json.loads(stdout)
    assert [each["check"] for each in report["outcomes"]] == ["scan"]
    assert {each["package"] for each in report["vulnerabilities"]} >= {"jinja2"}
    assert {each["name"] for each in report["scans"]["web"]["inventory"]} == {"jinja2", "glibc"}
    assert "as web.json lists it" in report["outcomes"][0]["reason"]
    assert run(project, "scan", "web", "--sbom", "web.json", "--scan-fail-on=low")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--sbom", "web.json"), 2, "this is about 2"),
        (("web", "--sbom", "web.json", "--build"), 2, "with `--sbom` none is scanned"),
        (("web", "--sbom", "elsewhere.json"), 2, "elsewhere.json cannot be read"),
        (("web", "--sbom", "compose.yml"), 2, "compose.yml"),
        (("web", "--sbom", "web.json", "--scanner=trivy"), 3, "and not about a document"),
    ],
)
def test_what_cannot_be_scanned_is_said(
    project: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, stdout, stderr = run(project, "scan", *arguments)
    assert ended == code
    assert said in stdout + stderr
