"""Build tools that a build installs and leaves in the image; two rules share this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.dockerfile import Instruction, Recipe, Shipped, Stage, Word
    from hullmark.rules._package_managers import Call

_INSTALL = frozenset({("apt", "install"), ("apk", "add"), ("dnf", "install"), ("dnf", "groupinstall")})
_REMOVE = frozenset(
    {
        ("apt", "autopurge"),
        ("apt", "autoremove"),
        ("apt", "purge"),
        ("apt", "remove"),
        ("apk", "del"),
        ("dnf", "erase"),
        ("dnf", "remove"),
    }
)
_TOOL = re.compile(
    r"""
      (?:gcc|g\+\+|gfortran|clang|llvm|rustc|cargo|golang|openjdk)(?:-\d+(?:\.\d+)*)?(?:-(?:jdk|jdk-headless|go|multilib))?
    | gcc-c\+\+ | go | (?:gcc|g\+\+)-multilib | rust | rust-all | golang-go
    | build-essential | build-base | alpine-sdk | dpkg-dev | abuild | @development(?:-tools)? | development\ tools
    | make | gmake | cmake | meson | ninja | ninja-build | samurai | autoconf | automake | libtool | bison | flex
    | nasm | yasm | pkg-config | pkgconf | maven | gradle | default-jdk(?:-headless)?
    | linux-headers(?:-.+)? | kernel-headers
    | .+-dev | .+-devel
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BRINGS = re.compile(
    r"(?:gcc|g\+\+|gfortran|clang|llvm|golang|golang-go|default-jdk|default-jdk-headless|openjdk-\d+-jdk|build-essential)(?:-multilib)?"
)
"""Packages of Debian that hold next to nothing themselves: the tool comes as a dependency (`gcc-12`)."""
_ORPHANS = frozenset({"autopurge", "autoremove"})
_ALONG = ("--auto-remove", "--autoremove")
_VERSION = re.compile(r"[=<>~:/].*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftTools:
    """One installation of which build tools are left in the image."""

    part: Shipped
    call: Call
    words: tuple[Word, ...]
    """The tools that are left, at least one."""

    @property
    def names(self) -> str:
        """The tools as a message lists them."""
        return ", ".join(f"`{word.text}`" for word in self.words)

    @property
    def removal(self) -> str:
        """What would remove them, and where."""
        names = " ".join(word.text for word in self.words)
        remove = {"apt": "apt-get purge -y --auto-remove", "apk": "apk del"}.get(
            self.call.family, f"{self.call.program} remove -y"
        )
        return f"`{remove} {names}` {'before the squash' if self.part.squashed else 'in the same RUN'}"


def left_tools(recipe: Recipe) -> Iterator[LeftTools]:
    """The installations whose tools are in the image."""
    shipped = recipe.shipped
    for part in shipped:
        for index, instruction in enumerate(_run(part.stage)):
            if instruction.keyword != "RUN":
                continue
            found = list(calls(instruction, part.stage.variables(instruction)))
            for position, call in found:
                if (call.family, call.verb) not in _INSTALL or call.has(
                    "--download-only", "-d", "--simulate", "-s"
                ):
                    continue
                later = [after for place, after in found if place > position]
                if part.squashed:
                    later += _calls_after(part, index, [other.stage for other in shipped])
                left = tuple(
                    word for word in call.operands if _is_tool(word) and not _is_removed(word, call, later)
                )
                if left:
                    yield LeftTools(part=part, call=call, words=left)


def _run(stage: Stage) -> tuple[Instruction, ...]:
    """What runs in a stage, with what the one that it continues has put off until then."""
    return (*stage.triggered, *stage.instructions)


def _calls_after(part: Shipped, index: int, stages: Iterable[Stage]) -> list[Call]:
    """The calls that run between an instruction of a squashed stage and the squash."""
    later: list[tuple[Stage, Instruction]] = [(part.stage, each) for each in _run(part.stage)[index + 1 :]]
    later += [(stage, each) for stage in stages if part.stage in stage.lineage[:-1] for each in _run(stage)]
    return [
        call
        for stage, instruction in later
        if instruction.keyword == "RUN"
        for _, call in calls(instruction, stage.variables(instruction))
    ]


def _is_tool(word: Word) -> bool:
    return word.static and _TOOL.fullmatch(_bare(word.text)) is not None


def _bare(package: str) -> str:
    """The package without version, release and architecture."""
    return _VERSION.sub("", package)


def _is_removed(word: Word, install: Call, later: Iterable[Call]) -> bool:
    """Whether one of the `later` calls removes the package again."""
    groups = install.values("-t", "--virtual")
    for call in later:
        if call.family != install.family or (call.family, call.verb) not in _REMOVE:
            continue
        if not call.operands and call.verb != "autoremove" and call.has("--auto-remove", "--autoremove"):
            return True  # after `apt-mark auto`, which leaves only what is needed
        for operand in call.operands:
            if not operand.static and "$" in operand.text:
                return True  # a list that was put together at run time
            if operand.text in groups or _matches(operand.text, word.text):
                return not _keeps_dependencies(call, word, later)
    return False


def _keeps_dependencies(call: Call, word: Word, later: Iterable[Call]) -> bool:
    """Whether the removal leaves what the package brought along, which is the tool itself where that is a metapackage."""
    if call.family != "apt" or call.verb in _ORPHANS or call.has(*_ALONG):
        return False
    name = _bare(word.text)
    # `gcc*`, or what it brings along by name as well
    if not _BRINGS.fullmatch(name) or any(
        re.match(rf"{re.escape(name)}(?:-\d|\.?\*)", each.text) for each in call.operands
    ):
        return False
    return not any(
        after.family == "apt" and (after.verb in _ORPHANS or after.has(*_ALONG)) for after in later
    )


def _matches(pattern: str, package: str) -> bool:
    name = _bare(package)
    return _bare(pattern) == name or fnmatchcase(name, pattern.replace(".*", "*"))
