r"""Files are removed in a later layer than the one that holds them.

What it checks
    What RUN instructions remove with `rm` in the layers of the image itself, before no squash: a path that an earlier
    COPY, ADD or RUN (`curl -o`, `wget -O`, `unzip -d`, `git clone`, a redirection) has made; anything below a copied
    directory, when the RUN does nothing but remove; the caches that `npm`, `pip` and `go` leave in the home of root; and
    package lists of apt that another RUN has fetched.

Why it matters
    A layer is never changed by those above it. The removed files are hidden, and still stored, transferred and readable
    by everybody who has the image.

How to fix
    Make and remove in one RUN, mount what is only needed for a moment, or squash the image.

    Bad:

        COPY big.tar.gz /srv/
        RUN tar -xzf /srv/big.tar.gz -C /opt && rm /srv/big.tar.gz

    Good:

        RUN --mount=type=bind,source=big.tar.gz,target=/srv/big.tar.gz \
            tar -xzf /srv/big.tar.gz -C /opt
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._apt_lists import LISTS, left_lists
from hullmark.rules._known_bases import Directory, is_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.dockerfile import Command, Instruction, Stage

_NOTHING_ELSE = frozenset({"rm", "rmdir", "true", "set", "cd", "echo"})
_CACHES = (
    (re.compile(r"npm (ci|i|install)\b"), "/root/.npm", ("NPM_CONFIG_CACHE", "npm_config_cache")),
    (
        re.compile(r"pip[0-9.]* install\b(?!.*--no-cache-dir)"),
        "/root/.cache/pip",
        ("PIP_NO_CACHE_DIR", "PIP_CACHE_DIR"),
    ),
    (re.compile(r"go (build|install|test)\b"), "/root/.cache/go-build", ("GOCACHE", "XDG_CACHE_HOME")),
)
"""What leaves which cache where root runs it, unless one of the variables says otherwise."""
_PATTERN = re.compile(r"[*?\[{$`~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Something that a layer holds."""

    path: str
    line: int
    whole: bool
    """Whether what lies below the path was made as well, as by a copied directory."""


@rule(summary="files are removed in a later layer", severity=Severity.WARNING, since="0.1")
def masked_deletion(recipe: Recipe) -> Iterator[Observation]:
    told: list[Command] = []
    for update in left_lists(recipe):
        if update.removal is not None:
            instruction, command = update.removal
            told.append(command)
            yield _observation(command, LISTS, update.instruction.span.line)
    made: list[_Made] = []
    for stage in recipe.final.lineage:
        # What is put off runs in whatever image is built upon the last stage, above its layers.
        below = stage.put_off if stage is recipe.final else ()
        for instruction in (*stage.triggered, *stage.instructions, *below):
            if instruction.keyword == "RUN":
                for command, path in _removed(stage, instruction):
                    source = _source(path, made, only=_only_removes(instruction))
                    if source is not None and not any(each is command for each in told):
                        told.append(command)
                        yield _observation(command, path, source.line)
            made += _made(stage, instruction)


def _observation(command: Command, path: str, line: int) -> Observation:
    return Observation(
        location=command.span,
        seen=f"`{command}` hides what the layer of line {line} holds",
        expected="made and removed in one layer, or a squash",
        remedy=f"remove `{path}` in the instruction at line {line}, or mount it there instead of storing it",
        key=str(command),
    )


def _source(path: str, made: Iterable[_Made], *, only: bool) -> _Made | None:
    """What in an earlier layer `path` removes."""
    for each in made:
        if f"{each.path}/".startswith(f"{path}/"):
            return each
        if only and each.whole and f"{path}/".startswith(f"{each.path.rstrip('/')}/"):
            return each
    return None


def _only_removes(instruction: Instruction) -> bool:
    return all(command.program in _NOTHING_ELSE for command in instruction.commands)


def _removed(stage: Stage, instruction: Instruction) -> Iterator[tuple[Command, str]]:
    """The paths that the `rm` commands of a RUN remove."""
    at = Directory(stage, instruction)
    for command in instruction.commands:
        at.follow(command)
        if command.program != "rm":
            continue
        for word in command.arguments:
            path = None if word.text.startswith("-") else at.path(re.sub(r"/\*$", "", word.text))
            if path not in (None, "/") and not any(
                is_below(path, mount.target) for mount in instruction.mounts
            ):
                yield command, path


def _made(stage: Stage, instruction: Instruction) -> Iterator[_Made]:
    """What the layer of an instruction holds, as far as it is known by name."""
    if instruction.keyword in ("COPY", "ADD"):
        yield from _copied(stage, instruction)
    elif instruction.keyword == "RUN":
        at = Directory(stage, instruction)
        kept_apart = [mount.target for mount in instruction.mounts] + ["/dev"]
        gone = [path for _, path in _removed(stage, instruction)]
        for command in instruction.commands:
            at.follow(command)
            for text in (*_outputs(command), *_caches(stage, instruction, command)):
                path = at.path(text)
                if path not in (None, "/") and not any(is_below(path, each) for each in [*kept_apart, *gone]):
                    yield _Made(path=path, line=instruction.span.line, whole=False)


def _copied(stage: Stage, instruction: Instruction) -> Iterator[_Made]:
    *sources, target = (word.text for word in instruction.words)
    path = Directory(stage, instruction).path(target)
    if path is None or instruction.flag("parents") is not None:
        return
    line = instruction.span.line
    into = target.endswith("/") or target in (".", "..") or len(sources) > 1
    for source in sources:
        name = posixpath.basename(source.rstrip("/"))
        contents = source in (".", "./", "/") or source.endswith("/")
        if contents or not into:
            # What a directory of the context holds is not known here; only below a name of its own that is no matter.
            if path != "/" or instruction.source is not None:
                yield _Made(path=path, line=line, whole=True)
        elif name and not _PATTERN.search(name) and "<<" not in name:
            yield _Made(path=posixpath.join(path, name), line=line, whole=False)


def _outputs(command: Command) -> Iterator[str]:
    """The files and directories that a command says it writes."""
    for redirect in command.redirects:
        if redirect.operator in (">", ">>", "&>", ">|") and redirect.target is not None:
            yield redirect.target.text
    words = [word.text for word in command.arguments]
    option = {"curl": ("-o", "--output"), "wget": ("-O", "--output-document"), "unzip": ("-d",)}.get(
        command.program, ()
    )
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in option and equals and value:
            yield value
        elif word in option and position + 1 < len(words):
            yield words[position + 1]
    if command.program == "git" and words[:1] == ["clone"]:
        operands = [word for word in words[1:] if not word.startswith("-")]
        if len(operands) > 1 and re.search(r"[:/]", operands[-2]):
            yield operands[-1]


def _caches(stage: Stage, instruction: Instruction, command: Command) -> Iterator[str]:
    """The directories in which a command leaves what it has fetched or made, where root runs it."""
    if stage.last("USER") is not None:
        return
    variables = {*stage.variables(instruction), *(pair.name for pair in command.assignments)}
    for called, path, otherwise in _CACHES:
        if called.match(str(command)) and not variables.intersection(("HOME", *otherwise)):
            yield path
