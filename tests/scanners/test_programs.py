"""Where the programs of scanners are found, what is recorded of them, and which are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.scanners.targets import target

from hullmark._scanners import Available, Grype, Missing, OsvScanner, Trivy
from hullmark._scanners.trivy import STOLEN
from hullmark.errors import Unavailable
from hullmark.testing import ScriptedCommands

done = ScriptedCommands.completed
KINDS: dict[str, tuple[Any, tuple[str, ...], str, str]] = {
    "trivy": (Trivy, ("--version",), "Version: 0.74.0\n", "0.74.0"),
    "grype": (Grype, ("version",), "Application:         grype\nVersion:             0.112.0\n", "0.112.0"),
    "osv-scanner": (OsvScanner, ("--version",), "osv-scanner version: 2.2.1\ncommit: x\n", "2.2.1"),
}
IMAGES = {
    "trivy": "mirror.example.com/aquasec/trivy",
    "grype": "anchore/grype",
    "osv-scanner": "example.com/google/osv-scanner",
}
ID = f"sha256:{'c' * 64}"


@pytest.mark.parametrize("name", KINDS)
def test_a_program_on_path_is_known_by_version_and_digest(tmp_path: Path, name: str) -> None:
    kind, ask, printed, version = KINDS[name]
    (tmp_path / name).write_bytes(b"#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)
    commands = ScriptedCommands({(name, *ask): done(printed)})
    digest = f"sha256:{hashlib.sha256(b'#!/bin/sh' + bytes([10])).hexdigest()}"
    found = kind(commands, tmp_path, {"PATH": str(tmp_path)}).probe()
    assert found == Available(version=version, digest=digest)


@pytest.mark.parametrize("name", KINDS)
def test_without_the_program_an_image_that_is_there_is_run_by_its_id(tmp_path: Path, name: str) -> None:
    kind, ask, printed, version = KINDS[name]
    listed = f"other/{name}-tools:1 sha256:{'d' * 64}\n{IMAGES[name]}:latest {ID}\n"
    script: dict[tuple[str, ...], Any] = {
        ("docker", "image", "ls"): done(listed),
        ("docker", "run"): done(printed),
    }
    commands = ScriptedCommands(script)
    scanner = kind(commands, tmp_path, {}, tmp_path / "cache")
    assert scanner.probe() == Available(version=version, digest=ID)
    run = commands.calls[-1]
    assert run[-len(ask) - 1 :] == (ID, *ask)
    assert "--pull=never" in run
    assert "--rm" in run


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("engine", [False, True], ids=["no engine", "no image"])
def test_what_is_nowhere_says_how_to_get_it(tmp_path: Path, name: str, engine: bool) -> None:  # noqa: FBT001
    listed = done("debian:bookworm sha256:1\n")
    script: dict[tuple[str, ...], Any] = {("docker", "image", "ls"): listed} if engine else {}
    answer = KINDS[name][0](ScriptedCommands(script), tmp_path, {}).probe()
    assert isinstance(answer, Missing)
    assert f"{name} is not on PATH" in answer.reason
    assert "install " in answer.reason


@pytest.mark.parametrize("name", KINDS)
def test_a_program_that_is_there_and_does_not_start_is_not_absent(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)
    # What was not scripted raises as a program does that cannot be started.
    answer = KINDS[name][0](ScriptedCommands({}), tmp_path, {"PATH": str(tmp_path)}).probe()
    assert isinstance(answer, Missing)
    assert not answer.absent
    elsewhere = KINDS[name][0](ScriptedCommands({}), tmp_path, {}).probe()
    assert isinstance(elsewhere, Missing)
    assert elsewhere.absent


@pytest.mark.parametrize("version", sorted(STOLEN))
def test_a_version_of_an_attacker_is_not_run_from_an_image_either(tmp_path: Path, version: str) -> None:
    listed = done(f"aquasec/trivy:{version} {ID}\n")
    script: dict[tuple[str, ...], Any] = {
        ("docker", "image", "ls"): listed,
        ("docker", "run"): done(f"Version: {version}\n"),
    }
    answer = Trivy(ScriptedCommands(script), tmp_path, {}).probe()
    assert isinstance(answer, Missing)
    assert "published by an attacker" in answer.reason


def test_an_image_without_packages_is_nothing_recognised(tmp_path: Path) -> None:
    commands = ScriptedCommands(
        {("osv-scanner", "scan"): done(stderr="No package sources found", returncode=128)}
    )
    said = OsvScanner(commands, tmp_path, {}).scan(target(tmp_path / "web.json"))
    assert (said.vulnerabilities, said.recognised) == ((), ())


KNOWN = ("osv-scanner", "scan", "source")
IMAGE = ("osv-scanner", "scan", "image")
REPORT = (Path(__file__).parent / "data/osv-scanner/v2.5.1-debian12-python-npm.json").read_text("utf-8")
CLEAN = json.dumps({"results": []})
NO_NETWORK = "Error during extraction: (extracting as vulnmatch/osvdev) dial tcp: no such host"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (done(CLEAN, stderr=NO_NETWORK, returncode=127), "no such host"),
        (done(CLEAN), "finds nothing in a package that is known to be vulnerable"),
    ],
    ids=["no network", "no records"],
)
def test_osv_scanner_that_cannot_look_anything_up_has_not_found_nothing(
    tmp_path: Path, answer: Any, told: str
) -> None:
    scanner = OsvScanner(ScriptedCommands({KNOWN: answer, IMAGE: done(CLEAN)}), tmp_path, {})
    scanner.prepare()
    for _ in range(2):
        with pytest.raises(Unavailable, match=f"cannot look anything up: .*{told}") as caught:
            scanner.scan(target(tmp_path / "web.json"))
        assert "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY" in str(caught.value.hint)


def test_osv_scanner_that_knows_what_is_known_is_asked_about_the_image(tmp_path: Path) -> None:
    commands = ScriptedCommands({KNOWN: done(REPORT, returncode=1), IMAGE: done(REPORT, returncode=1)})
    scanner = OsvScanner(commands, tmp_path, {})
    scanner.prepare()
    assert len(scanner.scan(target(tmp_path / "web.json")).vulnerabilities) == 33
    assert not any("--offline-vulnerabilities" in call for call in commands.calls)


def test_osv_scanner_takes_records_from_a_directory_and_says_which_it_lacks(tmp_path: Path) -> None:
    loaded = "Loaded PyPI local db from /records/osv-scalibr/PyPI/all.zip"
    lacking = f"{loaded}\ncould not load db for Debian ecosystem: no offline version is available"
    environ = {"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY": "/records"}
    commands = ScriptedCommands({IMAGE: done(REPORT, stderr=loaded, returncode=1)})
    scanner = OsvScanner(commands, tmp_path, environ)
    scanner.prepare()
    assert scanner.scan(target(tmp_path / "web.json")).recognised[-1] == "Debian:12"
    assert "--offline-vulnerabilities" in commands.calls[-1]
    # It ends with 1 as well where it has given up half way.
    commands = ScriptedCommands({IMAGE: done(REPORT, stderr=lacking, returncode=1)})
    with pytest.raises(Unavailable, match="osv-scanner has no records of Debian in /records"):
        OsvScanner(commands, tmp_path, environ).scan(target(tmp_path / "web.json"))


def test_grype_without_a_database_says_so_and_what_to_do(tmp_path: Path) -> None:
    said = "[0009] ERROR \x1b[31mfailed to load vulnerability db: database does not exist\x1b[0m\n"
    commands = ScriptedCommands({("grype", "docker:web:dev"): done(stderr=said, returncode=1)})
    with pytest.raises(Unavailable, match=r"that it can use: database does not exist$") as caught:
        Grype(commands, tmp_path, {}).scan(target(tmp_path / "web.json"))
    assert "`grype db update`" in str(caught.value.hint)
    assert "--quiet" not in commands.calls[-1]


def test_grype_that_somebody_built_himself_has_no_version_and_says_so(tmp_path: Path) -> None:
    printed = (
        "Application:         grype\nVersion:             [not provided]\nPlatform:            linux/amd64\n"
    )
    answer = Grype(ScriptedCommands({("grype", "version"): done(printed)}), tmp_path, {}).probe()
    assert isinstance(answer, Available)
    assert answer.version == "[not provided]"
