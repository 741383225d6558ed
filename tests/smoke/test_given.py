"""`hullmark smoke` with images that somebody names, and with the files, variables and profiles that somebody names."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

BUILT = """\
services:
  web:
    build: .
    command: [/sleep, "60"]
"""


def _smoke(project: Path, *argv: str) -> tuple[int, Any, str]:
    """Exit code, report and progress of `hullmark smoke` in `project`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = ("-C", str(project), "smoke", "--format", "json", *argv)
    code = main(list(argv), stdout=stdout, stderr=stderr, environ=dict(os.environ))
    text = stdout.getvalue()
    return code, json.loads(text) if text else None, stderr.getvalue()


def _docker(*argv: str) -> str:
    return subprocess.run(("docker", *argv), check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One whose image cannot be built here, and never was."""
    root = tmp_path / f"hullmark-test-{secrets.token_hex(4)}"
    root.mkdir()
    (root / "compose.yml").write_text(BUILT, encoding="utf-8")
    (root / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n", encoding="utf-8")
    return root


def test_an_image_of_this_machine_is_run_in_place_of_the_one_that_is_built(
    project: Path, images: Any
) -> None:
    code, report, progress = _smoke(project, "--image", f"web={images.bare}")
    assert code == 0
    assert [(each["check"], each["status"]) for each in report["outcomes"]] == [
        ("build", "skipped"),
        ("smoke", "ran"),
    ]
    assert f"`web` runs `{images.bare}`, as it was asked for" in report["smoke"]["notes"]
    assert "as it was asked for" in progress
    # It is never pulled, and nothing is built either.
    code, report, _ = _smoke(project, "--no-build", "--image", "web=hullmark-test-nothing:x")
    assert code == 3
    (broken,) = (each for each in report["outcomes"] if each["status"] == "broken")
    assert broken["reason"].startswith(
        "the image `hullmark-test-nothing:x` that was given for `web` is not in the engine, and has no digest"
    )


@pytest.fixture
def pushed(registry: str, images: Any) -> Iterator[str]:
    """An image that is known by its digest only to a registry."""
    name = f"{registry}/hullmark-test-{secrets.token_hex(4)}"
    _docker("tag", images.bare, f"{name}:1")
    _docker("push", "-q", f"{name}:1")
    (digest,) = [
        each
        for each in json.loads(_docker("image", "inspect", "-f", "{{json .RepoDigests}}", f"{name}:1"))
        if each.startswith(name)
    ]
    _docker("rmi", f"{name}:1")
    yield digest
    subprocess.run(("docker", "rmi", "-f", digest), check=True, capture_output=True)


def test_an_image_with_a_digest_is_pulled_when_it_is_not_here(project: Path, pushed: str) -> None:
    found = subprocess.run(("docker", "image", "inspect", pushed), check=False, capture_output=True)
    assert found.returncode != 0
    code, report, progress = _smoke(project, "--image", f"web={pushed}")
    assert code == 0
    assert report["smoke"]["services"]["web"]["state"] == "running"
    assert f"pulling {pushed}" in progress
    code, report, _ = _smoke(project, "--image", f"web={pushed[:-4]}beef")
    assert code == 3
    (broken,) = (each for each in report["outcomes"] if each["status"] == "broken")
    assert "that was given for `web` cannot be pulled: " in broken["reason"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("wbe=x", "no service `wbe` in the project; did you mean `web`? (services: web)"),
        ("web=Not A Name", "the image given for `web`: "),
        ("web", "`web` is not SERVICE=REFERENCE"),
        ("=x", "`=x` is not SERVICE=REFERENCE"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_done(project: Path, given: str, said: str) -> None:
    code, report, progress = _smoke(project, "--image", given)
    assert (code, report) == (2, None)
    assert said in " ".join(progress.split())


MAIN = """\
services:
  web:
    image: BARE
    command: [/sleep, "0"]
    environment: {NAP: "${NAP:?how long}", OTHER: "${OTHER:?what else}"}
  extra:
    image: BARE
    command: [/sleep, "60"]
    profiles: [more]
"""
OVERRIDE = """\
services:
  web:
    command: [/sleep, "${NAP}"]
  double:
    image: BARE
    command: [/sleep, "60"]
"""


@pytest.fixture
def several(tmp_path: Path, images: Any) -> Path:
    """A project of two Compose files, variables in a file, and a profile."""
    for name, text in (("compose.yml", MAIN), ("compose.test.yml", OVERRIDE)):
        (tmp_path / name).write_text(text.replace("BARE", images.bare), encoding="utf-8")
    (tmp_path / ".env.test").write_text("NAP=60\nOTHER=this\n", encoding="utf-8")
    return tmp_path


def _states(project: Path, *argv: str) -> dict[str, str]:
    code, report, _ = _smoke(project, *argv)
    assert code == 0
    return {name: service["state"] for name, service in report["smoke"]["services"].items()}


def test_the_files_variables_and_profiles_that_are_named_make_the_stack(several: Path) -> None:
    files = ("-f", "compose.yml", "-f", "compose.test.yml", "--env-file", ".env.test")
    # What only waits can only have been told to by the second file, and how long by the third.
    assert _states(several, *files) == {"double": "running", "web": "running"}
    more = {"double": "running", "extra": "running", "web": "running"}
    assert _states(several, *files, "--profile", "more") == more
    assert _states(several, "-f", "compose.yml", "--env-file", ".env.test") == {"web": "completed"}


def test_variables_that_are_missing_are_listed_all_at_once(several: Path) -> None:
    code, report, progress = _smoke(several, "-f", "compose.yml")
    assert (code, report) == (2, None)
    assert "NAP" in progress
    assert "OTHER" in progress
