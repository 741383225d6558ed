"""Trivy's answers, real ones and bent ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.scanners.targets import target

from hullmark._scanners import Available, Missing, Trivy
from hullmark._scanners.trivy import STOLEN, read_report
from hullmark.errors import CommandFailed, Unavailable
from hullmark.model.vulnerability import SEVERITIES
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent / "data" / "trivy"
REPORTS = sorted(DATA.glob("*.json"))
VERSION = ("trivy", "--version")
done = ScriptedCommands.completed


def _report(name: str = "trivy-repo-debian-buster") -> dict[str, Any]:
    document = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_real_report_is_read_whole(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    listed = {
        (each["VulnerabilityID"], each["PkgName"], each["InstalledVersion"])
        for result in raw["Results"]
        for each in result.get("Vulnerabilities") or ()
    }
    scanned = read_report(path.read_bytes(), service="web")
    assert {(each.id, each.package, each.installed) for each in scanned.vulnerabilities} == listed
    assert scanned.recognised
    assert all(each.severity in SEVERITIES and each.service == "web" for each in scanned.vulnerabilities)
    assert list(scanned.vulnerabilities) == sorted(scanned.vulnerabilities, key=lambda each: each.sort_key)


def test_what_a_vulnerability_says_is_kept() -> None:
    scanned = read_report((DATA / "trivy-repo-alpine-310.json").read_bytes(), service="web")
    assert scanned.recognised[0] == "alpine 3.10.2"
    found = scanned.vulnerabilities[0]
    assert found.fixed is not None
    assert found.layer is not None
    assert found.layer.startswith("sha256:")
    assert found.status == "fixed"


def test_a_distribution_that_nobody_knows_recognises_nothing() -> None:
    document = _report()
    del document["Metadata"]["OS"]
    document["Results"] = []
    assert read_report(json.dumps(document).encode(), service="web").recognised == ()


def test_a_distribution_that_is_named_and_not_looked_at_is_not_recognised() -> None:
    """Trivy leaves the result of a system without records out, and still says which one it is."""
    document = _report()
    document["Metadata"]["OS"] = {"Family": "fedora", "Name": "42"}
    document["Results"] = [{"Target": "app", "Class": "lang-pkgs", "Type": "python-pkg"}]
    assert read_report(json.dumps(document).encode(), service="web").recognised == ("python-pkg",)
    document["Results"] = [{"Target": "Conda", "Class": "lang-pkgs", "Type": "conda-pkg"}]
    assert read_report(json.dumps(document).encode(), service="web").recognised == ()


def test_lists_that_are_left_out_are_empty() -> None:
    document = _report()
    del document["Results"]
    assert read_report(json.dumps(document).encode(), service="web").vulnerabilities == ()


def _without(document: dict[str, Any], key: str) -> None:
    del document["Results"][0]["Vulnerabilities"][0][key]


def _with(document: dict[str, Any], **values: Any) -> None:
    document["Results"][0]["Vulnerabilities"][0].update(values)


BENT: dict[str, Callable[[dict[str, Any]], object]] = {
    "another schema": lambda document: document.update(SchemaVersion=3),
    "no schema": lambda document: document.pop("SchemaVersion"),
    "no id": lambda document: _without(document, "VulnerabilityID"),
    "no severity": lambda document: _without(document, "Severity"),
    "a severity nobody knows": lambda document: _with(document, Severity="TERRIBLE"),
    "a version that is a number": lambda document: _with(document, InstalledVersion=1),
    "results that are no list": lambda document: document.update(Results={}),
}


@pytest.mark.parametrize("change", BENT)
def test_an_answer_of_another_shape_is_not_an_image_without_vulnerabilities(change: str) -> None:
    document = _report()
    BENT[change](document)
    with pytest.raises(Unavailable, match="Trivy's report on `web`"):
        read_report(json.dumps(document).encode(), service="web")


@pytest.mark.parametrize("text", [b"", b"FATAL error", b'{"SchemaVersion": 2, "ArtifactNa'])
def test_what_is_no_json_is_not_an_image_without_vulnerabilities(text: bytes) -> None:
    with pytest.raises(Unavailable, match="Trivy's report on `web`"):
        read_report(text, service="web")


def test_the_version_is_found(tmp_path: Path) -> None:
    commands = ScriptedCommands({VERSION: done("Version: 0.74.0\nVulnerability DB:\n  Version: 2\n")})
    assert Trivy(commands, tmp_path, {}).probe() == Available(version="0.74.0")


@pytest.mark.parametrize("version", sorted(STOLEN))
def test_a_version_of_an_attacker_is_not_run(tmp_path: Path, version: str) -> None:
    answer = Trivy(ScriptedCommands({VERSION: done(f"Version: {version}\n")}), tmp_path, {}).probe()
    assert isinstance(answer, Missing)
    assert version in answer.reason


@pytest.mark.parametrize(
    "script",
    [{}, {VERSION: done("something else")}, {VERSION: done("Version: 0.74.0\n", returncode=1)}],
    ids=["not there", "no version", "fails"],
)
def test_a_scanner_that_cannot_be_used_says_why(tmp_path: Path, script: dict[tuple[str, ...], Any]) -> None:
    answer = Trivy(ScriptedCommands(script), tmp_path, {}).probe()
    assert isinstance(answer, Missing)
    assert "install Trivy" in answer.reason


def test_a_scan_keeps_the_scanners_own_report(tmp_path: Path) -> None:
    text = (DATA / "trivy-repo-debian-buster.json").read_text(encoding="utf-8")
    commands = ScriptedCommands({("trivy", "image"): done(text)})
    report = tmp_path / "trivy-reports" / "web.json"
    scanned = Trivy(commands, tmp_path, {}).scan(target(report))
    assert scanned.vulnerabilities
    assert report.read_text(encoding="utf-8") == text
    assert [path.name for path in report.parent.iterdir()] == ["web.json"]
    (argv,) = commands.calls
    assert argv[-1] == "web:dev"
    assert f"--ignorefile={os.devnull}" in argv
    assert "--ignore-unfixed=false" in argv
    assert {"UNKNOWN", "LOW"} < set(
        next(each for each in argv if each.startswith("--severity=")).partition("=")[2].split(",")
    )


def test_a_scan_that_fails_is_told_with_what_it_printed(tmp_path: Path) -> None:
    commands = ScriptedCommands({("trivy", "image"): done(stderr="FATAL no database", returncode=1)})
    with pytest.raises(CommandFailed, match="no database"):
        Trivy(commands, tmp_path, {}).scan(target(tmp_path / "r.json"))
    assert not (tmp_path / "r.json").exists()


def test_an_answer_that_is_not_understood_does_not_replace_the_last_report(tmp_path: Path) -> None:
    report = tmp_path / "web.json"
    report.write_text("before", encoding="utf-8")
    commands = ScriptedCommands({("trivy", "image"): done("{}")})
    with pytest.raises(Unavailable):
        Trivy(commands, tmp_path, {}).scan(target(report))
    assert report.read_text(encoding="utf-8") == "before"


def test_a_report_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    text = (DATA / "trivy-repo-debian-buster.json").read_text(encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    commands = ScriptedCommands({("trivy", "image"): done(text)})
    with pytest.raises(Unavailable, match="cannot be written"):
        Trivy(commands, tmp_path, {}).scan(target(tmp_path / "file" / "web.json"))
