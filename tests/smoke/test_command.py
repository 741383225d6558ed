"""`hullmark smoke` as a whole: what its exit code says of a stack that was not, or not all, tried."""

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

COMPOSE = """\
services:
  web:
    image: debian:bookworm-slim
    command: [sh, -c, "exit 3"]
  idle:
    image: debian:bookworm-slim
    command: [sleep, "60"]
    init: true
"""
PROMISES = """\
[[services.web.probes]]
tcp = 80

[[links]]
from = "web"
to = "tcp://idle:80"
"""
IGNORE = '[[ignore.findings]]\nrule = "service-exited"\nreason = "it always does"\n'


def _run(project: Path, *argv: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, report and progress of `hullmark` with `argv` in `project`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["-C", str(project), *argv], stdout=stdout, stderr=stderr, environ={**os.environ, **environ})
    return code, stdout.getvalue(), stderr.getvalue()


def _smoke(project: Path, toml: str, compose: str = COMPOSE, **environ: str) -> tuple[int, Any]:
    (project / "compose.yml").write_text(compose, encoding="utf-8")
    (project / "hullmark.toml").write_text(toml, encoding="utf-8")
    code, report, _ = _run(project, "-q", "smoke", "--format", "json", **environ)
    return code, json.loads(report)


def _outcomes(report: Any) -> dict[str, tuple[str, str | None]]:
    return {
        each["service"]: (each["status"], each["reason"])
        for each in report["outcomes"]
        if each["check"] == "smoke"
    }


def test_what_was_not_tried_does_not_pass_because_a_finding_is_ignored(tmp_path: Path) -> None:
    code, report = _smoke(tmp_path, PROMISES)
    assert (code, [finding["rule"] for finding in report["findings"]]) == (1, ["service-exited"])
    code, report = _smoke(tmp_path, PROMISES + IGNORE)
    assert (code, report["findings"]) == (3, [])
    outcomes = _outcomes(report)
    assert outcomes["web"] == ("broken", "its probes and links were not tried: `web` did not come up")
    # Whether it had run for long enough by then to be believed is a matter of the machine.
    assert outcomes["idle"][0] in {"ran", "skipped"}
    assert [(each["probe"], each["passed"]) for each in report["smoke"]["probes"]] == [
        ("TCP connection to port 80", None)
    ]
    assert [(each["to"], each["passed"]) for each in report["smoke"]["links"]] == [("tcp://idle:80", None)]
    _, text, _ = _run(tmp_path, "-q", "smoke")
    assert "0 of 1 probe and 0 of 1 link tried; " in text


@pytest.mark.parametrize(
    ("service", "seen", "remedy"),
    [
        (
            "command: [nosuchprogram]",
            'cannot be started (exit code 127): exec: "nosuchprogram": executable file not found in $PATH',
            "is not in the image",
        ),
        (
            "command: [/etc/passwd]",
            'cannot be started (exit code 126): exec: "/etc/passwd": permission denied',
            "chmod +x",
        ),
        (
            "devices: [/dev/nosuchdevice]",
            'error gathering device information while adding custom device "/dev/nosuchdevice": no such file',
            "what the Compose file says of `web`",
        ),
        (
            "user: nobodyatall",
            "cannot be started: unable to find user nobodyatall: no matching entries in passwd file",
            "what the Compose file says of `web`",
        ),
        (
            "secrets: [file]",
            "bind source path does not exist: ROOT/nosuchfile",
            "the Compose file says of `web`",
        ),
        (
            "secrets: [variable]",
            'environment variable "NOSUCHVARIABLE" required by file',
            "what the Compose file says of `web`",
        ),
    ],
    ids=["no program", "no permission", "no device", "no user", "no file", "no variable"],
)
def test_what_cannot_be_started_is_a_finding_at_its_service(
    tmp_path: Path, service: str, seen: str, remedy: str
) -> None:
    compose = f"""\
services:
  idle:
    image: debian:bookworm-slim
    command: [sleep, "60"]
    init: true
  web:
    image: debian:bookworm-slim
    {service}
secrets:
  file: {{file: ./nosuchfile}}
  variable: {{environment: NOSUCHVARIABLE}}
"""
    code, report = _smoke(tmp_path, "", compose)
    assert code == 1
    (finding,) = report["findings"]
    assert (finding["rule"], finding["service"]) == ("service-exited", "web")
    assert finding["location"]["text"] == "compose.yml:6:3"
    assert seen.replace("ROOT", str(tmp_path)) in finding["seen"]
    assert "Creating" not in finding["seen"]
    assert remedy in finding["remedy"]


def test_what_is_shared_and_not_there_is_told_without_progress(tmp_path: Path) -> None:
    compose = COMPOSE.replace("    init: true\n", "    init: true\n    volumes: [archive:/a]\n")
    compose += "volumes:\n  archive: {external: true, name: hullmark-test-nothing}\n"
    code, report = _smoke(tmp_path, '[smoke]\nshared = ["archive"]\n', compose)
    assert code == 1
    (finding,) = report["findings"]
    assert (finding["service"], finding["location"]["text"]) == ("idle", "compose.yml:5:3")
    assert finding["seen"] == 'cannot be started: external volume "hullmark-test-nothing" not found'


@pytest.mark.parametrize("none", ["scale: 0", "deploy: {replicas: 0}"])
def test_a_service_that_is_scaled_to_nothing_is_not_waited_for(tmp_path: Path, none: str) -> None:
    compose = COMPOSE.replace('    command: [sh, -c, "exit 3"]\n', f"    {none}\n")
    # What is waited for in vain is a finding in the end.
    code, report = _smoke(tmp_path, "", compose)
    assert code == 0
    nothing = "no container of it is wanted (`scale` or `deploy.replicas` is 0)"
    assert _outcomes(report) == {"idle": ("ran", None), "web": ("skipped", nothing)}
    code, report = _smoke(tmp_path, PROMISES, compose)
    # Something was promised of it, and was not seen.
    assert code == 3
    assert _outcomes(report)["web"][0] == "broken"
    assert [each["passed"] for each in report["smoke"]["probes"]] == [None]


def test_a_project_of_which_nothing_is_enabled_has_nothing_to_check(tmp_path: Path) -> None:
    asleep = COMPOSE.replace("    command:", "    profiles: [extra]\n    command:")
    code, report = _smoke(tmp_path, "", asleep)
    assert code == 4
    assert {each["reason"] for each in report["outcomes"]} == {
        "every service of the project belongs to a profile; `--profile NAME` enables one"
    }


def test_a_run_without_probes_says_what_was_seen(tmp_path: Path) -> None:
    compose = COMPOSE.replace("exit 3", "exit 0")
    code, report = _smoke(tmp_path, "", compose)
    assert code == 0
    code, text, progress = _run(tmp_path, "smoke")
    assert "no probes or links are configured (`[[services.NAME.probes]]`, `[[links]]`); " in text
    assert "all services are up (1 completed, 1 running); no probes or links are configured" in progress
    assert report["smoke"]["notes"] == []


def test_a_time_limit_is_told_where_it_comes_from(tmp_path: Path) -> None:
    compose = COMPOSE.replace("exit 3", "sleep 60").replace(
        "    init: true\n", "    init: true\n    healthcheck: {test: [CMD, 'false'], retries: 100}\n"
    )
    code, report = _smoke(tmp_path, '[smoke]\ntimeout = "5 min"\n', compose, HULLMARK_SMOKE_TIMEOUT="2 s")
    assert code == 1
    # On a busy machine the other services may not have started in that time either.
    assert {finding["rule"] for finding in report["findings"]} == {"start-timeout"}
    for finding in report["findings"]:
        assert finding["remedy"].endswith(
            "more time where it is set: environment variable HULLMARK_SMOKE_TIMEOUT"
        )


BUILT = """\
services:
  one: {build: one, command: [sleep, "60"], init: true}
  two: {build: two, command: [sleep, "60"], init: true}
"""


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Path]:
    """A project of two services that have not been built."""
    root = tmp_path / f"hullmark-test-{secrets.token_hex(4)}"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text("FROM debian:bookworm-slim\n", encoding="utf-8")
    (root / "compose.yml").write_text(BUILT, encoding="utf-8")
    yield root
    images = [f"{root.name}-{name}" for name in ("one", "two")]
    subprocess.run(("docker", "rmi", "-f", *images), check=True, capture_output=True)


def test_images_that_are_missing_are_named_before_anything_starts(built: Path) -> None:
    code, text, _ = _run(built, "-q", "smoke", "--no-build")
    assert code == 3
    lines = text.splitlines()
    at = lines.index("smoke broken: the images of `one`, `two` have not been built")
    # What to do stands on a line of its own.
    assert lines[at + 1] == "  help: `hullmark build one two`"


def test_what_starts_with_the_service_that_is_asked_for_is_built_if_it_is_missing(built: Path) -> None:
    skipped = [word for check in ("lint", "validate", "secrets", "scan") for word in ("--skip", check)]
    argv = ("check", "one", *skipped, "--format", "json")
    code, report, progress = _run(built, *argv)
    assert code == 0
    assert "two          not asked for, but what starts needs its image, and there is none ..." in progress
    outcomes = {(each["check"], each["service"]): each["status"] for each in json.loads(report)["outcomes"]}
    assert outcomes == dict.fromkeys(
        (("build", "one"), ("build", "two"), ("smoke", "one"), ("smoke", "two")), "ran"
    )
    # The second time it is there, and not asked for.
    _, report, _ = _run(built, *argv)
    assert ("build", "two") not in {
        (each["check"], each["service"]) for each in json.loads(report)["outcomes"]
    }
