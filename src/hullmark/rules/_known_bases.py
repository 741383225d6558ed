"""What is certain about the content of an image: which bases are known, and which commands add nothing to them.

Rules that say that something is not in an image share this. Whatever is not listed may hold or bring anything.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import ImageBase
from hullmark.rules._package_managers import calls
from hullmark.rules._variables import expanded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.dockerfile import Command, Instruction, Recipe, Stage
    from hullmark.rules._package_managers import Call

DEBIAN = re.compile(r"(?:debian|ubuntu)(?::.*)?|(?:python|node):.*slim.*")
ALPINE = re.compile(r"alpine(?::.*)?|(?:python|node):.*alpine.*")

IDLE = frozenset(
    {
        *(
            ":",
            "[",
            "addgroup",
            "adduser",
            "cat",
            "cd",
            "chmod",
            "chown",
            "date",
            "dpkg-reconfigure",
            "echo",
            "exit",
        ),
        *(
            "export",
            "false",
            "find",
            "groupadd",
            "locale-gen",
            "mkdir",
            "printf",
            "rm",
            "rmdir",
            "set",
            "sleep",
        ),
        *("test", "touch", "true", "useradd", "usermod", "strip"),
    }
)
"""Programs of a RUN that bring no programs, and make nothing but what their words name."""


def base_images(recipe: Recipe) -> tuple[str, ...] | None:
    """The images whose whole content is in the image of `recipe`, without registry and digest; `None` when not known."""
    names = []
    for part in recipe.shipped:
        match part.stage.base:
            case ImageBase(reference=reference, unresolved=()):
                name = reference.partition("@")[0]
                names.append(name.removeprefix("docker.io/").removeprefix("library/"))
            case ImageBase():
                return None
            case _:
                pass
    return tuple(names)


def additions(recipe: Recipe) -> Iterator[tuple[Stage, Instruction]]:
    """The instructions that put files into the image, without those that copy a stage that is looked at as well."""
    for part in recipe.shipped:
        whole = [copy for copy, _ in part.stage.whole_copies]
        for instruction in part.stage.instructions:
            if not any(instruction is copy for copy in whole):
                yield part.stage, instruction


def managed(stage: Stage, instruction: Instruction) -> Iterator[tuple[Command, Call | None]]:
    """The commands of a RUN, each with what it asks of a package manager."""
    found = dict(calls(instruction, stage.variables(instruction)))
    for position, command in enumerate(instruction.commands):
        yield command, found.get(position)


class Directory:
    """Where the commands of an instruction run."""

    def __init__(self, stage: Stage, instruction: Instruction) -> None:
        self.variables = stage.variables(instruction)
        self.known: str | None = "/"
        for before in stage.history:
            if before is instruction:
                break
            if before.keyword == "WORKDIR":
                self.known = self.path(before.value.strip("\"'"))

    def path(self, text: str) -> str | None:
        """`text` as an absolute path; `None` when that is not known."""
        text = expanded(text, self.variables)
        if not text or re.search(r"[*?\[{$`~]", text) or (self.known is None and not text.startswith("/")):
            return None
        return posixpath.normpath(posixpath.join(self.known or "/", text)).replace("//", "/")

    def follow(self, command: Command) -> None:
        """Goes where `cd` goes."""
        if command.program == "cd":
            words = [word.text for word in command.arguments]
            self.known = self.path(words[0]) if len(words) == 1 else None


def is_below(path: str | None, directory: str | None) -> bool:
    """Whether `path` is `directory` or lies in it."""
    return path is not None and bool(directory) and f"{path}/".startswith(f"{str(directory).rstrip('/')}/")
