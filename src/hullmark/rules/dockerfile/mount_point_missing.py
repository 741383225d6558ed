"""A volume is mounted where the image has no directory.

What it checks
    The VOLUME paths of the image, and the paths at which Compose mounts volumes into the service: something in the stages
    creates them. It is looked at where it matters, in images that are squashed or run as another user than root, and
    told only where it is certain: the base is one whose directories are known (`debian`, `ubuntu`, `alpine`, and the slim
    and alpine variants of `python` and `node`), the path is none that a package would bring, and no instruction copies
    a directory above it or runs something that might create it.

Why it matters
    The engine then makes the directory itself, and it belongs to root. A service that runs as another user cannot write
    to its own volume, which is found out when it first does. Of a directory that is in the image, a fresh volume takes
    the owner, the mode and the content.

How to fix
    Create the directory, for the user that is to write there, before the squash.

    Bad:

        FROM debian:bookworm-slim AS runtime
        RUN useradd --uid 10001 app
        FROM scratch
        COPY --from=runtime / /
        USER app
        VOLUME /data

    Good:

        FROM debian:bookworm-slim AS runtime
        RUN useradd --uid 10001 app && install -d -o app -g app /data
        FROM scratch
        COPY --from=runtime / /
        USER app
        VOLUME /data
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._known_bases import (
    ALPINE,
    DEBIAN,
    IDLE,
    Directory,
    additions,
    base_images,
    is_below,
    managed,
)
from hullmark.rules._squash import declared
from hullmark.rules._variables import expanded

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Command, Instruction, Recipe, Stage
    from hullmark.model.location import SourceSpan

_OF_THE_BASE = frozenset(
    {
        *(
            "bin",
            "boot",
            "dev",
            "etc",
            "home",
            "lib",
            "lib32",
            "lib64",
            "media",
            "proc",
            "root",
            "run",
            "sbin",
        ),
        *("sys", "tmp", "usr", "var"),
    }
)
"""Directories in which base images and packages have their own."""
_MAKERS = frozenset({"cp", "install", "ln", "mv", "tar"})
"""Programs that make what their words name, and may make more below it."""
_ROOT = ("", "0", "root")


@rule(summary="a volume is mounted where the image has no directory", severity=Severity.WARNING, since="0.1")
def mount_point_missing(deployment: Deployment) -> Iterator[Observation]:
    recipe = deployment.recipe
    images = base_images(recipe)
    if images is None or not all(DEBIAN.fullmatch(image) or ALPINE.fullmatch(image) for image in images):
        return
    squash = recipe.final.lineage[0].squash
    if squash is None and _user(recipe) in _ROOT:
        return
    place = recipe.final.span if squash is None else squash[0].span
    stage = recipe.final if squash is None else squash[1]
    for path, (span, who) in _mounted(deployment, place).items():
        if _is_missing(path, recipe):
            yield Observation(
                location=span,
                seen=f"{who} {path}, which nothing in the build creates",
                expected="a directory with the owner that the service needs",
                remedy=f"add `{_command(recipe, path)}` to a RUN of stage {stage.label}",
                key=path,
            )


def _command(recipe: Recipe, path: str) -> str:
    """What makes the directory, for the user that the image runs as where the file says who that is."""
    user, group = _user(recipe), _user(recipe, part=1)
    if user in _ROOT:
        lost = recipe.final.lost("USER")
        user, group = ("", "") if lost is None else (_account(lost.stage, 0), _account(lost.stage, 1))
    if "$" in user + group or user in _ROOT:
        return f"install -d -o USER -g GROUP {path}"
    return f"install -d -o {user}{f' -g {group}' if group else ''} {path}"


def _user(recipe: Recipe, part: int = 0) -> str:
    return _account(recipe.final, part)


def _account(stage: Stage, part: int) -> str:
    """The user (0) or the group (1) that the image of `stage` runs as; empty where nothing is said."""
    found = stage.last("USER")
    if found is None:
        return ""
    return expanded(found.value, stage.variables(found)).strip("\"'").partition(":")[2 * part]


def _mounted(deployment: Deployment, place: SourceSpan) -> dict[str, tuple[SourceSpan, str]]:
    """Every mount point, once, with where it is declared and by whom."""
    found: dict[str, tuple[SourceSpan, str]] = {}
    for instruction, words in declared(deployment.recipe.final, "VOLUME"):
        for word in words:
            found.setdefault(posixpath.normpath(word.strip("\"'")), (instruction.span, "VOLUME"))
    for volume in deployment.volumes:
        found.setdefault(posixpath.normpath(volume), (place, "Compose mounts a volume at"))
    return found


def _is_missing(path: str, recipe: Recipe) -> bool:
    """Whether it is certain that nothing creates `path`."""
    first = path.split("/")[1] if path.startswith("/") else ""
    if not first or first in _OF_THE_BASE or "$" in path:
        return False
    return not any(_may_create(path, stage, instruction) for stage, instruction in additions(recipe))


def _may_create(path: str, stage: Stage, instruction: Instruction) -> bool:
    at = Directory(stage, instruction)
    match instruction.keyword:
        case "WORKDIR":
            made = at.path(instruction.value.strip("\"'"))
            return made is None or is_below(made, path)
        case "COPY":
            made = at.path(instruction.words[-1].text)
            return made is None or is_below(made, path) or is_below(path, made)
        case "ADD":
            return True
        case "RUN":
            return instruction.unread is not None or any(
                any(path in word.text for word in command.words)
                if call is not None
                else _may_make(path, command, at)
                for command, call in managed(stage, instruction)
            )
        case _:
            return False


def _may_make(path: str, command: Command, at: Directory) -> bool:
    at.follow(command)
    texts = [expanded(word.text, at.variables) for word in command.words]
    texts += [redirect.target.text for redirect in command.redirects if redirect.target is not None]
    if any(path in text or "{" in text.replace("{}", "") or "$" in text for text in texts):
        return True
    if command.program in _MAKERS or command.program == "mkdir":
        named = [at.path(text) for text in texts[1:] if not text.startswith("-")]
        # Of the others, a directory above the path may be given it as content.
        more = command.program in _MAKERS
        return any(each is None or is_below(each, path) or (more and is_below(path, each)) for each in named)
    return command.program not in IDLE
