"""Dockerfiles as values: stages, their instructions, and the shell commands inside of them.

```
Dockerfile ── stages ── Stage ── instructions ── Instruction ── commands ── Command ── words ── Word
     └── recipe(target) ── Recipe: the stages one image is made from, and how each of them gets there
```

A stage knows the stages it is made from, so that a question about an image (which HEALTHCHECK, which ENV, what is
lost by a squash) is answered here once. Everything carries its place in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.location import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A parser directive at the top of the file: `# escape=...`, `# syntax=...` or `# check=...`."""

    name: str
    """In lower case."""
    value: str
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag of an instruction, for example `--chown=app`."""

    name: str
    """Without the dashes."""
    value: str | None
    """What follows `=`; `None` for a bare flag such as `--link`."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A document inside of a RUN, COPY or ADD."""

    name: str
    """The word that ends it, without quotes."""
    expand: bool
    """Whether variables in it are replaced: its word is not quoted."""
    chomp: bool
    """Whether leading tabs are removed: it was opened with `<<-`."""
    descriptor: int
    content: str
    """As written, with leading tabs and line ends."""
    span: SourceSpan
    """From the first line of the content to the line that ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One `name=value` of an ENV, LABEL or ARG."""

    name: str
    value: str | None
    """With quotes removed and known variables replaced; `None` for an ARG without a default."""
    raw: str | None
    """The value as written."""
    unresolved: tuple[str, ...]
    """Variables in the value that nothing in the file sets; they stand in `value` as they were written."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A `${name:?message}` that is not met: the builder stops there."""

    name: str
    empty: bool
    """Whether the variable is set, and empty; otherwise nothing in the file and no build argument sets it."""
    raw: str
    """As written."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of an instruction or a shell command, with its quotes resolved."""

    text: str
    """What the program would be given; expansions stand in it as they were written."""
    static: bool
    """Whether `text` is all there is to it: no variables, substitutions or unquoted patterns."""
    span: SourceSpan

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirection of a shell command."""

    operator: str
    """As written without the descriptor, for example `>`, `>>`, `<<` or `<<<`."""
    target: Word | None
    """The file; `None` for a here-document."""
    content: str | None = None
    """What a here-document or here-string feeds to the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command of a shell body: `apt-get install -y curl`."""

    words: tuple[Word, ...]
    """The program and its arguments; what only starts it (`sudo`, `env A=1`, `timeout 30`) is left out."""
    assignments: tuple[Pair, ...]
    """Variables set for this command only."""
    redirects: tuple[Redirect, ...]
    wrappers: tuple[str, ...]
    """What starts the program, outermost first: `("sudo", "env")`."""
    piped: bool
    """Whether its output goes to the next command of the same body."""
    span: SourceSpan
    """From its first word, wrappers and assignments included, to its last."""

    @property
    def program(self) -> str:
        """The program without its directory; empty when it is only known at run time."""
        name = self.words[0].text.rpartition("/")[2]
        return name if self.words[0].static or name.replace("-", "_").replace(".", "_").isidentifier() else ""

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the program."""
        return self.words[1:]

    def __str__(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBase:
    """An image from outside of the file."""

    reference: str
    """With known variables replaced; the others stand in it as they were written."""
    raw: str
    unresolved: tuple[str, ...] = ()
    """Variables that nothing in the file sets, for example `TARGETARCH`."""

    def __str__(self) -> str:
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn:
    """What an image hands on to whatever is built upon it."""

    environment: tuple[tuple[str, str], ...] = ()
    """Its ENV."""
    triggers: tuple[str, ...] = ()
    """Its ONBUILD, as instructions."""
    health_check: bool = False
    """Whether it has a HEALTHCHECK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBase:
    """Another stage of the same file."""

    index: int
    raw: str
    """The name or number as written."""
    stage: Stage = field(compare=False, repr=False)
    """The stage itself; `index` already tells it from others, and comparing it would compare the whole graph."""

    def __str__(self) -> str:
        return self.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The empty image."""

    def __str__(self) -> str:
        return "scratch"


Base = ImageBase | StageBase | Scratch
"""What a stage starts from, and where COPY and RUN mounts take files from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A `--mount` of a RUN."""

    type: str
    """`bind`, `cache`, `tmpfs`, `secret` or `ssh`."""
    target: str | None
    source: Base | None
    """The image or stage named by `from=`."""
    options: tuple[tuple[str, str], ...]
    """All of its options as written, in order; a bare option has an empty value."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A comment that accepts findings of one instruction: `# hullmark: ignore=rule-id reason`."""

    rules: tuple[str, ...]
    reason: str
    """Empty when none was given; such a comment accepts nothing."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, continuation lines joined and comments removed."""

    keyword: str
    """In upper case."""
    value: str
    """What follows the keyword and its flags."""
    flags: tuple[Flag, ...] = ()
    json: tuple[str, ...] | None = None
    """The elements of the exec form; `None` for the shell form, which invalid JSON also is."""
    heredocs: tuple[Heredoc, ...] = ()
    span: SourceSpan
    """From the keyword to the last character, here-documents included."""
    pairs: tuple[Pair, ...] = ()
    """Of ENV, LABEL and ARG."""
    words: tuple[Word, ...] = ()
    """Of COPY and ADD: the sources and, last, the destination."""
    source: Base | None = None
    """Of COPY: what `--from` names."""
    mounts: tuple[Mount, ...] = ()
    """Of RUN."""
    commands: tuple[Command, ...] = ()
    """Of RUN: the simple commands in the order in which they are written, those of `sh -c "..."` included."""
    unread: str | None = None
    """Of RUN: why `commands` says nothing or not all, for example because SHELL is PowerShell."""
    trigger: Instruction | None = None
    """Of ONBUILD: what runs when the image is used as a base."""
    demands: tuple[Demand, ...] = ()
    """The variables that it must have and has not, where the builder itself expands it."""
    ignores: tuple[Ignore, ...] = ()
    """From the comments directly above and inside of it."""

    def flag(self, name: str) -> str | None:
        """The value of the last flag called `name`; empty for a bare flag, `None` when it is not there."""
        for flag in reversed(self.flags):
            if flag.name == name:
                return flag.value or ""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One build stage: a FROM and what follows it."""

    index: int
    name: str | None
    """As written after AS; names are compared without regard to case."""
    base: Base
    platform: str | None
    """The value of `--platform`, variables replaced where they are known."""
    opening: Instruction
    """The FROM."""
    instructions: tuple[Instruction, ...]
    """What follows the FROM."""

    @property
    def label(self) -> str:
        """How a message calls it: its name, or its number when it has none."""
        return str(self.index) if self.name is None else self.name

    @property
    def span(self) -> SourceSpan:
        """Where its FROM stands."""
        return self.opening.span

    @property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages it is built on through `FROM stage`, oldest first, itself last."""
        found = [self]
        while isinstance(found[-1].base, StageBase):
            found.append(found[-1].base.stage)
        return tuple(reversed(found))

    @property
    def root(self) -> Base:
        """What its oldest ancestor starts from: an image or `scratch`."""
        return self.lineage[0].base

    @property
    def history(self) -> tuple[Instruction, ...]:
        """The instructions that shape its image: those of its lineage, in the order in which they run.

        What an external base image brings along is not in the file and therefore not here.
        """
        return tuple(instruction for stage in self.lineage for instruction in stage.instructions)

    @property
    def runs(self) -> tuple[Instruction, ...]:
        """Its RUNs, with those that ONBUILD puts off until an image is built upon this one."""
        found = (each.trigger or each for each in self.instructions)
        return tuple(each for each in found if each.keyword == "RUN")

    @property
    def put_off(self) -> tuple[Instruction, ...]:
        """What it has run when an image is built upon it: ONBUILD."""
        return tuple(each.trigger for each in self.instructions if each.trigger is not None)

    @property
    def triggered(self) -> tuple[Instruction, ...]:
        """What the stage that it continues has put off until now, and runs before its own instructions."""
        match self.base:
            case StageBase(stage=stage):
                return stage.put_off
            case _:
                return ()

    def last(self, keyword: str) -> Instruction | None:
        """The instruction that decides in `history`: the last one called `keyword`."""
        for stage in reversed(self.lineage):
            for instruction in reversed(stage.instructions):
                if instruction.keyword == keyword:
                    return instruction
        return None

    def pair(self, keyword: str, name: str) -> tuple[Instruction, Pair] | None:
        """The ENV, LABEL or ARG in `history` that last gave `name` a value, and the value."""
        for stage in reversed(self.lineage):
            for instruction in reversed(stage.instructions):
                if instruction.keyword == keyword:
                    for pair in reversed(instruction.pairs):
                        if pair.name == name:
                            return instruction, pair
        return None

    @property
    def environment(self) -> dict[str, str]:
        """The ENV variables of its image, as far as the file sets them."""
        return {
            pair.name: pair.value or ""
            for instruction in self.history
            if instruction.keyword == "ENV"
            for pair in instruction.pairs
        }

    @property
    def whole_copies(self) -> tuple[tuple[Instruction, Stage], ...]:
        """The COPY instructions that take the whole file system of another stage, and that stage."""
        found = []
        at_root = True
        for ancestor in self.lineage[:-1]:
            at_root = _directory_after(ancestor, at_root=at_root)
        for instruction in self.instructions:
            if instruction.keyword == "WORKDIR":
                at_root = _is_root(instruction.value, at_root=at_root)
            elif _copies_everything(instruction, at_root=at_root):
                match instruction.source:
                    case StageBase(stage=stage):
                        found.append((instruction, stage))
                    case _:
                        pass
        return tuple(found)

    @property
    def squash(self) -> tuple[Instruction, Stage] | None:
        """The COPY by which this stage flattens another one, and that one: `FROM scratch`, `COPY --from=x / /`.

        Files survive a squash; ENV, LABEL, USER, HEALTHCHECK and the like do not.
        """
        if not isinstance(self.base, Scratch):
            return None
        copies = self.whole_copies
        return copies[0] if copies else None

    def lost(self, keyword: str) -> Lost | None:
        """The instruction called `keyword` that would decide, had a squash not dropped it."""
        copy: Instruction | None = None
        stage = self
        while (squash := stage.lineage[0].squash) is not None:
            copy = copy or squash[0]
            stage = squash[1]
            instruction = stage.last(keyword)
            if instruction is not None:
                return Lost(stage=stage, instruction=instruction, copy=copy)
        return None

    def lost_pair(self, keyword: str, name: str) -> Lost | None:
        """The ENV, LABEL or ARG that would give `name` its value, had a squash not dropped it."""
        copy: Instruction | None = None
        stage = self
        while (squash := stage.lineage[0].squash) is not None:
            copy = copy or squash[0]
            stage = squash[1]
            found = stage.pair(keyword, name)
            if found is not None:
                return Lost(stage=stage, instruction=found[0], copy=copy)
        return None

    def variables(self, before: Instruction) -> dict[str, str]:
        """What a RUN at the place of `before` finds in its environment, as far as the file says: ENV and ARG.

        One that is put off finds the ENV of the whole stage, and no ARG.
        """
        arguments: dict[str, str] = {}
        environment: dict[str, str] = {}
        for instruction in self.history:
            if instruction is before:
                break
            if instruction.trigger is before:
                return self.environment
            into = environment if instruction.keyword == "ENV" else arguments
            if instruction.keyword in ("ARG", "ENV"):
                into.update({pair.name: pair.value for pair in instruction.pairs if pair.value is not None})
        return {**arguments, **environment}

    @property
    def upstream(self) -> tuple[Stage, ...]:
        """The stages it takes anything from (base, COPY, mounts), each once, in file order."""
        found: dict[int, Stage] = {}
        for source in self._sources():
            match source:
                case StageBase(index=index, stage=stage):
                    found[index] = stage
                case _:
                    pass
        return tuple(found[index] for index in sorted(found))

    def _sources(self) -> Iterator[Base | None]:
        yield self.base
        for instruction in self.instructions:
            yield instruction.source
            for mount in instruction.mounts:
                yield mount.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An instruction whose effect a squash dropped."""

    stage: Stage
    """Where it is declared, or a stage built on that one."""
    instruction: Instruction
    copy: Instruction
    """The squash after which it would have to be declared again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """One parsed Dockerfile."""

    path: str
    """Relative to the project's root, with forward slashes."""
    directives: tuple[Directive, ...]
    escape: str
    """The character that continues lines: a backslash or a backtick."""
    arguments: tuple[Instruction, ...]
    """The ARG instructions before the first FROM."""
    stages: tuple[Stage, ...]
    """In file order; at least one."""
    text: str = field(default="", compare=False, repr=False)
    """The file as it was read."""

    def excerpt(self, span: SourceSpan) -> str:
        """What stands at `span` in the file, continuation lines and comments included, its lines ended by a line feed."""
        written = self.text.removeprefix("\ufeff").split("\n")
        lines = [line.rstrip("\r") for line in written[span.line - 1 : span.end_line or span.line]]
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "\n".join(lines)

    @property
    def instructions(self) -> Iterator[Instruction]:
        """Every instruction in file order, FROM and global ARG included."""
        yield from self.arguments
        for stage in self.stages:
            yield stage.opening
            yield from stage.instructions

    def find(self, name: str) -> Stage | None:
        """The stage that a build would take for the target `name`: by name without regard to case, or by number."""
        if name.isascii() and name.isdigit():
            index = int(name) if len(name) < len(str(len(self.stages))) + 1 else len(self.stages)
            return self.stages[index] if index < len(self.stages) else None
        for stage in reversed(self.stages):
            if stage.name is not None and stage.name.lower() == name.lower():
                return stage
        return None

    def recipe(self, target: str | None = None) -> Recipe:
        """How the image of `target` is made; the last stage's when no target is given.

        Raises `UsageError` with the nearest name when there is no such stage.
        """
        if target is None:
            return Recipe(dockerfile=self, final=self.stages[-1])
        stage = self.find(target)
        if stage is None:
            names = [stage.name for stage in self.stages if stage.name is not None]
            known = f"one of {', '.join(names)}" if names else _numbers(len(self.stages) - 1)
            near = nearest(target, names)
            raise UsageError(
                f"{self.path} has no stage `{target}`; expected {known}",
                hint=None if near is None else f"did you mean `{near}`?",
            )
        return Recipe(dockerfile=self, final=stage)


def _numbers(last: int) -> str:
    return f"a number up to {last}" if last else "0, its only stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one image is made: a Dockerfile and the stage that becomes the image."""

    dockerfile: Dockerfile
    final: Stage
    """The stage that becomes the image."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that a build of the image runs, in file order, the final one included."""
        found = {self.final.index: self.final}
        pending = [self.final]
        while pending:
            for stage in pending.pop().upstream:
                if stage.index not in found:
                    found[stage.index] = stage
                    pending.append(stage)
        return tuple(found[index] for index in sorted(found))

    @property
    def shipped(self) -> tuple[Shipped, ...]:
        """The stages whose whole file system ends up in the image, in file order.

        A stage that only lends some files through COPY is not among them.
        """
        found: dict[int, Shipped] = {}
        pending = [Shipped(stage=self.final, squashed=False)]
        while pending:
            shipped = pending.pop()
            known = found.get(shipped.stage.index)
            if known is not None and (shipped.squashed or not known.squashed):
                continue  # a way without a squash says more than one with it
            found[shipped.stage.index] = shipped
            match shipped.stage.base:
                case StageBase(stage=stage):
                    pending.append(Shipped(stage=stage, squashed=shipped.squashed))
                case _:
                    pass
            pending += [Shipped(stage=stage, squashed=True) for _, stage in shipped.stage.whole_copies]
        return tuple(found[index] for index in sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A stage whose whole file system is in the image."""

    stage: Stage
    squashed: bool
    """Whether a squash lies between it and the image, so that files deleted in a later layer take no space."""


def _copies_everything(instruction: Instruction, *, at_root: bool) -> bool:
    if instruction.keyword != "COPY" or len(instruction.words) < 2:  # noqa: PLR2004  # source and destination
        return False
    *sources, destination = (word.text for word in instruction.words)
    return _is_root(destination, at_root=at_root) and any(
        _is_root(source, at_root=True) for source in sources
    )


def _directory_after(stage: Stage, *, at_root: bool) -> bool:
    for instruction in stage.instructions:
        if instruction.keyword == "WORKDIR":
            at_root = _is_root(instruction.value, at_root=at_root)
    return at_root


def _is_root(path: str, *, at_root: bool) -> bool:
    """Whether `path` is the root directory, given whether the working directory is."""
    parts = {part for part in path.strip("\"'").split("/") if part}
    return parts <= {"."} and bool(path) and (path.startswith("/") or at_root)
