"""Building the image of one service through Compose, and saying which step failed and how."""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable
from hullmark.model.build import FailedBuild
from hullmark.model.dockerfile import ImageBase
from hullmark.model.location import SourceSpan, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._process import Commands
    from hullmark.model.dockerfile import Instruction, Recipe
    from hullmark.model.project import Project, Service

TAIL = 20
"""Lines of a failing step's output that are shown."""
_SERVICE_STEP = re.compile(r"#\d+ \[(?P<name>[^\]]+)\] (?P<text>.+)")
_NUMBERED = re.compile(r"(?:(?P<stage>\S+) )?(?P<number>\d+)/\d+")
_UNNAMED = re.compile(r"stage-(\d+)")
_PARSE_ERROR = re.compile(r"parse error on line (\d+)")
_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
"""Instructions that BuildKit numbers, after the FROM."""
_FAILED_STEP = re.compile(r" > \[(?P<step>[^\]]*)\](?P<text>.*?):?\s*$")
_PLACE = re.compile(r"(?:.*/)?(?P<file>[^/]+):(?P<line>\d+)")
_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
"""As the engine, programs written in Go, and the C library say it."""
_ENGINE_SAYS = re.compile(r"(?:ERROR: |failed to solve: |Error response from daemon: )(?P<reason>.*)")
_NO_CONTEXT = re.compile(
    r"failed to get build context \S+: stat (?P<context>service:\S+): no such file or directory"
)
"""What Compose before 2.33 says, which takes the image of another service for a directory."""
_PROGRAM_FAILED = "did not complete successfully: "
_TMPFS = re.compile(r"--mount=\S*type=tmpfs|/dev/shm")


def build_service(
    project: Project,
    service: Service,
    commands: Commands,
    on_step: Callable[[str], None],
    recipe: Recipe | None = None,
    labels: Mapping[str, str] | None = None,
) -> FailedBuild | None:
    """Builds the image of `service`; `None` when it is built.

    The image gets `labels` besides its own. `on_step` is told of each step as it starts. With `recipe`, what its
    Dockerfile says is used to find the line that failed, which Compose, unlike `docker build`, does not print. Raises
    `Unavailable` when not the project but the machine is to blame: no space left, or no engine.
    """

    def watch(line: str) -> None:
        if step := _SERVICE_STEP.match(line):
            on_step(f"[{step['name']}] {step['text']}")

    # One more Compose file, which adds to what the others say and is written nowhere.
    more = json.dumps({"services": {service.name: {"build": {"labels": dict(labels)}}}}) if labels else None
    files = (*project.compose_arguments, *(("-f", "-") if more else ()))
    completed = commands.run(
        ("docker", "compose", *files, "--progress", "plain", "build", service.name),
        cwd=project.root,
        stdin=more,
        env={"BUILDKIT_PROGRESS": "plain", "NO_COLOR": "1"},
        on_line=watch,
    )
    if completed.returncode == 0:
        return None
    # Compose prints BuildKit's progress on standard output or standard error, depending on its version.
    text = f"{completed.stdout}\n{completed.stderr}"
    if unknown := _NO_CONTEXT.search(text):
        raise Unavailable(
            f"building `{service.name}` failed: this Docker Compose does not know `additional_contexts` "
            f"that are the image of another service, such as `{unknown['context']}`",
            hint="upgrade the Docker Compose plugin to 2.33 or newer, or name the image itself in FROM and COPY",
        )
    failure = explain_failure(text, _dockerfile(project, service), recipe=recipe, service=service.name)
    if _is_full(text) or (failure.no_space and not failure.has_tmpfs):
        raise Unavailable(
            f"building `{service.name}` failed: no space left on the engine's disk",
            hint="free some with `docker builder prune -f` and `docker image prune -f`; `docker system df` shows what is held",
        )
    if "Cannot connect to the Docker daemon" in text:
        raise Unavailable(f"building `{service.name}` failed: the engine went away", hint="`docker version`")
    return failure


def _is_full(text: str) -> bool:
    """Whether the engine itself says that its disk is full; that a program of a step says so is something else."""
    for said in _ENGINE_SAYS.finditer(text):
        # The command of a step stands there as well, and may contain anything.
        reason = said["reason"].rpartition(_PROGRAM_FAILED)[2]
        if _NO_SPACE.search(reason):
            return True
    return False


def _dockerfile(project: Project, service: Service) -> str:
    """The Dockerfile as messages name it, or the Compose file when there is none to be read."""
    if service.build is None or service.build.unreadable:
        return service.span.path
    return shown(PurePath(service.build.dockerfile), project.root)


def explain_failure(
    text: str, dockerfile: str, *, recipe: Recipe | None = None, service: str = ""
) -> FailedBuild:
    """What BuildKit's plain progress `text` says of the step of `dockerfile` that failed.

    Where it names no line, that of the step is looked up in `recipe`; Compose puts `service` before the step's name.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    message = next((line for line in reversed(lines) if "failed to solve" in line), None)
    if message is None:
        message = next((line for line in reversed(lines) if line.strip()), "no reason given")
    label, step, output = _failed_step(lines)
    name = PurePath(dockerfile).name
    place = next((m for line in reversed(lines) if (m := _PLACE.fullmatch(line)) and m["file"] == name), None)
    if place:
        span = SourceSpan(path=dockerfile, line=int(place["line"]))
    elif parse_error := _PARSE_ERROR.search(message):
        span = SourceSpan(path=dockerfile, line=int(parse_error[1]))
    else:
        found = _instruction(recipe, label.removeprefix(f"{service} "), step) if recipe else None
        span = found.span if found else SourceSpan(path=dockerfile)
    no_space = any(_NO_SPACE.search(line) for line in output)
    return FailedBuild(
        span=span,
        message=re.sub(r"^.*failed to solve: ", "", message),
        step=step,
        output=output[-TAIL:],
        no_space=no_space,
        has_tmpfs=any(_TMPFS.search(line) for line in (step, *output)),
    )


def _instruction(recipe: Recipe, label: str, step: str) -> Instruction | None:
    """The instruction that BuildKit calls `label`, such as `builder 3/7`, and shows as `step`."""
    numbered = _NUMBERED.fullmatch(label)
    if numbered is None or not step:
        return None
    keyword = step.split(maxsplit=1)[0]
    unnamed = _UNNAMED.fullmatch(numbered["stage"] or "")
    for stage in recipe.stages:
        if numbered["stage"] is None:
            fits = stage is recipe.final
        else:
            fits = (stage.name or "").lower() == numbered["stage"].lower() or bool(
                unnamed and stage.index == int(unnamed[1])
            )
        if not fits:
            continue
        # FROM counts where it brings in an image; a stage that continues another, or nothing, starts counting later.
        first = [stage.opening] if isinstance(stage.base, ImageBase) else []
        steps = first + [each for each in stage.instructions if each.keyword in _STEPS]
        number = int(numbered["number"])
        if number <= len(steps) and steps[number - 1].keyword == keyword:
            return steps[number - 1]
    return None


def _failed_step(lines: list[str]) -> tuple[str, str, tuple[str, ...]]:
    """The block between two rules of dashes that starts with ` > [label] instruction:`."""
    for index, line in enumerate(lines):
        if found := _FAILED_STEP.match(line):
            output = []
            for following in lines[index + 1 :]:
                if following.startswith("------"):
                    break
                output.append(re.sub(r"^\d+\.\d+ ", "", following))
            return found["step"], found["text"].strip(), _longer(lines[:index], found, output)
    return "", "", ()


def _longer(before: list[str], found: re.Match[str], output: list[str]) -> tuple[str, ...]:
    """The lines of the step that `found` heads; BuildKit repeats only ten of what it printed before."""
    opening = f" [{found['step']}]{found['text']}"
    numbers = [line.partition(" ")[0] for line in before if line[:1] == "#" and line.endswith(opening)]
    if not numbers:
        return tuple(output)
    printed = re.compile(rf"{re.escape(numbers[-1])} \d+\.\d+ (.*)")
    lines = [match[1] for line in before if (match := printed.fullmatch(line))]
    return tuple(lines if len(lines) > len(output) else output)
