"""From a Dockerfile to everything that decides about one of its images.

When in doubt something is an input: to build for nothing costs time, and not to build what has changed ships the wrong
image.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile import ignorefile
from hullmark._dockerfile.expansion import BadWord, expand
from hullmark.model.dockerfile import ImageBase, StageBase
from hullmark.model.inputs import MAIN, Because, BuildInputs, Selection, Unfollowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark.model.dockerfile import Base, Instruction, Mount, Recipe, Stage
    from hullmark.model.inputs import Excludes

_GLOB = re.compile(r"[*?\[\\]")
_REMOTE = re.compile(r"^(https?://|git://|git@|ssh://|github\.com/)|\.git(#.*)?$")
_URL = re.compile(r"^(https?|ftp)://")
_LINKS = 40
"""How many symbolic links are followed for one path, as the kernel does."""


def build_inputs(
    recipe: Recipe,
    root: Path,
    *,
    context: Path,
    dockerfile: Path | None,
    because: Because,
    args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    contexts: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
) -> BuildInputs:
    """What an image is built from; paths are relative to the project in `root`.

    `dockerfile` is `None` where it stands in the Compose file, `because` says who names it. `contexts` are the named
    ones: a path, `service:NAME`, `docker-image://REFERENCE`, or something remote. `images` says which service an image
    is built by.
    """
    reading = _Reading(
        root=os.path.realpath(str(root)),
        args=dict(args or {}),
        images=dict(images or {}),
        named=dict(contexts or {}),
    )
    reading.add_context(MAIN, context, dockerfile)
    for name, where in reading.named.items():
        if not where.startswith(("service:", "docker-image://", "oci-layout:")) and not _REMOTE.search(where):
            reading.add_context(name, Path(where), None)
    if dockerfile is not None:
        reading.add_file(dockerfile, because)
        for place in ignorefile.places(context, dockerfile):
            reading.add_file(place, Because(text="the ignore file of the build", span=because.span))
    else:
        reading.add_file(context / ".dockerignore", Because(text="the ignore file of the build"))
    arguments = {
        pair.name: pair.value or ""
        for instruction in recipe.dockerfile.arguments
        for pair in instruction.pairs
    }
    declared = set(arguments)
    for stage in recipe.stages:
        reading.read(stage, arguments)
        declared |= {p.name for i in stage.instructions if i.keyword == "ARG" for p in i.pairs}
    reading.take_the_rest()
    return BuildInputs(
        files=reading.files,
        contexts=reading.contexts,
        ignored=reading.ignored,
        selections=tuple(reading.selections),
        args={
            name: value for name, value in reading.args.items() if name in declared or _is_predefined(name)
        },
        target=target,
        platform=platform,
        bases=tuple(dict.fromkeys(reading.bases)),
        services=tuple(dict(reversed(reading.services)).items()),
        unfollowed=tuple(reading.unfollowed),
    )


def _is_predefined(name: str) -> bool:
    """Whether the builder takes an argument that nobody declares; those for a proxy change no image."""
    return name.startswith("BUILDKIT_") or name == "SOURCE_DATE_EPOCH"


@dataclass(kw_only=True)
class _Reading:
    """Collects, stage by stage."""

    root: str
    args: dict[str, str]
    images: dict[str, str]
    named: dict[str, str]
    files: dict[str, Because] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    directories: dict[str, Path] = field(default_factory=dict)
    ignored: dict[str, Excludes] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    services: list[tuple[str, Because]] = field(default_factory=list)
    unfollowed: list[Unfollowed] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def add_context(self, name: str, directory: Path, dockerfile: Path | None) -> None:
        """Adds a directory that sources are taken from."""
        self.directories[name] = directory
        self.contexts[name] = self._relative(os.path.realpath(str(directory)))
        try:
            self.ignored[name] = ignorefile.find(directory, dockerfile)
        except ValueError:
            self.ignored[name] = (
                ignorefile.IgnoreFile()
            )  # the builder will refuse it; until then all of it counts

    def add_file(self, path: Path, because: Because) -> None:
        """Adds a single file under its own name and, where it is a link, under that of what it leads to."""
        named = f"{os.path.realpath(str(path.parent))}/{path.name}"
        self.files.setdefault(self._relative(named), because)
        if os.path.islink(named):  # noqa: PTH114
            self.files.setdefault(self._relative(os.path.realpath(named)), because)

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def read(self, stage: Stage, arguments: Mapping[str, str]) -> None:
        """Adds what a stage takes."""
        place = f"FROM at {stage.opening.span.path}:{stage.opening.span.line}"
        self._base(stage.base, Because(text=place, span=stage.opening.span))
        variables = dict(arguments)
        variables.update(stage.environment)
        for instruction in (*_triggers(stage), *stage.instructions):
            if instruction.keyword in {"ARG", "ENV"}:
                variables.update(
                    {pair.name: pair.value for pair in instruction.pairs if pair.value is not None}
                )
            if instruction.keyword in {"COPY", "ADD"}:
                self._copy(instruction, variables)
            for mount in instruction.mounts:
                if mount.type == "bind":
                    self._mount(instruction, mount, variables)
                elif mount.source is not None:
                    self._base(mount.source, _because(instruction))

    def _base(self, base: Base, because: Because) -> None:
        match base:
            case ImageBase(reference=reference):
                if reference in self.named:
                    self._take_named(reference, because)
                elif reference in self.images:
                    self.services.append((self.images[reference], because))
                else:
                    self.bases.append(reference)
            case _:
                pass

    def _take_named(self, name: str, because: Because) -> None:
        """Adds all of the context called `name`."""
        self.used.add(name)
        where = self.named[name]
        if name in self.contexts:
            self._select(name, ".", because)
        elif where.startswith("service:"):
            self.services.append((where.removeprefix("service:"), because))
        elif where.startswith("docker-image://"):
            self.bases.append(where.removeprefix("docker-image://"))
        else:
            self.unfollowed.append(Unfollowed(text=f"`{where}`", because=because))

    def take_the_rest(self) -> None:
        """Adds the contexts that nothing names as they are called.

        One takes the place of a stage, or of an image however that is written, which is not worked out here.
        """
        for name in self.named:
            if name not in self.used:
                self._take_named(name, Because(text=f"the context `{name}`"))

    def _context_of(self, source: Base | None, because: Because) -> str | None:
        """The context that a source is in; `None` for another image or stage, which is noted."""
        if source is None:
            return MAIN
        if isinstance(source, ImageBase) and source.reference in self.contexts:
            self.used.add(source.reference)
            return source.reference
        self._base(source, because)
        return None

    def _copy(self, instruction: Instruction, variables: Mapping[str, str]) -> None:
        because = _because(instruction)
        context = self._context_of(instruction.source, because)
        if context is None:
            return
        documents = {heredoc.name for heredoc in instruction.heredocs}
        for word in _sources(instruction):
            if word.startswith("<<") and word.removeprefix("<<").strip("-'\"") in documents:
                continue
            source = _expanded(word, variables, raw=instruction.json is not None)
            if source is None:
                self._select(context, ".", because)
            elif instruction.keyword == "ADD" and (_URL.match(source) or _REMOTE.search(source)):
                known = bool(instruction.flag("checksum"))
                self.unfollowed.append(Unfollowed(text=f"`{source}`", because=because, known=known))
            else:
                self._select(context, source, because)

    def _mount(self, instruction: Instruction, mount: Mount, variables: Mapping[str, str]) -> None:
        because = Because(text=f"mount at {mount.span.path}:{instruction.span.line}", span=instruction.span)
        context = self._context_of(mount.source, because)
        if context is None:
            return
        options = dict(mount.options)
        source = options.get("source", options.get("src", "."))
        expanded = _expanded(source, variables, raw=False)
        # A mount takes a path and no pattern.
        self._select(context, "." if expanded is None else expanded, because, literal=True)

    def _select(self, context: str, source: str, because: Because, *, literal: bool = False) -> None:
        cleaned = posixpath.normpath("/" + source).lstrip("/") or "."
        self._add(context, cleaned, because, literal=literal)
        for path in self._linked(context, cleaned, literal=literal):
            self._add(context, path, because, literal=True)

    def _add(self, context: str, pattern: str, because: Because, *, literal: bool) -> None:
        names = [] if pattern == "." else pattern.split("/")
        parts: list[str | re.Pattern[str]] = []
        for name in names:
            try:
                parts.append(name if literal else _part(name))
            except (re.error, ValueError):
                break  # the builder will refuse it; until then all of it counts
        self.selections.append(
            Selection(context=context, pattern=pattern, parts=tuple(parts), because=because)
        )

    def _linked(self, context: str, pattern: str, *, literal: bool) -> Iterator[str]:
        """Where symbolic links in what a source names lead to, within the context."""
        top = self.directories[context]
        names = [] if pattern == "." else pattern.split("/")
        found = [""]
        for name in names:
            try:
                part = name if literal else _part(name)
            except (re.error, ValueError):
                return
            following = []
            for prefix in found:
                following += [f"{prefix}/{each}" for each in _names(f"{top}{prefix}", part)]
            found = []
            for path in following:
                where, links = _followed(str(top), path.lstrip("/"))
                yield from links
                if links:
                    yield where
                found.append(f"/{where}")


def _names(directory: str, part: str | re.Pattern[str]) -> list[str]:
    if isinstance(part, str):
        return [part]
    try:
        return [each for each in os.listdir(directory) if part.fullmatch(each)]  # noqa: PTH208
    except OSError:
        return []


def _followed(top: str, path: str) -> tuple[str, list[str]]:
    """Where `path` leads to, taking `top` for the root of the file system, and the links on the way."""
    links: list[str] = []
    pending = path.split("/")
    here = ""
    while pending and len(links) < _LINKS:
        name = pending.pop(0)
        if name in {"", "."}:
            continue
        if name == "..":
            here = posixpath.dirname(here)
            continue
        candidate = posixpath.join(here, name)
        try:
            to = os.readlink(f"{top}/{candidate}")  # noqa: PTH115
        except OSError:
            here = candidate
            continue
        links.append(candidate)
        if to.startswith("/"):
            here = ""
        pending = [*to.split("/"), *pending]
    return posixpath.join(here, *pending) or ".", links


def _triggers(stage: Stage) -> Iterator[Instruction]:
    """What the stage that this one continues has put off until now: ONBUILD."""
    match stage.base:
        case StageBase(stage=base):
            for instruction in base.instructions:
                if instruction.trigger is not None:
                    yield instruction.trigger
        case _:
            pass


def _because(instruction: Instruction) -> Because:
    return Because(
        text=f"{instruction.keyword} at {instruction.span.path}:{instruction.span.line}",
        span=instruction.span,
    )


def _sources(instruction: Instruction) -> tuple[str, ...]:
    if instruction.json is not None:
        return instruction.json[:-1]
    return tuple(word.text for word in instruction.words[:-1])


def _expanded(word: str, variables: Mapping[str, str], *, raw: bool) -> str | None:
    """`word` with its variables replaced; `None` where one of them is not known."""
    del raw
    try:
        found = expand(word, variables)
    except BadWord:
        return None
    return None if found.unresolved else found.text


def _part(name: str) -> str | re.Pattern[str]:
    """What one part of a source matches, by the rules of Go's `filepath.Match`; a name where that is one."""
    if not _GLOB.search(name):
        return name
    found = []
    position = 0
    while position < len(name):
        char = name[position]
        position += 1
        if char == "*":
            found.append("[^/]*")
        elif char == "?":
            found.append("[^/]")
        elif char == "\\":
            if position >= len(name):
                raise ValueError(name)
            found.append(re.escape(name[position]))
            position += 1
        elif char == "[":
            negated = name[position : position + 1] == "^"
            position += negated
            end = position
            while end < len(name) and (name[end] != "]" or end == position):
                end += 2 if name[end] == "\\" else 1
            if end >= len(name):
                raise ValueError(name)
            inner = name[position:end].replace("[", r"\[")
            found.append(f"[{'^' if negated else ''}{inner}]")
            position = end + 1
        else:
            found.append(re.escape(char))
    return re.compile("".join(found), re.DOTALL)


def files_below(inputs: BuildInputs, root: Path) -> Iterator[tuple[str, str, str]]:
    """Every file, link and directory that is selected: the name of its context, its path there, and where it is.

    A directory that is ignored is not entered, unless something below it may be taken back.
    """
    top = os.path.realpath(root)
    for name, directory in inputs.contexts.items():
        selections = [each for each in inputs.selections if each.context == name]
        if selections:
            where = os.path.normpath(os.path.join(top, directory))  # noqa: PTH118
            for path in _walk(where, selections, inputs.ignored[name]):
                yield name, path, f"{where}/{path}"


def _walk(top: str, selections: list[Selection], ignored: Excludes) -> Iterator[str]:
    # What is below something that is selected is selected, and need not be asked for.
    pending = [("", any(not each.parts for each in selections))]
    while pending:
        prefix, selected = pending.pop()
        try:
            with os.scandir(f"{top}/{prefix}") as found:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
        except OSError:
            continue
        for name, is_directory in entries:
            path = f"{prefix}{name}"
            chosen = selected or any(each.covers(path) for each in selections)
            if not chosen and not (is_directory and any(each.reaches_below(path) for each in selections)):
                continue
            excluded = ignored.excludes(path)
            if chosen and not excluded:
                yield path
            if is_directory and (not excluded or ignored.may_reinclude_below(path)):
                pending.append((f"{path}/", chosen))
