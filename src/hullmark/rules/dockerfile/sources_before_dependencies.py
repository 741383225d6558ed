"""Sources are copied before the dependencies are installed.

What it checks
    Each RUN that installs what a manifest names (`pip install -r`, `uv pip install -r`, `uv sync`, `npm ci`, `pnpm
    install`, `yarn install`, `poetry install`, `bundle install`, `go mod download`, `cargo fetch`), in any stage that the
    image is made from: no COPY of the sources from the build context stands above it in the stage. The sources are the
    whole context (`COPY . .`) or a directory called `src`, `source`, `sources` or `app`. It is fine when the same kind of
    dependencies has been installed before the sources came.

Why it matters
    A layer is built again when one above it in the file has changed. Sources change with every commit, so every build
    fetches and installs all dependencies again, although their manifest is the same.

How to fix
    Copy the manifest and its lock file, install, and copy the sources last. The fix moves the instructions. It is safe
    where pip installs, on an official image of Python, Debian or Ubuntu, from a list in the build context that names
    packages and nothing else, and nothing above changes where pip looks. Elsewhere it is unsafe, because a manifest may
    name parts of the sources, which only a build will tell.

    Bad:

        COPY . .
        RUN pip install --no-cache-dir -r requirements.txt

    Good:

        COPY requirements.txt ./
        RUN pip install --no-cache-dir -r requirements.txt
        COPY . .
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix, replacement
from hullmark.model.location import SourceSpan
from hullmark.model.rule import rule
from hullmark.rules._known_bases import Directory
from hullmark.rules._manifest_alone import reads_manifest_alone
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Command, Dockerfile, Instruction, Stage
    from hullmark.rules._package_managers import Call

_CONTEXT = (".", "./")
_SOURCES = frozenset({"app", "source", "sources", "src"})
_TOOLS = {
    ("npm", "ci"): ("node", "package*.json"),
    ("npm", "i"): ("node", "package*.json"),
    ("npm", "install"): ("node", "package*.json"),
    ("pnpm", "i"): ("node", "package.json pnpm-lock.yaml*"),
    ("pnpm", "install"): ("node", "package.json pnpm-lock.yaml*"),
    ("yarn", ""): ("node", "package.json yarn.lock*"),
    ("yarn", "install"): ("node", "package.json yarn.lock*"),
    ("bundle", "install"): ("ruby", "Gemfile Gemfile.lock*"),
    ("go", "mod download"): ("go", "go.mod go.sum*"),
    # These read the sources as well, or need them to be there in part: no machine can move them.
    ("cargo", "fetch"): ("rust", ""),
    ("poetry", "install"): ("python", ""),
}
"""For a program and what it is told to do: the kind of dependencies, and the manifests as COPY names them."""
_ELSEWHERE = frozenset({"-C", "-g", "-v", "--cwd", "--dir", "--global", "--help", "--prefix", "--version"})
"""Options that make something else of a call."""
_VALUED = frozenset(
    {
        *(
            "--cache",
            "--cache-folder",
            "--extras",
            "--include",
            "--jobs",
            "--loglevel",
            "--network-timeout",
            "--omit",
        ),
        *(
            "--only",
            "--path",
            "--registry",
            "--retry",
            "--store-dir",
            "--userconfig",
            "--with",
            "--without",
            "-E",
        ),
    }
)
"""Options that take the next word as their value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Install:
    """A command that installs what a manifest names."""

    kind: str
    command: Command
    manifests: str
    """As COPY names them; empty when it is not known."""


@rule(
    summary="sources are copied before dependencies are installed",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe or unsafe",
)
def sources_before_dependencies(deployment: Deployment) -> Iterator[Observation]:
    recipe = deployment.recipe
    for stage in recipe.stages:
        done = {
            found.kind for each in stage.lineage[:-1] for one in each.instructions for found in _installs(one)
        }
        for sources, instruction, found in _late(stage.instructions, done):
            fix = _fix(recipe.dockerfile, stage, sources, instruction, found, deployment.context)
            yield _observation(stage, sources, instruction, found, fix)
        # What is put off runs in a row, wherever an image is built upon this one.
        for sources, instruction, found in _late(stage.put_off, done):
            yield _observation(stage, sources, instruction, found, None)


def _late(
    instructions: Iterable[Instruction], done: set[str]
) -> Iterator[tuple[Instruction, Instruction, _Install]]:
    """The installations below the sources: the COPY of these, the RUN, and what it installs.

    `done` are the kinds of dependencies that are there already; those that are installed join them.
    """
    sources: Instruction | None = None
    for instruction in instructions:
        if sources is None and _copies_sources(instruction):
            sources = instruction
        for found in _installs(instruction):
            if sources is not None and found.kind not in done:
                yield sources, instruction, found
            done.add(found.kind)


def _observation(
    stage: Stage, sources: Instruction, run: Instruction, found: _Install, fix: Fix | None
) -> Observation:
    line = run.span.line
    return Observation(
        location=sources.span,
        seen=f"`COPY {sources.value}` above `{found.command}` at line {line}: every change of the sources installs again",
        expected="the manifest, then its dependencies, then the sources",
        remedy=_remedy(found, line),
        key=f"{stage.label}: {sources.value}",
        fix=fix,
    )


def _remedy(found: _Install, line: int) -> str:
    program = found.command.program
    if program in ("poetry", "uv") and not found.manifests:
        option = "--no-root" if program == "poetry" else "--no-install-project"
        return f"copy the manifest and its lock file, run `{found.command} {option}`, and copy the sources below that"
    names = found.manifests or "the manifest and its lock file"
    return f"copy {names} instead, and the sources below line {line}"


def _copies_sources(instruction: Instruction) -> bool:
    if instruction.keyword not in ("ADD", "COPY") or instruction.source is not None or not instruction.words:
        return False
    *sources, target = (word.text for word in instruction.words)
    return any(
        source in _CONTEXT
        or (
            posixpath.basename(source.rstrip("/")) in _SOURCES
            and (source.endswith("/") or posixpath.basename(target.rstrip("/")) == posixpath.basename(source))
        )
        for source in sources
    )


def _installs(instruction: Instruction) -> Iterator[_Install]:
    """The installations of a RUN."""
    if instruction.keyword != "RUN":
        return
    known = dict(calls(instruction))
    for position, command in enumerate(instruction.commands):
        call = known.get(position)
        found = _of_python(call) if call is not None else _of_tool(command)
        if found is not None:
            yield found


def _of_python(call: Call) -> _Install | None:
    files = call.values("-r", "--requirement", "--requirements")
    if (call.family, call.verb) == ("uv", "sync") and not call.operands:
        return _Install(kind="python", command=call.command, manifests="")
    if (call.family, call.verb) not in (("pip", "install"), ("uv", "pip install")) or not files:
        return None
    if call.operands or call.has("-e", "--editable"):
        return None
    plain = all(re.fullmatch(r"[\w.-]+", name) for name in files)
    return _Install(kind="python", command=call.command, manifests=" ".join(files) if plain else "")


def _of_tool(command: Command) -> _Install | None:
    if any(word.text in _ELSEWHERE for word in command.arguments):
        return None
    operands = []
    words = iter(word.text for word in command.arguments)
    for word in words:
        if word in _VALUED:
            next(words, None)
        elif not word.startswith("-"):
            operands.append(word)
    found = _TOOLS.get((command.program, " ".join(operands)))
    return None if found is None else _Install(kind=found[0], command=command, manifests=found[1])


def _fix(
    dockerfile: Dockerfile,
    stage: Stage,
    sources: Instruction,
    run: Instruction,
    found: _Install,
    context: Context | None,
) -> Fix | None:
    """Moves the sources below the installation, where both stand for themselves and nothing stands between them."""
    if (
        len(list(_installs(run))) != len(run.commands)
        or run.heredocs
        or sources.heredocs
        or not found.manifests
    ):
        return None
    first = next(index for index, each in enumerate(stage.instructions) if each is sources)
    last = next(index for index, each in enumerate(stage.instructions) if each is run)
    between = stage.instructions[first + 1 : last]
    copied = [word.text for each in between if each.keyword == "COPY" for word in each.words[:-1]]
    whole = _span(sources.span, run.span)
    proven = False
    written = dockerfile.excerpt(sources.span)
    after = dockerfile.excerpt(whole)[len(written) :].lstrip()
    if copied and all(each.keyword == "COPY" and each.source is None for each in between):
        if any(_copies_sources(each) for each in between) or not set(found.manifests.split()) & set(copied):
            return None
        text = f"{after}\n{written}"
    elif not between and not after.startswith("#"):
        target = _target(stage, sources)
        if target is None:
            return None
        text = f"COPY {found.manifests} {target}\n{after}\n{written}"
        directory = Directory(stage, sources).known
        proven = directory is not None and reads_manifest_alone(stage, run, directory, context)
    else:
        return None
    return Fix(
        message="install the dependencies before the sources are copied",
        edits=(replacement(whole, text),),
        applicability=Applicability.SAFE if proven else Applicability.UNSAFE,
    )


def _target(stage: Stage, sources: Instruction) -> str | None:
    """Where the manifests of the context go, when they are to be where the whole context would have put them."""
    *copied, target = (word.text for word in sources.words)
    if len(copied) != 1 or copied[0] not in _CONTEXT or sources.flags:
        return None
    if target in _CONTEXT:
        return "./"
    return f"{target.rstrip('/')}/" if target.rstrip("/") == Directory(stage, sources).known else None


def _span(first: SourceSpan, last: SourceSpan) -> SourceSpan:
    return SourceSpan(
        path=first.path,
        line=first.line,
        column=first.column,
        end_line=last.end_line,
        end_column=last.end_column,
    )
