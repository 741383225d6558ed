"""`hullmark ci run`: the same pipeline in one go and in steps, for what is affected and nothing else."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._reporters.markdown import marker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ci_files.conftest import Checkout


FORMATS = {"report.html", "report.json", "report.md", "report.sarif", "report.xml"}


def _images(checkout: Checkout) -> dict[str, str]:
    name = (checkout.project / "compose.yml").read_text().splitlines()[0].removeprefix("name: ")
    return {service: f"{name}-{service}" for service in ("web", "worker")}


@pytest.fixture
def built(checkout: Checkout) -> Iterator[Checkout]:
    """A project whose images are removed afterwards."""
    yield checkout
    subprocess.run(
        ("docker", "rmi", "--force", *_images(checkout).values()),
        capture_output=True,
        check=False,
        timeout=60,
    )


def _report(directory: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return report


def _checked(report: dict[str, Any], service: str) -> set[str]:
    return {each["check"] for each in report["outcomes"] if each["service"] == service}


def test_what_touches_no_image_is_clean_and_says_so_in_the_comment(
    checkout: Checkout, tmp_path: Path
) -> None:
    (checkout.top / "README.md").write_text("# Other\n")
    done = checkout.hullmark("ci", "run", "pr", "--base", "HEAD", "--reports", str(tmp_path / "reports"))
    assert (done.code, done.stdout) == (0, "no image is affected\n")
    reports = tmp_path / "reports"
    assert {each.name for each in reports.iterdir()} == FORMATS
    file = reports / "report.md"
    assert file.read_text().startswith(marker("ship"))
    assert "1 changed file:" in file.read_text()


def test_a_service_that_is_not_affected_is_not_built(checkout: Checkout, tmp_path: Path) -> None:
    (checkout.project / "web" / "a").write_text("2\n")
    done = checkout.hullmark(
        "ci", "run", "build", "--base", "HEAD", "--images", str(tmp_path / "i"), "worker"
    )
    assert (done.code, done.stdout) == (0, "nothing to build\n")
    assert not (tmp_path / "i").exists()


def test_no_report_of_an_earlier_commit_stays_where_nothing_is_affected(
    checkout: Checkout, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    for name in FORMATS:
        (reports / name).write_text("May not sail")
    for step in ("pr",), ("build", "worker"):
        done = checkout.hullmark("ci", "run", *step, "--base", "HEAD", "--reports", str(reports))
        assert done.code == 0
        assert not [each.name for each in reports.iterdir() if "May not sail" in each.read_text()]
    report = _report(reports)
    assert (report["project"]["services"], report["verdict"]["exit_code"]) == ([], 0)
    assert "What is affected" in (reports / "report.html").read_text()
    saved = checkout.hullmark("baseline", "save", "kept.jsonl", "--report", str(reports / "report.json"))
    assert saved.code == 3
    assert "without `--report` checks everything" in saved.stderr
    assert not (checkout.project / "kept.jsonl").exists()


@pytest.mark.docker
@pytest.mark.parametrize("step", ["pr", "build", "stack"])
def test_the_report_of_every_step_says_which_build_failed(built: Checkout, tmp_path: Path, step: str) -> None:
    with (built.project / "web" / "Dockerfile").open("a") as file:
        file.write('RUN ["/no-such-program"]\n')
    images, reports = tmp_path / "images", tmp_path / "reports"
    images.mkdir()
    built = replace(built, environ={**built.environ, "GITHUB_ACTIONS": "true"})
    given = ("--images", str(images)) if step == "stack" else ()
    done = built.hullmark("ci", "run", step, "--base", "HEAD", "--reports", str(reports), *given)
    assert done.code == 1, done.stdout + done.stderr
    assert {each.name for each in reports.iterdir()} == FORMATS
    found = {(each["rule"], each["service"]) for each in _report(reports)["findings"]}
    assert ("failed-build", "web") in found
    assert "failed-build" in (reports / "report.md").read_text()
    annotated = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert bool(annotated) is (step != "build")
    assert all("file=ship/web/Dockerfile" in line for line in annotated if "failed-build" in line)
    assert "built and tried" in (reports / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pr", "web"), "only `build` takes names"),
        (("pr", "--images", "i"), "leave `--images` out"),
        (("stack",), "add `--images DIRECTORY`"),
        (("stack", "--images", "gone"), "no directory"),
        (("build", "wep"), "wep"),
    ],
)
def test_what_does_not_fit_is_a_mistake(checkout: Checkout, arguments: tuple[str, ...], said: str) -> None:
    done = checkout.hullmark("ci", "run", *arguments, "--base", "HEAD")
    assert done.code == 2
    assert said in done.stderr


@pytest.mark.docker
def test_images_built_elsewhere_are_checked_in_a_stack_with_the_others(
    built: Checkout, tmp_path: Path
) -> None:
    (built.project / "web" / "a").write_text("2\n")
    images, reports = tmp_path / "images", tmp_path / "reports"
    done = built.hullmark("ci", "run", "build", "--base", "HEAD", "--images", str(images), "web")
    assert done.code == 0, done.stdout + done.stderr
    assert [each.name for each in images.iterdir()] == ["web.tar"]
    name = _images(built)["web"]
    before = _identity(name)
    # The other step runs on another machine.
    subprocess.run(("docker", "rmi", "--force", name), capture_output=True, check=True, timeout=60)
    done = built.hullmark(
        "ci", "run", "stack", "--base", "HEAD", "--images", str(images), "--reports", str(reports)
    )
    assert done.code == 0, done.stdout + done.stderr
    assert _identity(name) == before
    report = _report(reports)
    assert _checked(report, "web") == {"lint", "validate", "smoke", "secrets", "scan"}
    assert _checked(report, "worker") == {"build", "smoke"}
    assert (reports / "report.md").read_text().startswith(marker("ship"))
    assert {"report.sarif", "report.xml"} <= {each.name for each in reports.iterdir()}


@pytest.mark.docker
def test_annotations_of_a_job_can_be_off(built: Checkout) -> None:
    with (built.project / "web" / "Dockerfile").open("a") as file:
        file.write('RUN ["/no-such-program"]\n')
    (built.project / "hullmark.toml").write_text("[ci]\nannotations = false\n")
    built = replace(built, environ={**built.environ, "GITHUB_ACTIONS": "true"})
    done = built.hullmark("ci", "run", "pr", "--base", "HEAD")
    assert done.code == 1
    assert "::error" not in done.stdout


@pytest.mark.docker
def test_all_of_it_runs_here_for_the_affected_ones(built: Checkout, tmp_path: Path) -> None:
    (built.project / "web" / "a").write_text("2\n")
    done = built.hullmark("ci", "run", "pr", "--base", "HEAD", "--reports", str(tmp_path))
    assert done.code == 0, done.stdout + done.stderr
    report = _report(tmp_path)
    assert _checked(report, "web") == {"lint", "build", "validate", "smoke", "secrets", "scan"}
    assert _checked(report, "worker") == {"build", "smoke"}


@pytest.mark.docker
def test_a_change_that_breaks_an_image_fails(built: Checkout, tmp_path: Path) -> None:
    dockerfile = built.project / "web" / "Dockerfile"
    lines = dockerfile.read_text().splitlines(keepends=True)
    dockerfile.write_text("".join(line for line in lines if not line.startswith("HEALTHCHECK")))
    done = built.hullmark("ci", "run", "pr", "--base", "HEAD", "--reports", str(tmp_path))
    assert done.code == 1
    assert _report(tmp_path)["verdict"]["exit_code"] == 1


def _identity(image: str) -> str:
    done = subprocess.run(
        ("docker", "image", "inspect", "--format", "{{.Id}}", image),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()
