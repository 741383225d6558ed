"""Dockerfile text in, `Dockerfile` out: statements become stages that know where they come from.

The grammar is the builder's. COPY and mounts may name a stage that stands further down, which the builder refuses only
where the target needs it; FROM names only an earlier one, and of two stages with one name the later counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._dockerfile import arguments
from hullmark._dockerfile.demands import unmet
from hullmark._dockerfile.expansion import SPACE, BadWord, expand
from hullmark._dockerfile.located import Located
from hullmark._dockerfile.mounts import options_of
from hullmark._dockerfile.shell import SHELLS, Document, exec_form, script
from hullmark._dockerfile.statements import Problems, statements
from hullmark.errors import ConfigurationError
from hullmark.model.dockerfile import (
    Dockerfile,
    ImageBase,
    Instruction,
    Mount,
    Pair,
    Scratch,
    Stage,
    StageBase,
)
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hullmark._dockerfile.statements import Statement, Statements
    from hullmark.model.dockerfile import (
        Base,
        Command,
        Demand,
    )

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_SHELL = ("/bin/sh", "-c")
_WINDOWS = re.compile(r"(^|/)(windows|nanoserver|servercore)([/:@]|$)")
PLATFORM_ARGUMENTS = frozenset(
    f"{side}{part}" for side in ("BUILD", "TARGET") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
) | {"TARGETSTAGE"}
"""Arguments that the builder sets without an ARG."""
_PAIRS = frozenset({"ARG", "ENV", "LABEL"})


def load(path: Path, root: Path, *, args: Mapping[str, str] | None = None) -> Dockerfile:
    """The Dockerfile at `path` (from `root` on), called by its place below `root`; `args` are build arguments.

    Raises `ConfigurationError` when it is not there, is not UTF-8, or `parse` finds something wrong.
    """
    path = root / path
    try:
        shown = path.resolve().relative_to(root.resolve()).as_posix()
    except (ValueError, RuntimeError, OSError):  # outside of it, or links that go round
        shown = path.as_posix()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError([f"{shown}: no such file; expected a Dockerfile"]) from None
    except IsADirectoryError:
        raise ConfigurationError([f"{shown}: a directory; expected a Dockerfile"]) from None
    except OSError as error:
        raise ConfigurationError([f"{shown}: {error.strerror or error}; expected a readable file"]) from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        before = (
            data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
            .decode("utf-8", "replace")
            .removeprefix("\ufeff")
        )
        raise ConfigurationError(
            [f"{shown}:{line}:{len(before) + 1}: byte 0x{data[error.start]:02x}; expected UTF-8 text"]
        ) from None
    return parse(text, shown, args=args)


def parse(
    text: str, path: str, *, args: Mapping[str, str] | None = None, start: tuple[int, int] = (1, 1)
) -> Dockerfile:
    """The Dockerfile in `text`; `path` is how messages and locations call it, `args` are build arguments.

    `start` is the line and column at which it begins in the file, where it is only a part of that.

    Raises `ConfigurationError` with every problem that was found, each with `path:line:column`.
    """
    problems = Problems(path)
    file = statements(text, path, problems, start)
    if not file.statements and not problems:
        problems.add(start, "no instructions", "FROM")
    assembly = _Assembly(problems, file, dict(args or {}))
    assembly.read(file.statements)
    assembly.link()
    if problems:
        raise ConfigurationError(problems)
    return Dockerfile(
        path=path,
        directives=tuple(file.directives),
        escape=file.escape,
        arguments=tuple(assembly.arguments),
        stages=assembly.stages(),
        text=text if start == (1, 1) else _as_it_stands(text, start),
    )


def _as_it_stands(text: str, start: tuple[int, int]) -> str:
    """The text with as much above and beside it as there is in its file, so that places in it are right."""
    line, column = start
    return "\n" * (line - 1) + "\n".join(f"{' ' * (column - 1)}{each}" for each in text.split("\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A name that may be a stage's, before it is known which."""

    raw: str
    index: int | None
    """The stage it names; `None` for an image."""


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A stage under construction."""

    index: int
    name: str | None
    opening: Statement
    base: Base | _Named
    platform: str | None
    environment: dict[str, str]
    """ENV variables."""
    arguments: dict[str, str]
    """ARG variables."""
    shell: tuple[str, ...]
    statements: list[tuple[Statement, tuple[Pair, ...], tuple[Command, ...], str | None]] = field(
        default_factory=list
    )
    demands: list[tuple[Demand, ...]] = field(default_factory=list)
    """What each of `statements` demands in vain."""
    opening_demands: tuple[Demand, ...] = ()
    sources: dict[int, _Named] = field(default_factory=dict)
    """What `--from` names, by position of the statement."""
    mounts: dict[int, list[tuple[_Named | None, dict[str, object]]]] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        return {**self.arguments, **self.environment}

    def needs(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """The stages it takes something from, with the place where it says so."""
        if isinstance(self.base, _Named) and self.base.index is not None:
            yield self.base.index, self.opening.place
        for position, named in self.sources.items():
            if named.index is not None:
                yield named.index, self.statements[position][0].place
        for position, mounts in self.mounts.items():
            for source, _ in mounts:
                if source is not None and source.index is not None:
                    yield source.index, self.statements[position][0].place


class _Assembly:
    def __init__(self, problems: Problems, file: Statements, args: dict[str, str]) -> None:
        self.problems = problems
        self.escape = file.escape
        self.official = file.official
        self.args = args
        self.arguments: list[Instruction] = []
        self.globals: dict[str, str] = {}
        self.declared: set[str] = set()
        """The ARGs before the first FROM, those without a value as well."""
        self.drafts: list[_Draft] = []
        self.names: dict[str, int] = {}
        self.order: list[int] = []

    # Reading, in file order: bases, variables and shells are those known so far.

    def read(self, found: Iterable[Statement]) -> None:
        homeless = False
        for statement in found:
            if statement.keyword == "FROM":
                self.open(statement)
            elif self.drafts:
                self.add(self.drafts[-1], statement)
            elif statement.keyword == "ARG":
                pairs = self.pairs(statement, self.globals)
                for pair in pairs:
                    self.declared.add(pair.name)
                    value = self.args.get(pair.name, pair.value)
                    if value is not None:
                        self.globals[pair.name] = value
                self.arguments.append(_instruction(statement, pairs=pairs))
            elif not homeless:
                homeless = True
                self.problems.add(
                    statement.place, f"{statement.keyword} before the first FROM", "FROM or ARG"
                )
        if not self.drafts and not self.problems:
            self.problems.add((1, 1), "no FROM", "at least one FROM")

    def open(self, statement: Statement) -> None:
        words = [statement.source.text[start:end] for start, end in statement.words()]
        name = None
        if len(words) == 3 and words[1].upper() == "AS":  # noqa: PLR2004  # FROM x AS y
            name = words[2]
            if not _STAGE_NAME.fullmatch(name.lower()):
                start, _ = statement.words()[2]
                self.problems.add(
                    statement.source.place(start),
                    f"`{name}` as the name of a stage",
                    "a letter, then letters, digits, dashes, dots and underscores",
                )
        elif len(words) > 1:
            start, _ = statement.words()[1]
            self.problems.add(
                statement.source.place(start),
                f"`{' '.join(words[1:])}` after the image",
                "nothing, or AS and a name",
            )
        raw = words[0] if words else ""
        text, unresolved = self.expanded(raw, self.globals, statement.value_place)
        base: Base | _Named
        if text == "scratch":
            base = Scratch()
        elif text.lower() in self.names:
            base = _Named(raw=raw, index=self.names[text.lower()])
        else:
            base = ImageBase(reference=text, raw=raw, unresolved=unresolved)
        if self.official:
            arguments.check(statement, self.globals, self.problems, escape=self.escape)
            if isinstance(base, ImageBase):
                self.check_image(statement, base)
        flag = statement.flag("platform")
        platform = None
        if flag is not None and flag.value is not None:
            platform, _ = self.expanded(flag.value, self.globals, (flag.span.line, flag.span.column))
        parent = self.drafts[base.index] if isinstance(base, _Named) and base.index is not None else None
        draft = _Draft(
            index=len(self.drafts),
            name=name,
            opening=statement,
            base=base,
            platform=platform,
            environment=dict(parent.environment) if parent else {},
            arguments=dict(parent.arguments) if parent else {},
            shell=parent.shell if parent else (("cmd", "/S", "/C") if _WINDOWS.search(text) else _SHELL),
            # Before the first FROM, an ARG without a value is empty.
            opening_demands=unmet(
                statement,
                {**dict.fromkeys(self.declared, ""), **self.globals},
                statement.words()[:1],
                escape=self.escape,
            ),
        )
        if name is not None:
            self.names[name.lower()] = draft.index
        self.drafts.append(draft)

    def check_image(self, statement: Statement, base: ImageBase) -> None:
        """Notes a base that can be no image, whatever the build arguments: what no ARG declares is empty."""
        if set(base.unresolved) & (self.declared | PLATFORM_ARGUMENTS) or not statement.words():
            return
        try:
            found = expand(
                base.raw, {**dict.fromkeys(base.unresolved, ""), **self.globals}, escape=self.escape
            )
            if found.text and not found.unresolved:
                parse_reference(found.text)
                return
            reason = (
                f"`{base.raw}` is empty, since no ARG above declares {', '.join(base.unresolved) or 'it'}"
            )
        except BadWord:
            return  # said already
        except ValueError as error:
            reason = str(error)
        seen, _, expected = reason.partition("; expected ")
        self.problems.add(statement.value_place, seen, expected or "the name of an image")

    def add(self, draft: _Draft, statement: Statement) -> None:
        pairs: tuple[Pair, ...] = ()
        commands: tuple[Command, ...] = ()
        unread = None
        draft.demands.append(self.unmet(statement, draft.variables))
        if statement.keyword in _PAIRS:
            pairs = self.pairs(statement, draft.variables)
        if statement.keyword == "ARG":
            for pair in pairs:
                value = self.args.get(
                    pair.name, self.globals.get(pair.name) if pair.raw is None else pair.value
                )
                if value is not None:
                    draft.arguments[pair.name] = value
        elif statement.keyword == "ENV":
            draft.environment.update({pair.name: pair.value or "" for pair in pairs})
        elif statement.keyword == "SHELL":
            self.shell(draft, statement)
        elif statement.keyword == "RUN":
            commands, unread = _commands(statement, draft.shell)
        else:
            self.check(statement)
        if self.official:
            arguments.check(statement, draft.variables, self.problems, escape=self.escape)
        draft.statements.append((statement, pairs, commands, unread))

    def unmet(self, statement: Statement, variables: Mapping[str, str]) -> tuple[Demand, ...]:
        """What a statement of a stage demands of variables in vain."""
        if statement.keyword in _PAIRS:
            words = _quoted_words(statement.source.text, statement.start, statement.end, self.escape)
        elif statement.keyword in arguments.WHOLE:
            words = [(statement.start, statement.end)]
        else:
            words = statement.words()
        return unmet(statement, variables, words, escape=self.escape)

    def shell(self, draft: _Draft, statement: Statement) -> None:
        if statement.json:
            draft.shell = statement.json
        elif statement.end > statement.start:
            self.problems.add(
                statement.value_place, f"SHELL {statement.value}", 'a list such as ["/bin/bash", "-c"]'
            )

    def check(self, statement: Statement) -> None:
        """Notes arguments that the builder would refuse."""
        if statement.start == statement.end:
            return
        if statement.keyword in ("COPY", "ADD"):
            count = len(statement.words()) if statement.json is None else len(statement.json)
            if count < 2:  # noqa: PLR2004  # a source and a destination
                self.problems.add(
                    statement.value_place,
                    f"{statement.keyword} with one argument",
                    "a source and a destination",
                )
        elif statement.keyword == "HEALTHCHECK":
            kind = statement.value.split(maxsplit=1)[0]
            rest = statement.value[len(kind) :].strip(SPACE)
            if kind.upper() not in ("CMD", "NONE"):
                self.problems.add(
                    statement.value_place, f"HEALTHCHECK {kind}", "HEALTHCHECK CMD or HEALTHCHECK NONE"
                )
            elif kind.upper() == "CMD" and (not rest or statement.json == ()):
                self.problems.add(statement.value_place, "HEALTHCHECK CMD without a command", "a command")
            elif kind.upper() == "NONE" and rest:
                self.problems.add(statement.value_place, f"HEALTHCHECK NONE {rest}", "HEALTHCHECK NONE alone")

    def pairs(self, statement: Statement, variables: Mapping[str, str]) -> tuple[Pair, ...]:
        """The `name=value` pairs of an ARG, ENV or LABEL; variables are those from before the instruction."""
        source = statement.source
        words = _quoted_words(source.text, statement.start, statement.end, self.escape)
        if not words:
            return ()
        if statement.keyword != "ARG" and "=" not in source.text[words[0][0] : words[0][1]]:
            return self.legacy(statement, variables)
        found = []
        for start, end in words:
            written = source.text[start:end]
            name, equals, raw = written.partition("=")
            place = source.place(start)
            if not equals and statement.keyword != "ARG":
                self.problems.add(place, f"`{written}` in {statement.keyword}", "name=value")
                continue
            name, _ = self.expanded(name, variables, place)
            if not name:
                self.problems.add(place, f"`{written}` without a name in {statement.keyword}", "name=value")
                continue
            value, unresolved = self.expanded(raw, variables, place) if equals else (None, ())
            found.append(
                Pair(
                    name=name,
                    value=value,
                    raw=raw if equals else None,
                    unresolved=unresolved,
                    span=source.span(start, end),
                )
            )
        return tuple(found)

    def legacy(self, statement: Statement, variables: Mapping[str, str]) -> tuple[Pair, ...]:
        """`ENV name value with blanks`: everything after the name is one value."""
        parts = re.split(r"[\t\v\f\r ]+", statement.value, maxsplit=1)
        if len(parts) == 1:
            self.problems.add(statement.value_place, f"{statement.keyword} {parts[0]}", "name=value")
            return ()
        name, _ = self.expanded(parts[0], variables, statement.value_place)
        value, unresolved = self.expanded(parts[1], variables, statement.value_place)
        span = statement.source.span(statement.start, statement.end)
        return (Pair(name=name, value=value, raw=parts[1], unresolved=unresolved, span=span),)

    def expanded(
        self, word: str, variables: Mapping[str, str], place: tuple[int, int]
    ) -> tuple[str, tuple[str, ...]]:
        try:
            result = expand(word, variables, escape=self.escape)
        except BadWord as error:
            self.problems.add(place, str(error), "a closed and valid word")
            return word, ()
        return result.text, result.unresolved

    # Linking, when every name is known.

    def link(self) -> None:
        """Finds out what `--from` and mounts name, and an order in which each stage follows what it needs."""
        for draft in self.drafts:
            for position, (statement, *_) in enumerate(draft.statements):
                if statement.keyword == "COPY":
                    flag = statement.flag("from")
                    if flag is not None and flag.value:
                        draft.sources[position] = self.named(
                            flag.value, (flag.span.line, flag.span.column), draft
                        )
                elif statement.keyword == "RUN" and statement.flags:
                    draft.mounts[position] = list(self.read_mounts(statement, draft))
        if not self.problems:
            self.sort()

    def named(self, name: str, place: tuple[int, int], draft: _Draft) -> _Named:
        if name.isascii() and name.isdigit():
            index = int(name[-9:])
            if len(name) > 9 or index >= len(self.drafts):  # noqa: PLR2004  # no file has that many stages
                self.problems.add(place, f"stage number {name[:9]}", f"a number below {len(self.drafts)}")
                index = draft.index
            return _Named(raw=name, index=index)
        return _Named(raw=name, index=self.names.get(name.lower()))

    def read_mounts(
        self, statement: Statement, draft: _Draft
    ) -> Iterator[tuple[_Named | None, dict[str, object]]]:
        for flag in statement.flags:
            if flag.name != "mount":
                continue
            options = options_of(flag.value or "")
            known = dict(options)
            target = known.get("target", known.get("dst", known.get("destination")))
            name = known.get("from")
            source = None
            if name:
                source = self.named(name, (flag.span.line, flag.span.column), draft)
            yield (
                source,
                {"type": known.get("type", "bind"), "target": target, "options": options, "span": flag.span},
            )

    def sort(self) -> None:
        """Puts the stages into an order of construction; notes a circle instead where there is one."""
        done: set[int] = set()
        for start in range(len(self.drafts)):
            if start in done:
                continue
            path = [start]
            open_ = {start}
            pending = [self.drafts[start].needs()]
            while pending:
                step = next(pending[-1], None)
                if step is None:
                    pending.pop()
                    index = path.pop()
                    open_.discard(index)
                    done.add(index)
                    self.order.append(index)
                    continue
                index, place = step
                if index in open_:
                    circle = [*path[path.index(index) :], index]
                    shown = " <- ".join(self.label(each) for each in circle)
                    self.problems.add(
                        place, f"stages that need each other ({shown})", "stages that need only others"
                    )
                    return
                if index not in done:
                    path.append(index)
                    open_.add(index)
                    pending.append(self.drafts[index].needs())

    def label(self, index: int) -> str:
        return self.drafts[index].name or str(index)

    def stages(self) -> tuple[Stage, ...]:
        built: dict[int, Stage] = {}

        def base(named: Base | _Named | None) -> Base | None:
            if not isinstance(named, _Named):
                return named
            if named.index is None:
                return Scratch() if named.raw == "scratch" else ImageBase(reference=named.raw, raw=named.raw)
            return StageBase(index=named.index, raw=named.raw, stage=built[named.index])

        for index in self.order:
            draft = self.drafts[index]
            instructions = []
            for position, (statement, pairs, commands, unread) in enumerate(draft.statements):
                instructions.append(
                    _instruction(
                        statement,
                        pairs=pairs,
                        commands=commands,
                        unread=unread,
                        demands=draft.demands[position],
                        source=base(draft.sources.get(position)),
                        mounts=tuple(
                            Mount(source=base(source), **fields)  # type: ignore[arg-type]
                            for source, fields in draft.mounts.get(position, ())
                        ),
                        trigger=None if statement.trigger is None else self.put_off(statement.trigger, draft),
                    )
                )
            found = base(draft.base)
            assert found is not None
            built[index] = Stage(
                index=index,
                name=draft.name,
                base=found,
                platform=draft.platform,
                opening=_instruction(draft.opening, demands=draft.opening_demands),
                instructions=tuple(instructions),
            )
        return tuple(built[index] for index in range(len(built)))

    def put_off(self, statement: Statement, draft: _Draft) -> Instruction:
        """What an ONBUILD of `draft` has run later: by the shell that the stage ends with.

        What its mounts name is looked up where the image is built upon, so that it is an image here.
        """
        if statement.keyword != "RUN":
            return _instruction(statement)
        commands, unread = _commands(statement, draft.shell)
        mounts = []
        for named, fields in self.read_mounts(statement, draft):
            source = None if named is None else ImageBase(reference=named.raw, raw=named.raw)
            mounts.append(Mount(source=source, **fields))  # type: ignore[arg-type]
        return _instruction(statement, commands=commands, unread=unread, mounts=tuple(mounts))


def _instruction(
    statement: Statement,
    *,
    pairs: tuple[Pair, ...] = (),
    commands: tuple[Command, ...] = (),
    unread: str | None = None,
    source: Base | None = None,
    mounts: tuple[Mount, ...] = (),
    trigger: Instruction | None = None,
    demands: tuple[Demand, ...] = (),
) -> Instruction:
    return Instruction(
        keyword=statement.keyword,
        value=statement.value,
        flags=tuple(statement.flags),
        json=statement.json,
        heredocs=tuple(statement.heredocs),
        span=statement.span,
        pairs=pairs,
        words=statement.arguments() if statement.keyword in ("COPY", "ADD") else (),
        source=source,
        mounts=mounts,
        commands=commands,
        unread=unread,
        trigger=trigger,
        demands=demands,
        ignores=statement.ignores,
    )


def _commands(statement: Statement, shell: tuple[str, ...]) -> tuple[tuple[Command, ...], str | None]:
    """The commands of a RUN, and the reason why these are not all, or none, where it is so."""
    if statement.json is not None:
        return exec_form(statement.elements), None
    alone = statement.openings == [(statement.start, statement.end)]
    first = statement.heredocs[0].content if alone else ""
    if first.startswith("#!"):
        program = first[2:].split("\n", 1)[0].split()
        name = _program(
            program[-1] if program and _program(program[0]) == "env" else program[0] if program else ""
        )
        if name not in SHELLS:
            return (), f"its script is run by {name or 'nothing'}, not by a POSIX shell"
    else:
        name = _program(shell[0])
        if name == "busybox":
            name = "sh"
        if name not in SHELLS:
            return (), f"SHELL is {name}, not a POSIX shell"
    body, documents = (statement.bodies[0], {}) if alone else _without_documents(statement)
    return script(body, documents) if body.text else ((), None)


def _without_documents(statement: Statement) -> tuple[Located, dict[int, Document]]:
    """The value with a plain file in the place of each here-document, and the documents by where that begins.

    The grammar reads a document only behind the program, and only one; the shell takes them anywhere.
    """
    source = statement.source
    documents = {}
    pieces: list[tuple[str, int, int]] = []
    position = statement.start
    for heredoc, content, (start, end) in zip(
        statement.heredocs, statement.bodies, statement.openings, strict=True
    ):
        operator = source.text.index("<<", start)
        pieces += source.pieces(position, operator)
        pieces.append(("<" + "_" * (end - operator - 1), *source.place(operator)))
        documents[operator - statement.start] = Document(chomp=heredoc.chomp, content=content)
        position = end
    pieces += source.pieces(position, statement.end)
    return Located(source.path, pieces), documents


def _program(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].lower().removesuffix(".exe")


def _quoted_words(  # noqa: C901  # one character decides
    text: str, position: int, end: int, escape: str
) -> list[tuple[int, int]]:
    """The ranges of the words between `position` and `end`; blanks inside of quotes belong to a word."""
    found = []
    start = -1
    quote = ""
    while position < end:
        character = text[position]
        if start < 0:
            if character in SPACE:
                position += 1
                continue
            start = position
        if quote:
            if character == quote:
                quote = ""
            elif character == escape and quote != "'":
                position += 1
        elif character in SPACE:
            found.append((start, position))
            start = -1
        elif character in "'\"":
            quote = character
        elif character == escape:
            position += 1
        position += 1
    if start >= 0:
        found.append((start, end))
    return found
