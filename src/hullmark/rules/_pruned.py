"""Packages of npm and Python that the commands of a RUN take out again, by name."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hullmark.rules._known_bases import Directory
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.dockerfile import Command, Instruction, Stage

NPM, PYTHON = "npm", "python"

_BRACES = re.compile(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
_IN_NODE = re.compile(r"(?P<place>(?:.*/)?node_modules)/(?P<name>(?:@[^/]+/)?[^/@]+)/?\*?")
_IN_PYTHON = re.compile(r"(?P<place>(?:.*/)?(?:site|dist)-packages)/(?P<name>[^/]+)/?\*?")
_METADATA = re.compile(r".*\.(?:dist-info|egg-info|pth|so)|__pycache__")
_OF_PYTHON = re.compile(r"(?:.*/)?(?:[\w.-]*venv|(?:site|dist)-packages)(?:/.*)?")
_VERBS = {
    "npm": frozenset({"uninstall", "unlink", "remove", "rm", "r", "un"}),
    "pnpm": frozenset({"uninstall", "remove", "rm", "un"}),
    "yarn": frozenset({"remove"}),
}
_GLOBAL = frozenset({"-g", "--global", "--location=global", "global"})
_GLOB = re.compile(r"[*?\[$`].*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What one command takes out."""

    command: Command
    kind: str
    """`NPM` or `PYTHON`."""
    pattern: str
    """The package, or a pattern for the directory it is in, as it is written."""
    place: str | None
    """The directory that it is taken out of, as far as that is known: patterns end it."""

    def takes(self, name: str) -> bool:
        """Whether the package called `name` is among it."""
        if self.kind == NPM:
            whole = "/" in self.pattern
            return fnmatchcase(name if whole else name.rpartition("/")[2], self.pattern)
        flat = re.sub(r"[-_.]+", "_", name).lower()
        return fnmatchcase(flat, re.sub(r"[-_.]+", "_", self.pattern).lower())


def pruned(stage: Stage, instruction: Instruction) -> Iterator[Pruned]:
    """What the commands of a RUN take out, in order; what the same RUN installs again is not among it."""
    at = Directory(stage, instruction)
    managed = dict(calls(instruction, at.variables))
    for position, command in enumerate(instruction.commands):
        at.follow(command)
        if command.program == "rm":
            yield from _removed(command, at)
        elif command.program == "find":
            following = instruction.commands[position + 1 : position + 2]
            if _removes(command) or (command.piped and any(_is_removal(each) for each in following)):
                yield from _found(command, at)
        elif command.program in _VERBS:
            yield from _uninstalled(command, at)
        call = managed.get(position)
        if call is not None and (call.family, call.verb) in {("pip", "uninstall"), ("uv", "pip uninstall")}:
            again = {
                word.text
                for place, later in managed.items()
                if place > position and later.verb in {"install", "pip install"}
                for word in later.operands
            }
            for word in call.operands:
                if word.static and not any(re.split(r"[=<>!~\[]", each)[0] == word.text for each in again):
                    yield Pruned(command=command, kind=PYTHON, pattern=word.text, place=None)


def _removed(command: Command, at: Directory) -> Iterator[Pruned]:
    for word in command.arguments:
        for text in () if word.text.startswith("-") else _spread(word.text):
            node = _IN_NODE.fullmatch(text)
            python = _IN_PYTHON.fullmatch(text)
            if node is not None and node["name"] != "*":
                yield Pruned(command=command, kind=NPM, pattern=node["name"], place=_place(node["place"], at))
            elif python is not None and python["name"] != "*" and not _METADATA.fullmatch(python["name"]):
                yield Pruned(
                    command=command, kind=PYTHON, pattern=python["name"], place=_place(python["place"], at)
                )


def _found(command: Command, at: Directory) -> Iterator[Pruned]:
    """What `find` looks for by name, where directories are among what it finds."""
    words = [word.text for word in command.arguments]
    begins = next((index for index, word in enumerate(words) if re.match(r"[-(!\\]", word)), len(words))
    starts, test = words[:begins], words[begins:]
    types = {second for first, second in itertools.pairwise(test) if first == "-type"}
    depths = [second for first, second in itertools.pairwise(test) if first == "-mindepth"]
    if (types and "d" not in ",".join(types)) or any(each != "1" for each in depths):
        return
    for start in starts:
        kind = NPM if "node_modules" in start.split("/") else PYTHON if _OF_PYTHON.fullmatch(start) else None
        if kind is not None:
            for pattern in _names(test):
                yield Pruned(command=command, kind=kind, pattern=pattern, place=_place(start, at))


def _names(test: list[str]) -> Iterator[str]:
    """The names that are asked for, without those that are excepted."""
    for index, word in enumerate(test[:-1]):
        excepted = index > 0 and test[index - 1] in {"!", "-not", "\\!"}
        if word in {"-name", "-iname"} and not excepted and set(test[index + 1]) - set("*?"):
            yield test[index + 1]


def _removes(command: Command) -> bool:
    """Whether `find` has `rm` remove what it finds; its own `-delete` leaves directories that hold something."""
    words = [word.text for word in command.arguments]
    return any(
        first in {"-exec", "-execdir"} and second.rpartition("/")[2] == "rm"
        for first, second in itertools.pairwise(words)
    )


def _is_removal(command: Command) -> bool:
    return command.program == "rm" and "xargs" in command.wrappers


def _uninstalled(command: Command, at: Directory) -> Iterator[Pruned]:
    words = [word.text for word in command.arguments]
    names = [word for word in words if not word.startswith("-")]
    if not names or names[0] not in _VERBS[command.program] or _GLOBAL & set(words):
        return
    for name in names[1:]:
        bare = re.sub(r"(?<=.)@.*", "", name)
        yield Pruned(command=command, kind=NPM, pattern=bare, place=at.known)


def _place(text: str, at: Directory) -> str | None:
    return at.path(_GLOB.sub("", text) or ".")


def _spread(text: str) -> list[str]:
    """`a/{b,c}` as the shell spreads it."""
    match = _BRACES.fullmatch(text)
    return [text] if match is None else [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]
