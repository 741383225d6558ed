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
from hullmark._dockerfile.ignorefile import excluding
from hullmark._dockerfile.ignorepattern import compiled
from hullmark._dockerfile.scope import needed, opened, sources, stages
from hullmark._dockerfile.sources import linked, part
from hullmark._dockerfile.walk import files_below
from hullmark.model.dockerfile import ImageBase
from hullmark.model.inputs import MAIN, Because, BuildInputs, Selection, Unfollowed
from hullmark.model.location import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._dockerfile.scope import Scope
    from hullmark.model.dockerfile import Base, Dockerfile, HandedOn, Instruction, Mount, Recipe, Stage
    from hullmark.model.inputs import Excludes, PathPattern

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_ELSEWHERE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://|^[^/]+@[^/]+:|^(service|oci-layout):")
"""What names no directory of this machine: an address, `user@host:path`, or something that Compose looks up."""
_STARTS_HERE = re.compile(r"[^:@$]*/")
"""How a source starts that is a path, whatever the variables in the rest of it hold."""


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
    handed_on: Callable[[str], HandedOn | None] = lambda _: None,
) -> BuildInputs:
    """What an image is built from; paths are relative to the project in `root`.

    `dockerfile` is `None` where it stands in the Compose file, `because` says who names it. `contexts` are the named
    ones: a path, `service:NAME`, `docker-image://REFERENCE`, or something remote. `images` says which service an image
    is built by, `handed_on` what an image of others hands on to what is built upon it, where it is known.
    """
    reading = _Reading(
        root=os.path.realpath(str(root)),
        args=dict(args or {}),
        images={_familiar(name): service for name, service in (images or {}).items()},
        named=dict(contexts or {}),
        handed_on=handed_on,
    )
    reading.add_context(MAIN, context, dockerfile)
    for name, where in reading.named.items():
        if not _ELSEWHERE.match(where):
            reading.add_context(name, Path(where), None)
            reading.add_file(Path(where) / ".dockerignore", Because(text=f"the ignore file of `{name}`"))
    if dockerfile is not None:
        reading.add_file(dockerfile, because)
    for place in ignorefile.places(context, dockerfile):
        reading.add_file(place, Because(text="the ignore file of the build", span=because.span))
    declared = _declared(recipe.dockerfile.arguments)
    for stage in stages(recipe):
        reading.read(stage, recipe.dockerfile)
        declared |= _declared((*stage.triggered, *stage.instructions))
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
        refused=tuple(dict.fromkeys(reading.refused)),
        unknown=tuple(dict.fromkeys(reading.unknown)),
        local=reading.local,
    )


def _declared(instructions: tuple[Instruction, ...]) -> set[str]:
    """The names of the arguments that `instructions` ask for."""
    return {pair.name for each in instructions if each.keyword == "ARG" for pair in each.pairs}


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
    handed_on: Callable[[str], HandedOn | None]
    files: dict[str, Because] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    directories: dict[str, Path] = field(default_factory=dict)
    ignored: dict[str, Excludes] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    services: list[tuple[str, Because]] = field(default_factory=list)
    unfollowed: list[Unfollowed] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    local: bool = False

    def add_context(self, name: str, directory: Path, dockerfile: Path | None) -> None:
        """Adds a directory that sources are taken from."""
        self.directories[name] = directory
        self.contexts[name] = self._relative(os.path.realpath(str(directory)))
        try:
            self.ignored[name] = ignorefile.find(directory, dockerfile)
        except ignorefile.Refused as error:
            # All of the context counts until it is mended.
            self.ignored[name] = ignorefile.IgnoreFile()
            self.refused.append(f"{shown(error.path, Path(self.root))}:{error.line}: {error}")

    def add_file(self, path: Path, because: Because) -> None:
        """Adds a single file under its own name and, where it is a link, under that of what it leads to."""
        named = f"{os.path.realpath(str(path.parent))}/{path.name}"
        self.files.setdefault(self._relative(named), because)
        if os.path.islink(named):  # noqa: PTH114
            self.files.setdefault(self._relative(os.path.realpath(named)), because)

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def read(self, stage: Stage, dockerfile: Dockerfile) -> None:
        """Adds what a stage takes."""
        place = f"FROM at {stage.opening.span.path}:{stage.opening.span.line}"
        because = Because(text=place, span=stage.opening.span)
        self._base(stage.base, because)
        if isinstance(stage.base, ImageBase):
            self._put_off(stage.base.reference, because)
        scope = opened(stage, dockerfile, self.args, self._inherited(stage))
        for instruction in (*stage.triggered, *stage.instructions):
            scope.follow(instruction)
            if instruction.keyword in {"COPY", "ADD"}:
                self._copy(instruction, scope)
            for mount in instruction.mounts:
                if mount.type == "bind":
                    self._mount(instruction, mount, scope)
                elif mount.source is not None:
                    self._base(mount.source, _because(instruction))

    def _base(self, base: Base, because: Because) -> None:
        match base:
            case ImageBase(reference=reference):
                if (name := self._name_of(reference)) is not None:
                    self._take_named(name, because)
                else:
                    self._image(reference, because)
            case _:
                pass

    def _image(self, reference: str, because: Because) -> None:
        """Adds an image: that of another service, however its name is written, or one of others."""
        service = self.images.get(_familiar(reference))
        if service is None:
            self.bases.append(reference)
        else:
            self.services.append((service, because))

    def _is_of_others(self, reference: str) -> bool:
        """Whether an image is neither that of a service nor replaced by a context."""
        return self._name_of(reference) is None and _familiar(reference) not in self.images

    def _inherited(self, stage: Stage) -> tuple[tuple[str, str], ...]:
        """The variables of the image that a stage is built upon, as far as they are known and there is use for them."""
        root = stage.root
        if not isinstance(root, ImageBase) or not self._is_of_others(root.reference):
            return ()
        names = needed(stage)
        known = self.handed_on(root.reference) if names else None
        found = () if known is None else tuple(each for each in known.environment if each[0] in names)
        self.local |= bool(found)
        return found

    def _put_off(self, reference: str, because: Because) -> None:
        """Adds what an image of others takes from the context of whoever is built upon it: ONBUILD.

        Which of it is not worked out; all of the context counts.
        """
        if not self._is_of_others(reference):
            return
        known = self.handed_on(reference)
        if known is None and "onbuild" not in reference:
            # No official image has any, but for those that say so.
            if "/" in _familiar(reference):
                self.unknown.append(reference)
        elif known is None or known.triggers:
            self.local |= known is not None
            text = f"ONBUILD of `{reference}`, through {because}"
            self._select(MAIN, ".", Because(text=text, span=because.span))

    def _name_of(self, reference: str) -> str | None:
        """The context that takes the place of an image, however that is written."""
        wanted = _familiar(reference)
        return next((name for name in self.named if _familiar(name) == wanted), None)

    def _take_named(self, name: str, because: Because) -> None:
        """Adds all of the context called `name`."""
        self.used.add(name)
        where = self.named[name]
        if name in self.contexts:
            self._select(name, ".", because)
        elif where.startswith("service:"):
            self.services.append((where.removeprefix("service:"), because))
        elif where.startswith("docker-image://"):
            self._image(where.removeprefix("docker-image://"), because)
        else:
            self.unfollowed.append(Unfollowed(text=f"`{where}`", because=because))

    def take_the_rest(self) -> None:
        """Adds the contexts that nothing names as they are called.

        One takes the place of a stage, which is not worked out here.
        """
        for name in self.named:
            if name not in self.used:
                self._take_named(name, Because(text=f"the context `{name}`"))

    def _context_of(self, source: Base | None, because: Because) -> str | None:
        """The context that a source is in; `None` for another image or stage, which is noted."""
        if source is None:
            return MAIN
        if isinstance(source, ImageBase) and (name := self._name_of(source.reference)) in self.contexts:
            self.used.add(name)
            return name
        self._base(source, because)
        return None

    def _copy(self, instruction: Instruction, scope: Scope) -> None:
        because = _because(instruction)
        context = self._context_of(instruction.source, because)
        if context is None:
            return
        excluded = _excluded(instruction, scope)
        known = bool(instruction.flag("checksum"))
        documents = {heredoc.name for heredoc in instruction.heredocs}
        for word in sources(instruction):
            if word.startswith("<<") and word.removeprefix("<<").strip("-'\"") in documents:
                continue
            source = scope.resolve(word)
            if source is None:
                self._select(context, ".", _unknown(because, word), excluded=excluded)
                if instruction.keyword == "ADD" and not _STARTS_HERE.match(word):
                    text = f"what may be an address, `{word}`"
                    self.unfollowed.append(Unfollowed(text=text, because=because, known=known))
            elif instruction.keyword == "ADD" and _ELSEWHERE.match(source):
                self.unfollowed.append(Unfollowed(text=f"`{source}`", because=because, known=known))
                if not _SCHEME.match(source):
                    # A file may be called like this as well.
                    self._select(context, source, because, excluded=excluded)
            elif instruction.flag("parents") is not None:
                self._select_with_parents(context, source, because, excluded)
            else:
                self._select(context, source, because, excluded=excluded)

    def _mount(self, instruction: Instruction, mount: Mount, scope: Scope) -> None:
        because = Because(text=f"mount at {mount.span.path}:{instruction.span.line}", span=instruction.span)
        context = self._context_of(mount.source, because)
        if context is None:
            return
        options = dict(mount.options)
        word = options.get("source", options.get("src", "."))
        source = scope.resolve(word)
        if source is None:
            self._select(context, ".", _unknown(because, word))
        else:
            # A mount takes a path and no pattern.
            self._select(context, source, because, literal=True)

    def _select_with_parents(
        self, context: str, source: str, because: Because, excluded: Excludes | None
    ) -> None:
        """Adds a source of `COPY --parents`: what is left of `/./` is a source, the rest a pattern below it."""
        above, pivot, rest = source.partition("/./")
        if not pivot:
            above, rest = "/", source
        rest = _cleaned(rest)
        try:
            below = None if rest == "." or rest.startswith("!") else compiled(rest)
        except ValueError:
            below = None
        self._select(context, above, because, below=below, excluded=excluded)

    def _select(
        self,
        context: str,
        source: str,
        because: Because,
        *,
        literal: bool = False,
        below: PathPattern | None = None,
        excluded: Excludes | None = None,
    ) -> None:
        cleaned = _cleaned(source)
        parts = _parts(cleaned, literal=literal)

        def add(pattern: str, parts: tuple[str | re.Pattern[str], ...]) -> None:
            self.selections.append(
                Selection(
                    context=context,
                    pattern=pattern,
                    parts=parts,
                    because=because,
                    below=below,
                    excluded=excluded,
                )
            )

        add(cleaned, parts)
        for path in linked(str(self.directories[context]), parts):
            add(path, _parts(path, literal=True))
        if "\\" in cleaned and not literal:
            # Where a source holds no pattern, the builder does not take the backslashes out of it.
            self._select(context, source, because, literal=True, below=below, excluded=excluded)


def _familiar(reference: str) -> str:
    """An image's name without what goes without saying."""
    for start in ("docker.io/", "index.docker.io/", "library/"):
        reference = reference.removeprefix(start)
    return reference.removesuffix(":latest").lower()


def _cleaned(source: str) -> str:
    """A source relative to its context, out of which it cannot lead; a dot for all of it."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def _parts(pattern: str, *, literal: bool) -> tuple[str | re.Pattern[str], ...]:
    names = [] if pattern == "." else pattern.split("/")
    parts: list[str | re.Pattern[str]] = []
    for name in names:
        try:
            parts.append(name if literal else part(name))
        except ValueError:
            break  # the builder will refuse it; until then all of it counts
    return tuple(parts)


def _excluded(instruction: Instruction, scope: Scope) -> Excludes | None:
    """What `--exclude` leaves out; nothing where that is not known."""
    patterns = [
        scope.resolve(each.value) for each in instruction.flags if each.name == "exclude" and each.value
    ]
    try:
        return (
            excluding([each for each in patterns if each is not None])
            if patterns and None not in patterns
            else None
        )
    except ValueError:
        return None


def _unknown(because: Because, word: str) -> Because:
    text = f"{because} (what `{word}` is called is not known here, and all of the context counts)"
    return Because(text=text, span=because.span)


def _because(instruction: Instruction) -> Because:
    return Because(
        text=f"{instruction.keyword} at {instruction.span.path}:{instruction.span.line}",
        span=instruction.span,
    )


__all__ = ["build_inputs", "files_below"]
