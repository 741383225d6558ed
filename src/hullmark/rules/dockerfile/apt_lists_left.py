r"""Package lists of apt stay in the image.

What it checks
    Each RUN that calls `apt-get update` or `apt update` in a stage whose whole file system ends up in the image: the
    final stage, what it is built on, and what it squashes. The lists in `/var/lib/apt/lists` must be removed later
    in the same RUN, or lie on a cache or tmpfs mount. Before a squash a later RUN may remove them as well, since
    files that are gone by then take no space. A stage that only lends some files to the image is not looked at.

Why it matters
    The lists take 20 to 50 MB, are out of date the next day, and are of no use to a running service. Removed in a
    later layer they are hidden but still there and still transferred.

How to fix
    Remove them in the RUN that fetched them.

    Bad:

        RUN apt-get update && apt-get install -y --no-install-recommends curl

    Good:

        RUN apt-get update && apt-get install -y --no-install-recommends curl \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.dockerfile import Command, Instruction

_LISTS = "/var/lib/apt/lists"
_BRACES = re.compile(r"^([^{}]*)\{([^{}]*)\}([^{}]*)$")


@rule(summary="package lists of apt stay in the image", severity=Severity.WARNING, since="0.1")
def apt_lists_left(recipe: Recipe) -> Iterator[Observation]:
    shipped = recipe.shipped
    for part in shipped:
        below = [other.stage for other in shipped if part.squashed and part.stage in other.stage.lineage[:-1]]
        for index, instruction in enumerate(part.stage.instructions):
            later: list[Instruction] = []
            if part.squashed:
                later += part.stage.instructions[index + 1 :]
                later += [each for stage in below for each in stage.instructions]
            if _is_mounted(instruction) or any(_removes(each.commands) for each in later):
                continue
            for position, call in calls(instruction):
                if call.family != "apt" or call.verb != "update":
                    continue
                if _removes(instruction.commands[position + 1 :]):
                    continue
                yield Observation(
                    location=call.verb_word.span,
                    seen=f"`{call.command}` leaves {_LISTS}",
                    expected="no package lists in the image",
                    remedy=f"end the RUN with `&& rm -rf {_LISTS}/*`",
                    key=f"{part.stage.label}: {instruction.value}",
                )
                break


def _is_mounted(instruction: Instruction) -> bool:
    return any(
        mount.type in ("cache", "tmpfs") and _holds_lists(mount.target or "") for mount in instruction.mounts
    )


def _removes(commands: Iterable[Command]) -> bool:
    """Whether one of `commands` removes the lists."""
    for command in commands:
        texts = [text for word in command.arguments for text in _spread(word.text)]
        if command.program == "rm" and any(_holds_lists(text) for text in texts):
            return True
        if command.program == "find" and _deletes(texts) and any(_holds_lists(text) for text in texts):
            return True
        if (command.program in ("apt", "apt-get") and "dist-clean" in texts) or "distclean" in texts:
            return True
    return False


def _deletes(words: list[str]) -> bool:
    return "-delete" in words or ("-exec" in words and "rm" in words)


def _holds_lists(path: str) -> bool:
    """Whether `path`, possibly ending in a pattern, is the directory of the lists or one above it."""
    directory = re.sub(r"(/\*+|/)+$", "", path)
    return directory.startswith("/var") and f"{_LISTS}/".startswith(f"{directory}/")


def _spread(text: str) -> list[str]:
    """`/var/{a,b}` as the shell would spread it."""
    match = _BRACES.match(text)
    return [text] if match is None else [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]
