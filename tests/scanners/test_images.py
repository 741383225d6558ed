"""Real images with real old packages: what the embedded scanner finds is what the records say."""

from __future__ import annotations

import io
import json
import os
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities import oracle
from tests.vulnerabilities.conftest import DATA

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

OLD = {"Jinja2": "2.11.2", "Django": "3.2.4", "requests": "2.19.0"}
DOCKERFILE = """\
FROM {base} AS made
COPY site /usr/lib/python3/dist-packages
{squash}CMD ["true"]
"""
SQUASH = "FROM scratch\nCOPY --from=made / /\n"


def _hullmark(project: Path, *argv: str) -> tuple[int, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    # The records are those of a day that is long over.
    environ = {
        **os.environ,
        "HULLMARK_CACHE_DIR": str(project / "cache"),
        "HULLMARK_DB_MAX_AGE": "9999 days",
    }
    code = main(["-C", str(project), *argv], stdout=stdout, stderr=stderr, environ=environ)
    return code, stdout.getvalue() or stderr.getvalue()


def _scan(project: Path, *argv: str) -> tuple[int, dict[str, Any]]:
    code, text = _hullmark(project, "scan", "--format", "json", *argv)
    document = json.loads(text)
    assert isinstance(document, dict)
    return code, document


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A project whose one image has old Python packages, built upon Debian, squashed where that is asked for."""
    base, squash = getattr(request, "param", ("debian:bookworm-slim", ""))
    image = f"hullmark-test-scan-{uuid.uuid4().hex[:8]}:dev"
    for name, version in OLD.items():
        described = tmp_path / "site" / f"{name}-{version}.dist-info"
        described.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (described / "METADATA").write_text(text, encoding="utf-8")
    pins = "".join(f"{name}=={version}\n" for name, version in OLD.items())
    (tmp_path / "site" / "requirements.txt").write_text(pins, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.format(base=base, squash=squash), encoding="utf-8")
    (tmp_path / "compose.yml").write_text(
        f"name: shop\nservices:\n  web: {{build: ., image: '{image}'}}\n", encoding="utf-8"
    )
    build = ("docker", "build", "--quiet", "--tag", image, str(tmp_path))
    subprocess.run(build, check=True, capture_output=True)
    yield tmp_path
    subprocess.run(("docker", "image", "rm", "--force", image), check=True, capture_output=True)


def _update(project: Path, *ecosystems: str) -> None:
    code, text = _hullmark(project, "db", "update", "--db-url", str(DATA / "osv"), *ecosystems)
    assert code == 0, text


@pytest.mark.parametrize(
    "project",
    [("debian:bookworm-slim", ""), ("debian:bookworm-slim", SQUASH)],
    ids=["layers", "squashed"],
    indirect=True,
)
def test_the_embedded_scanner_finds_what_the_records_say(project: Path) -> None:
    _update(project, "Debian", "PyPI")
    code, document = _scan(project)
    assert code == 0, document["outcomes"]
    every = oracle.records(DATA / "osv/PyPI/all.zip")
    found = [each for each in document["vulnerabilities"] if each["ecosystem"] == "PyPI"]
    for name, version in OLD.items():
        mine = [each for each in found if each["package"].lower() == name.lower()]
        expected = set(oracle.affected("PyPI", name.lower(), version, every))
        assert expected
        names = {other for each in mine for other in (each["id"], *each["aliases"])}
        assert expected <= names
        # Every one has a record that says so: none was made up.
        assert all(expected & {each["id"], *each["aliases"]} for each in mine)
        assert {each["origin"] for each in mine} == {None}
        assert all("COPY" in each["instruction"] for each in mine)
        remedies = {each["remedy"].partition(" in ")[2] for each in mine if each["fixed"]}
        line = [*OLD].index(name) + 1
        assert remedies == {f"site/requirements.txt:{line}"}
    system = [each for each in document["vulnerabilities"] if each["ecosystem"] == "Debian"]
    assert {each["origin"] for each in system} == {"debian:bookworm-slim"}
    scan = document["scans"]["web"]
    assert scan["packages"]["python"] == len(OLD)
    assert {each["ecosystem"].partition(":")[0] for each in scan["coverage"]} == {"Debian", "PyPI"}
    report = json.loads((project / "trivy-reports" / "web.json").read_text(encoding="utf-8"))
    assert len(report["vulnerabilities"]) == len(document["vulnerabilities"])


def test_what_is_not_in_the_database_is_never_clean(project: Path) -> None:
    code, document = _scan(project)
    outcome = next(each for each in document["outcomes"] if each["check"] == "scan")
    assert (code, outcome["status"]) == (3, "skipped")
    assert "hullmark db update" in outcome["reason"]
    _update(project, "Debian")
    code, document = _scan(project)
    outcome = next(each for each in document["outcomes"] if each["check"] == "scan")
    assert (code, outcome["status"]) == (3, "broken")
    assert "no records of PyPI" in outcome["reason"]


def test_what_is_ignored_stays_visible_and_what_is_not_needed_is_told(project: Path) -> None:
    _update(project, "Debian", "PyPI")
    ignored = "".join(
        f'[[scan.ignore]]\nid = "{name}"\nreason = "never called"\nexpires = {day}\n'
        for name, day in (("CVE-2024-22195", "2999-01-01"), ("CVE-1999-0001", "2999-01-01"))
    )
    (project / "hullmark.toml").write_text(ignored, encoding="utf-8")
    code, document = _scan(project, "--scan-fail-on", "low")
    assert code == 1
    assert "CVE-2024-22195" not in {each["id"] for each in document["vulnerabilities"]}
    (aside,) = document["scans"]["web"]["set_aside"]
    assert (aside["id"], aside["reason"]) == ("CVE-2024-22195", "ignored by hullmark.toml:1: never called")
    stale = {each["seen"] for each in document["findings"] if each["rule"] == "stale-vulnerability-ignore"}
    assert stale == {
        "CVE-2024-22195 is ignored, and there is a fix by now",
        "the ignore of CVE-1999-0001 matches nothing in any image",
    }
    _, text = _hullmark(project, "scan", "--show-suppressed")
    assert "CVE-2024-22195" in text
    assert "never called" in text


@pytest.mark.parametrize("project", [("scratch", "")], ids=["nothing"], indirect=True)
def test_a_scanner_that_is_refused_is_told_by_whomever_it_was_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _update(project, "PyPI")
    _, document = _scan(project, "--scanner", "all")
    outcome = next(each for each in document["outcomes"] if each["check"] == "scan")
    assert outcome["status"] == "ran"
    assert "not asked, as they are not here: " in outcome["reason"]
    programs = project / "programs"
    programs.mkdir()
    (programs / "trivy").write_text("#!/bin/sh\necho Version: 0.69.5\n", encoding="utf-8")
    (programs / "trivy").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    for scanner in ("trivy", "all"):
        code, document = _scan(project, "--scanner", scanner)
        outcome = next(each for each in document["outcomes"] if each["check"] == "scan")
        assert code == 3
        assert "trivy 0.69.5 was published by an attacker" in outcome["reason"]
    # What the others know is told all the same.
    assert document["vulnerabilities"]


@pytest.mark.parametrize("project", [("scratch", "")], ids=["nothing"], indirect=True)
def test_an_image_whose_distribution_nobody_names_is_scanned_for_what_it_has(project: Path) -> None:
    _update(project, "PyPI")
    code, document = _scan(project)
    assert code == 0
    assert document["scans"]["web"]["distribution"] is None
    assert {each["ecosystem"] for each in document["vulnerabilities"]} == {"PyPI"}


def test_an_image_with_nothing_to_scan_is_exit_4(project: Path) -> None:
    _update(project, "PyPI")
    (project / "Dockerfile").write_text("FROM scratch\nCOPY compose.yml /\n", encoding="utf-8")
    code, text = _hullmark(project, "scan", "--build")
    assert code == 4, text
    assert "nothing to scan" in text
