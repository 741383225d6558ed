r"""Shared libraries are removed by pattern.

What it checks
    `rm` and `find ... -delete` (or `-exec rm`) in a RUN whose files reach the image, where what they remove is named by
    a pattern for shared libraries: `*.so`, `*.so.*`, `lib*.so*`. That is a RUN of a stage that the image is made of, and
    one of a stage that lends it the directory by COPY. Static libraries (`*.a`, `*.la`) are fine.

Why it matters
    Which libraries a program needs is not seen from their names: those that another library or a Python module loads
    are missed, and the service fails when it first comes to them. The image rule `missing-library` looks at the result;
    this one says where it comes from.

How to fix
    Strip what is left instead of removing it, and remove the package that brings a library that is not needed.

    Bad:

        RUN find /venv -name '*.so*' -path '*/tests/*' -o -name '*.so' -size -20k -delete

    Good:

        RUN find /venv -name '*.so*' -exec strip --strip-unneeded {} +
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import dropwhile, pairwise, takewhile
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._known_bases import Directory
from hullmark.rules._lent import lent, reaches

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Command

_PATTERN = re.compile(r"(?:.*/)?[^/]*\.so(?:\.?\*|\.[\d.*]+)?|(?:.*/)?[^/]*\.so\*?")
_GLOB = re.compile(r"[*?\[]")
_EXPRESSION = ("-", "(", "!", "\\")
"""How the first word of an expression of `find` begins; what stands in front of it are directories."""


@rule(summary="shared libraries are removed by pattern", severity=Severity.WARNING, since="0.1")
def removed_libraries(recipe: Recipe) -> Iterator[Observation]:
    shipped = {part.stage.index for part in recipe.shipped}
    for stage in recipe.stages:
        copied = None if stage.index in shipped else lent(recipe, stage)
        if copied == ():
            continue
        for instruction in stage.instructions:
            commands = instruction.commands if instruction.keyword == "RUN" else ()
            at = Directory(stage, instruction)
            for command, following in zip(commands, (*commands[1:], None), strict=False):
                at.follow(command)
                pattern = _removed(command, following)
                if pattern and (copied is None or any(reaches(at.path(p), copied) for p in _places(command))):
                    yield Observation(
                        location=command.span,
                        seen=f"`{command.program}` removes everything called `{pattern}`",
                        expected="shared libraries that something needs to stay",
                        remedy="strip them instead (`strip --strip-unneeded`), or remove the package that brings them",
                        key=pattern,
                    )


def _places(command: Command) -> Iterator[str]:
    """The directories in which the command removes, as they are written."""
    words = [word.text for word in command.arguments]
    if command.program == "rm":
        for word in words:
            if _GLOB.search(word) and _PATTERN.fullmatch(word):
                yield _GLOB.split(word)[0].rpartition("/")[0] or ("/" if word.startswith("/") else ".")
        return
    starts = list(takewhile(lambda word: word[:1] not in _EXPRESSION, _without_options(words)))
    yield from starts or ["."]


def _without_options(words: list[str]) -> list[str]:
    """The words of `find` without what it takes in front of the directories."""
    return list(dropwhile(lambda word: word in {"-H", "-L", "-P"} or word.startswith("-O"), words))


def _removed(command: Command, following: Command | None) -> str | None:
    """The pattern for shared libraries that the command removes what fits."""
    words = [word.text for word in command.arguments]
    if command.program == "rm":
        return next((word for word in words if _GLOB.search(word) and _PATTERN.fullmatch(word)), None)
    if command.program != "find":
        return None
    piped = (
        command.piped
        and following is not None
        and following.program == "rm"
        and "xargs" in following.wrappers
    )
    for branch in _branches(words):
        removes = "-delete" in branch or any(
            first in {"-exec", "-execdir", "-ok"} and second.rpartition("/")[2] == "rm"
            for first, second in pairwise(branch)
        )
        if (removes or piped) and (pattern := _named(branch)):
            return pattern
    return None


def _branches(words: list[str]) -> Iterator[list[str]]:
    """The parts of an expression of `find` of which one is true: what stands between `-o`."""
    branch: list[str] = []
    for word in words:
        if word in {"-o", "-or"}:
            yield branch
            branch = []
        else:
            branch.append(word)
    yield branch


def _named(branch: list[str]) -> str | None:
    """The pattern for shared libraries that a branch looks for, and does not except."""
    for index, word in enumerate(branch[:-1]):
        excepted = index > 0 and branch[index - 1] in {"!", "-not", "\\!"}
        if word in {"-name", "-iname", "-path", "-wholename"} and not excepted:
            pattern = branch[index + 1]
            if _PATTERN.fullmatch(pattern):
                return pattern
    return None
