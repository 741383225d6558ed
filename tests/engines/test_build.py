"""Builds that fail: which line, which step, and the last words, as the real Compose prints them."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._compose import resolve
from hullmark._dockerfile import load, parse
from hullmark._engines import build_service
from hullmark._engines.build import TAIL, explain_failure
from hullmark.errors import Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Project, Service, Settings
from hullmark.rules.runtime.failed_build import failed_build
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._process import Commands
    from hullmark.model.build import FailedBuild

COMPOSE_BUILD = ("docker", "compose")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project directory whose images are removed again."""
    made = tmp_path / f"hullmark-test-{secrets.token_hex(4)}"
    made.mkdir()
    yield made
    subprocess.run(("docker", "rmi", "-f", f"{made.name}-web"), check=True, capture_output=True)


def _build(
    root: Path, dockerfile: str, commands: Commands, *, target: str | None = None
) -> tuple[FailedBuild | None, list[str]]:
    (root / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    chosen = f"\n      target: {target}" if target else ""
    (root / "compose.yml").write_text(
        f"services:\n  web:\n    build:\n      context: .{chosen}\n", encoding="utf-8"
    )
    project = resolve(root, Settings(), commands)
    try:
        recipe = load(root / "Dockerfile", root).recipe(target)
    except Exception:  # noqa: BLE001  # a file that cannot be read is one of the cases
        recipe = None
    steps: list[str] = []
    return build_service(project, project.service("web"), commands, steps.append, recipe), steps


@pytest.mark.docker
def test_a_build_that_completes_tells_its_steps(root: Path, commands: Commands) -> None:
    failure, steps = _build(root, "FROM debian:bookworm-slim\nENV A=1\nRUN echo built\n", commands)
    assert failure is None
    assert any(step.endswith("2/2] RUN echo built") for step in steps)


@pytest.mark.docker
def test_a_run_that_fails_is_shown_with_its_line_and_last_words(root: Path, commands: Commands) -> None:
    failure, _ = _build(
        root,
        "FROM debian:bookworm-slim AS base\nWORKDIR /srv\n\nFROM base\nENV A=1\n"
        "RUN echo one && echo two >&2 \\\n  && seq 100 && exit 3\nRUN echo later\n",
        commands,
    )
    assert failure is not None
    assert (failure.span.line, failure.span.end_line) == (6, 7)
    assert failure.message.endswith("did not complete successfully: exit code: 3")
    assert failure.step.startswith("RUN echo one && echo two")
    assert len(failure.output) == TAIL
    # The two streams of a step reach the engine each on its own: where `two` lands among the lines is chance.
    counted = [line for line in failure.output if line != "two"]
    assert counted == [str(number) for number in range(101 - len(counted), 101)]
    (finding,) = failed_build.check(failure, service="web")
    assert str(finding.location) == "Dockerfile:6:1"
    assert "line 6 of `Dockerfile`" in finding.remedy


@pytest.mark.docker
def test_a_source_that_is_not_there_is_named(root: Path, commands: Commands) -> None:
    failure, _ = _build(root, "FROM debian:bookworm-slim\n\nRUN true\nCOPY no-such-file /x\n", commands)
    assert failure is not None
    assert str(failure.span) == "Dockerfile:4:1"
    assert failure.step == "COPY no-such-file /x"
    assert '"/no-such-file": not found' in failure.message
    (finding,) = failed_build.check(failure, service="web")
    assert "put `/no-such-file` into the build context" in finding.remedy


@pytest.mark.docker
def test_a_file_that_is_no_dockerfile_is_shown_at_its_line(root: Path, commands: Commands) -> None:
    failure, _ = _build(root, "FROM debian:bookworm-slim\nENV A=1\nRUNN echo x\n", commands)
    assert failure is not None
    assert str(failure.span) == "Dockerfile:3:1"
    assert "unknown instruction: RUNN" in failure.message
    assert failure.step == ""
    (finding,) = failed_build.check(failure, service="web")
    assert finding.remedy == "correct line 3 of `Dockerfile`"


@pytest.mark.docker
def test_a_failure_in_another_stage_is_shown_there(root: Path, commands: Commands) -> None:
    failure, _ = _build(
        root,
        "FROM debian:bookworm-slim AS Builder\nRUN echo first\nRUN exit 9\n\nFROM scratch\nCOPY --from=builder / /\n",
        commands,
    )
    assert failure is not None
    assert str(failure.span) == "Dockerfile:3:1"


@pytest.mark.docker
def test_only_what_the_target_needs_can_fail(root: Path, commands: Commands) -> None:
    text = "FROM debian:bookworm-slim AS good\nRUN true\nFROM good AS bad\nRUN exit 4\n"
    assert _build(root, text, commands, target="good")[0] is None
    failure, _ = _build(root, text, commands, target="bad")
    assert failure is not None
    assert str(failure.span) == "Dockerfile:4:1"


def _project(root: Path) -> Project:
    service = Service(
        name="web",
        image="shop-web",
        build=Build(context=str(root / "web"), dockerfile=str(root / "web" / "Dockerfile")),
        span=SourceSpan(path="compose.yml", line=2, column=3),
    )
    return Project(name="shop", root=root, services=(service,), settings=Settings(), resolved="{}")


def _scripted(*, stdout: str = "", stderr: str = "") -> FailedBuild | None:
    project = _project(Path("/shop"))
    answer = ScriptedCommands.completed(stdout, stderr=stderr, returncode=17)
    return build_service(
        project, project.service("web"), ScriptedCommands({COMPOSE_BUILD: answer}), lambda _: None
    )


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_full_disk_is_the_machines_fault_and_not_the_projects(where: str) -> None:
    text = "#7 ERROR: failed to copy: write /var/lib/docker/tmp/x: no space left on device\n"
    with pytest.raises(Unavailable, match="building `web` failed: no space left") as caught:
        _scripted(**{where: text})
    assert "docker builder prune" in str(caught.value.hint)


def test_an_old_compose_that_takes_a_service_for_a_directory_is_told_once_and_with_the_way_out() -> None:
    text = "failed to get build context base: stat service:base: no such file or directory\n"
    with pytest.raises(Unavailable, match=r"does not know `additional_contexts`.*`service:base`") as caught:
        _scripted(stderr=text)
    assert "2.33" in str(caught.value.hint)


STEP_SAYS = """\
#6 [web 2/2] RUN {step}
#6 0.190 cp: error writing '/x': {said}
#6 ERROR: process "/bin/sh -c {step}" did not complete successfully: exit code: 1
------
 > [web 2/2] RUN {step}:
0.190 cp: error writing '/x': {said}
------
failed to solve: process "/bin/sh -c {step}" did not complete successfully: exit code: 1
"""


@pytest.mark.parametrize(
    "said", ["No space left on device", "no space left on device", "Disk quota exceeded"]
)
def test_a_full_disk_that_a_step_tells_of_is_the_machines_fault_too(said: str) -> None:
    with pytest.raises(Unavailable, match="building `web` failed: no space left on the engine's disk"):
        _scripted(stdout=STEP_SAYS.format(step="cp -r /a /x", said=said))


def test_a_full_disk_while_a_step_is_started_is_the_machines_fault() -> None:
    text = STEP_SAYS.format(step="true", said="").replace(
        "exit code: 1", "mkdir /run/x: no space left on device"
    )
    with pytest.raises(Unavailable, match="no space left on the engine's disk"):
        _scripted(stdout=text)


@pytest.mark.parametrize(
    "text",
    [
        STEP_SAYS.format(step="echo no space left on device; exit 1", said="so what"),
        "#5 0.1 No space left on device\n" + STEP_SAYS.format(step="false", said=""),
    ],
    ids=["in the command", "in a step that went on"],
)
def test_words_about_a_full_disk_are_not_one(text: str) -> None:
    failure = _scripted(stdout=text)
    assert failure is not None
    assert not failure.no_space


@pytest.mark.docker
def test_a_full_tmpfs_of_a_step_is_the_projects_fault(root: Path, commands: Commands) -> None:
    failure, _ = _build(
        root,
        "FROM debian:bookworm-slim\n"
        "RUN --mount=type=tmpfs,target=/t,size=1048576 head -c 9000000 /dev/zero >/t/x\n",
        commands,
    )
    assert failure is not None
    assert failure.no_space
    (finding,) = failed_build.check(failure, service="web")
    assert str(finding.location) == "Dockerfile:2:1"
    assert "No space left on device" in finding.seen
    assert finding.remedy.startswith("give the tmpfs of line 2 of `Dockerfile` more room")


def test_an_engine_that_goes_away_is_the_machines_fault() -> None:
    with pytest.raises(Unavailable, match="the engine went away"):
        _scripted(stderr="Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n")


def test_steps_are_told_from_either_output() -> None:
    project = _project(Path("/shop"))
    answer = ScriptedCommands.completed(
        "#5 [web 2/3] RUN one\n#5 0.1 [not a step] x\n",
        stderr="#6 [web 3/3] COPY a b\n#7 exporting to image\n",
    )
    steps: list[str] = []
    commands = ScriptedCommands({COMPOSE_BUILD: answer})
    assert build_service(project, project.service("web"), commands, steps.append) is None
    assert steps == ["[web 2/3] RUN one", "[web 3/3] COPY a b"]
    assert commands.calls[0][-2:] == ("build", "web")


def test_a_failure_without_a_word_still_says_something() -> None:
    failure = _scripted()
    assert failure is not None
    assert failure.message == "no reason given"
    assert str(failure.span) == "web/Dockerfile:1:1"
    assert list(failed_build.check(failure))


def test_a_service_without_a_readable_dockerfile_is_shown_in_its_compose_file() -> None:
    project = _project(Path("/shop"))
    service = Service(
        name="web",
        image="shop-web",
        build=Build(context="git://x", dockerfile="Dockerfile", unreadable="its build context is remote"),
        span=project.services[0].span,
    )
    answer = ScriptedCommands.completed(stderr="failed to solve: nothing\n", returncode=1)
    failure = build_service(project, service, ScriptedCommands({COMPOSE_BUILD: answer}), lambda _: None)
    assert failure is not None
    assert failure.span.path == "compose.yml"


# As `docker build` prints it, which names the line, and newer versions of Compose do, too.
WITH_FRAME = """\
#6 [builder 2/2] RUN <<EOF (echo hello...)
#6 0.184 hello
#6 ERROR: process "/bin/sh -c echo hello\\nexit 9\\n" did not complete successfully: exit code: 9
------
 > [builder 2/2] RUN <<EOF (echo hello...):
0.184 hello
0.190 12.5 apples
------
Dockerfile:12
--------------------
  10 |     FROM debian:bookworm-slim AS builder
  11 |
  12 | >>> RUN <<EOF
  13 | >>> echo hello
--------------------
ERROR: failed to solve: process "/bin/sh -c echo hello\\nexit 9\\n" did not complete successfully: exit code: 9
"""
WITHOUT_FRAME = """\
#6 [web {label}] {step}
------
 > [web {label}] {step}:
0.1 words
------
failed to solve: process "x" did not complete successfully: exit code: 9
"""
STAGES = """\
ARG BASE=debian:12
FROM ${BASE} AS deps
WORKDIR /srv
COPY a b
RUN --mount=type=cache,target=/c one
FROM deps AS app
ENV X=1
RUN two
FROM scratch
COPY --from=app / /
ADD c d
"""


def test_the_line_that_buildkit_names_is_taken() -> None:
    failure = explain_failure(WITH_FRAME, "web/Dockerfile")
    assert str(failure.span) == "web/Dockerfile:12:1"
    assert failure.output == ("hello", "12.5 apples")
    assert failure.step == "RUN <<EOF (echo hello...)"
    assert failure.message.startswith('process "/bin/sh -c echo hello')


@pytest.mark.parametrize(
    ("label", "step", "line"),
    [
        ("deps 1/4", "FROM docker.io/library/debian:12", 2),
        ("deps 2/4", "WORKDIR /srv", 3),
        ("deps 3/4", "COPY a b", 4),
        ("deps 4/4", "RUN --mount=type=cache,target=/c one", 5),
        ("app 1/1", "RUN two", 8),
        ("stage-2 1/2", "COPY --from=app / /", 10),
        ("stage-2 2/2", "ADD c d", 11),
        ("2/2", "ADD c d", 11),
        ("deps 4/4", "COPY from an ONBUILD", 1),
        ("deps 9/9", "RUN three", 1),
        ("elsewhere 1/2", "RUN two", 1),
        ("internal", "load metadata for docker.io/library/debian:12", 1),
    ],
)
def test_where_no_line_is_named_that_of_the_step_is_looked_up(label: str, step: str, line: int) -> None:
    recipe = parse(STAGES, "Dockerfile").recipe()
    text = WITHOUT_FRAME.format(label=label, step=step)
    failure = explain_failure(text, "Dockerfile", recipe=recipe, service="web")
    assert failure.span.line == line
    assert failure.output == ("words",)


def test_a_service_called_like_a_stage_confuses_nobody() -> None:
    recipe = parse(STAGES, "Dockerfile").recipe()
    text = WITHOUT_FRAME.replace("web ", "deps ").format(label="deps 3/4", step="COPY a b")
    assert explain_failure(text, "Dockerfile", recipe=recipe, service="deps").span.line == 4


def test_the_last_of_several_lines_with_the_files_name_counts() -> None:
    text = f"Dockerfile:3\n{WITH_FRAME}"
    assert explain_failure(text, "Dockerfile").span.line == 12


def test_lines_of_other_files_are_not_its_lines() -> None:
    text = WITH_FRAME.replace("Dockerfile:12", "Dockerfile.other:12")
    assert explain_failure(text, "Dockerfile").span.line == 1


def test_only_the_end_of_a_long_output_is_kept() -> None:
    lines = "".join(f"0.1 line {number}\n" for number in range(200))
    text: Any = WITH_FRAME.replace("0.184 hello\n0.190 12.5 apples\n", lines)
    assert explain_failure(text, "Dockerfile").output == tuple(f"line {n}" for n in range(200 - TAIL, 200))
