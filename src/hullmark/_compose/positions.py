"""Where in the Compose files things are declared."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hullmark.errors import ConfigurationError
from hullmark.model.location import SourceSpan, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A text of several lines, written as a block."""

    text: str
    span: SourceSpan
    """Where its first character stands."""
    lines: tuple[int, ...]
    """The line of the file in which each of its lines begins; where lines are folded, those in between are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What the Compose files of a project say, by place."""

    services: dict[str, SourceSpan] = field(default_factory=dict)
    """For each service the first place that declares it; earlier files come first, included ones last."""
    keys: dict[str, SourceSpan] = field(default_factory=dict)
    """For each key, written `services.web.ports.0`, the first place where it stands."""
    paths: dict[Path, SourceSpan] = field(default_factory=dict)
    """For each text, taken for a path relative to the file it stands in, the first place where it stands."""

    texts: dict[str, list[tuple[str, SourceSpan]]] = field(default_factory=dict)
    """For each key that holds a text, every text that the files give it, and where the key stands."""

    blocks: dict[str, Block] = field(default_factory=dict)
    """For each Dockerfile that is written as a block (`|` or `>`), by its key."""

    def place(self, *path: str) -> SourceSpan | None:
        """Where the key at `path`, or the nearest one around it, stands."""
        while path:
            if span := self.keys.get(".".join(path)):
                return span
            path = path[:-1]
        return None

    def used(self, variable: str) -> SourceSpan | None:
        """The first place where a text takes `variable`: the earliest of the first file that does."""
        pattern = re.compile(rf"\$\{{?{re.escape(variable)}\b")
        spans = [span for texts in self.texts.values() for text, span in texts if pattern.search(text)]
        files = list(dict.fromkeys(span.path for span in self.keys.values()))
        return min(spans, key=lambda span: (files.index(span.path), span.line, span.column), default=None)

    def mentioned(self, message: str) -> SourceSpan | None:
        """The place of what `message` is about: the most exact key, service or file that it names."""
        message = re.sub(r'\bservice "([\w.-]+)"', r"services.\1 ", message)
        message = re.sub(r"(\S+) Additional property (\S+?) is not allowed", r"\1.\2 ", message)
        message = re.sub(r"(cycle detected:) ([\w.-]+) ", r"\1 services.\2 ", message)
        message = message.removeprefix("(root).")
        for word in re.findall(r"/[^\s:]+", message):
            for path, span in self.paths.items():
                if str(path) == word:
                    return span
        found = [
            key
            for key in self.keys
            # A word such as `name` is meant as a key only where the message starts with it.
            if message.startswith(f"{key} ")
            or ("." in key and re.search(rf"(?<![\w.-]){re.escape(key)}(?![\w-])", message))
        ]
        return self.keys[max(found, key=len)] if found else None


def declarations(files: Sequence[Path], root: Path) -> Declarations:
    """What `files`, and the files that they include, declare.

    Raises `ConfigurationError` with file, line and column when a file is no YAML or gives a key twice.
    """
    found = Declarations()
    pending = list(files)
    seen = set(pending)
    while pending:
        file = pending.pop(0)
        name = shown(file, root)
        for document in _documents(file, name):
            _read(document, file, name, found)
            for included in _included(document):
                path = Path(os.path.normpath(file.parent / included))
                if path not in seen and path.is_file():
                    seen.add(path)
                    pending.append(path)
    return found


def _documents(file: Path, name: str) -> list[yaml.Node]:
    try:
        # Nodes only: Compose's own tags (`!override`, `!reset`) need no constructors, and none can run.
        nodes: list[yaml.Node] = list(yaml.compose_all(file.read_text(encoding="utf-8"), Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        context = f" ({error.context})" if error.context else ""
        raise ConfigurationError([f"{place}: not valid YAML: {error.problem}{context}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError([f"{name}: cannot be read: {error}"]) from error
    except RecursionError as error:
        raise ConfigurationError([f"{name}: cannot be read: it is nested too deeply"]) from error
    return nodes


def _read(document: yaml.Node, file: Path, name: str, into: Declarations) -> None:
    problems = []
    walked: set[int] = set()
    pending: list[tuple[tuple[str, ...], yaml.Node]] = [((), document)]
    while pending:
        path, node = pending.pop()
        # What an anchor holds is read where it stands: following every alias to it may take for ever.
        if id(node) in walked:
            continue
        walked.add(id(node))
        given: dict[str, int] = {}
        for key, mark, value in _children(node):
            here = (*path, key)
            span = SourceSpan(path=name, line=mark.line + 1, column=mark.column + 1)
            if key in given and key != "<<":
                problems.append(f"{span}: `{'.'.join(here)}` stands here again, after line {given[key]}")
            given.setdefault(key, span.line)
            into.keys.setdefault(".".join(here), span)
            if path == ("services",):
                into.services.setdefault(key, span)
            if isinstance(value, yaml.ScalarNode) and value.value:
                into.texts.setdefault(".".join(here), []).append((value.value, span))
                at = SourceSpan(path=name, line=value.start_mark.line + 1, column=value.start_mark.column + 1)
                into.paths.setdefault(file.parent / value.value, at)
                if key == "dockerfile_inline":
                    _note_block(".".join(here), value, file, name, into)
            pending.append((here, value))
    if problems:
        raise ConfigurationError(problems)


def _note_block(key: str, value: yaml.ScalarNode, file: Path, name: str, into: Declarations) -> None:
    """Keeps where the lines of a Dockerfile stand that is written behind `|` or `>`; of others no line is known."""
    into.blocks.pop(key, None)
    if value.style in ("|", ">"):
        first = value.start_mark.line + 1
        written = file.read_text(encoding="utf-8").split("\n")[first : value.end_mark.line + 1]
        if value.style == "|":
            written = written[: value.value.count("\n") + 1]
        indents = (len(line) - len(line.lstrip(" ")) for line in written if line.strip())
        column = min(indents, default=0) + 1
        lines = tuple(_beginnings(value.value, written, first + 1))
        if lines:
            span = SourceSpan(path=name, line=lines[0], column=column)
            into.blocks[key] = Block(text=value.value, span=span, lines=lines)


def _beginnings(text: str, written: list[str], first: int) -> Iterator[int]:
    """The line of the file in which each line of `text` begins that has something in it, else the one after the last.

    `written` are the lines of the file from line `first` on; nothing when they are not those of `text`.
    """
    begun: dict[int, int] = {}
    position = 0
    for number, line in enumerate(written, first):
        content = line.strip()
        if not content:
            continue
        found = text.find(content, position)
        if found < 0 or text[position:found].strip():
            break  # what follows the block
        begun.setdefault(text.count("\n", 0, found), number)
        position = found + len(content)
    if text[position:].strip():
        return
    last = first - 1
    for index in range(text.count("\n") + (not text.endswith("\n"))):
        last = begun.get(index, last + 1)
        yield last


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Mark, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, key.start_mark, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value.start_mark, value


def _included(document: yaml.Node) -> Iterator[str]:
    """The files that `include` names: as text, or as one or more `path`."""
    for key, _, value in _children(document):
        if key == "include":
            for _, _, entry in _children(value):
                yield from _texts(entry)
                for name, _, path in _children(entry):
                    if name == "path":
                        yield from _texts(path)
                        for _, _, one in _children(path):
                            yield from _texts(one)


def _texts(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode) and node.value:
        yield node.value
