"""Building the image of one service through Compose, and saying which step failed and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._process import Commands
    from hullmark.model.project import Project, Service

TAIL = 20
"""Lines of a failing step's output that are shown."""
_SERVICE_STEP = re.compile(r"#\d+ \[(?P<name>[^\]]+)\] (?P<text>.+)")
_FAILED_STEP = re.compile(r" > \[(?P<step>[^\]]*)\](?P<text>.*?):?\s*$")
_FAILED_LINE = re.compile(r"(?:\S*/)?(?P<file>[^\s/]*Dockerfile[^\s:]*|[^\s/:]+):(?P<line>\d+)\s*$")
_NO_SPACE = "no space left on device"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailure:
    """Why an image could not be built, as BuildKit tells it."""

    message: str
    """The last line: what did not complete, with its exit code."""
    step: str
    """The instruction that failed, or empty when it failed before any."""
    line: int
    """Its line in the Dockerfile; 1 when BuildKit names none."""
    output: tuple[str, ...]
    """The last lines that the step printed."""


def build_service(
    project: Project, service: Service, commands: Commands, on_step: Callable[[str], None]
) -> BuildFailure | None:
    """Builds the image of `service`; `None` when it is built.

    `on_step` is told of each step as it starts. Raises `Unavailable` when not the project but the machine is to
    blame: no space left, or no engine.
    """

    def watch(line: str) -> None:
        if step := _SERVICE_STEP.match(line):
            on_step(f"[{step['name']}] {step['text']}")

    completed = commands.run(
        ("docker", "compose", *project.compose_arguments, "--progress", "plain", "build", service.name),
        cwd=project.root,
        env={"BUILDKIT_PROGRESS": "plain", "NO_COLOR": "1"},
        on_line=watch,
    )
    if completed.returncode == 0:
        return None
    # Compose prints BuildKit's progress on standard error, older versions on standard output.
    text = f"{completed.stdout}\n{completed.stderr}"
    if _NO_SPACE in text:
        raise Unavailable(
            f"building `{service.name}` failed: no space left on the engine's disk",
            hint="free some with `docker builder prune -f` and `docker image prune -f`; `docker system df` shows what is held",
        )
    if "Cannot connect to the Docker daemon" in text:
        raise Unavailable(f"building `{service.name}` failed: the engine went away", hint="`docker version`")
    return explain_failure(text)


def explain_failure(text: str) -> BuildFailure:
    """What BuildKit's plain progress `text` says of the step that failed."""
    lines = [line.rstrip() for line in text.splitlines()]
    message = next((line for line in reversed(lines) if "failed to solve" in line), None)
    if message is None:
        message = next((line for line in reversed(lines) if line.strip()), "no reason given")
    step, output = _failed_step(lines)
    place = next((found for line in reversed(lines) if (found := _FAILED_LINE.fullmatch(line))), None)
    message = re.sub(r"^.*failed to solve: ", "", message)
    return BuildFailure(message=message, step=step, line=int(place["line"]) if place else 1, output=output)


def _failed_step(lines: list[str]) -> tuple[str, tuple[str, ...]]:
    """The block between two rules of dashes that starts with ` > [step] instruction:`."""
    for index, line in enumerate(lines):
        if found := _FAILED_STEP.match(line):
            output = []
            for following in lines[index + 1 :]:
                if following.startswith("------"):
                    break
                output.append(re.sub(r"^\d+\.\d+ ", "", following))
            return found["text"].strip(), tuple(output[-TAIL:])
    return "", ()
