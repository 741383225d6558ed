r"""Compilers and headers end up in the image.

What it checks
    What apt, apk and dnf install in a stage whose whole file system ends up in the image: the final stage, what it is
    built on, and what it squashes. Compilers, build systems and packages of headers (`gcc`, `build-essential`, `cmake`,
    `cargo`, `*-dev`, ...) must be removed again: in the same RUN, or before a squash in a later one. A stage that only
    lends some files to the image is not looked at.

Why it matters
    Build tools are often the largest part of an image, they bring most of its vulnerabilities, and they serve an
    intruder better than the service. Removed in a later layer they are hidden but still there.

How to fix
    Build in a stage of its own and copy what it made.

    Bad:

        FROM python:3.13-slim
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev \
            && pip install --no-cache-dir psycopg && rm -rf /var/lib/apt/lists/*

    Good:

        FROM python:3.13-slim AS builder
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev \
            && pip wheel --no-cache-dir --wheel-dir /wheels psycopg
        FROM python:3.13-slim
        RUN --mount=from=builder,source=/wheels,target=/wheels \
            pip install --no-cache-dir --no-index --find-links /wheels psycopg
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.dockerfile import Instruction, Shipped, Stage, Word
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
_VERSION = re.compile(r"[=<>~:/].*$")


@rule(summary="build tools end up in the image", severity=Severity.ERROR, since="0.1")
def build_tools_in_final_stage(recipe: Recipe) -> Iterator[Observation]:
    shipped = recipe.shipped
    for part in shipped:
        for index, instruction in enumerate(part.stage.instructions):
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
                left = [
                    word for word in call.operands if _is_tool(word) and not _is_removed(word, call, later)
                ]
                if left:
                    names = ", ".join(f"`{word.text}`" for word in left)
                    yield Observation(
                        location=left[0].span,
                        seen=f"{call.program} installs {names} in stage {part.stage.label}",
                        expected="build tools in a builder stage only",
                        remedy=_remedy(call, left, squashed=part.squashed),
                        key=f"{part.stage.label}: {names}",
                    )


def _calls_after(part: Shipped, index: int, stages: Iterable[Stage]) -> list[Call]:
    """The calls that run between an instruction of a squashed stage and the squash."""
    later: list[tuple[Stage, Instruction]] = [
        (part.stage, each) for each in part.stage.instructions[index + 1 :]
    ]
    later += [
        (stage, each) for stage in stages if part.stage in stage.lineage[:-1] for each in stage.instructions
    ]
    return [
        call
        for stage, instruction in later
        if instruction.keyword == "RUN"
        for _, call in calls(instruction, stage.variables(instruction))
    ]


def _remedy(call: Call, left: list[Word], *, squashed: bool) -> str:
    names = " ".join(word.text for word in left)
    remove = {"apt": "apt-get purge -y --auto-remove", "apk": "apk del"}.get(
        call.family, f"{call.program} remove -y"
    )
    where = "before the squash" if squashed else "in the same RUN"
    return f"install them in a builder stage and COPY what they build, or `{remove} {names}` {where}"


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
                return True
    return False


def _matches(pattern: str, package: str) -> bool:
    name = _bare(package)
    return _bare(pattern) == name or fnmatchcase(name, pattern.replace(".*", "*"))
