"""One instruction at a time: lines joined, here-documents attached, keyword, flags and arguments taken apart.

Nothing here knows about stages. What is wrong is collected in `Problems`, so that a file's mistakes are shown together.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._dockerfile.expansion import SPACE, split, unquote
from hullmark._dockerfile.located import Located
from hullmark.errors import nearest
from hullmark.model.dockerfile import Directive, Flag, Heredoc, Ignore, Word
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS: dict[str, tuple[str, ...]] = {
    "ADD": ("checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"),
    "ARG": (),
    "CMD": (),
    "COPY": ("chmod", "chown", "exclude", "from", "link", "parents"),
    "ENTRYPOINT": (),
    "ENV": (),
    "EXPOSE": (),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "retries", "start-interval", "start-period", "timeout"),
    "LABEL": (),
    "MAINTAINER": (),
    "ONBUILD": (),
    "RUN": ("device", "mount", "network", "security"),
    "SHELL": (),
    "STOPSIGNAL": (),
    "USER": (),
    "VOLUME": (),
    "WORKDIR": (),
}
"""Every instruction, with the flags it takes."""

_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME"})
_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_OPTIONAL = frozenset({"CMD", "ENTRYPOINT", "RUN"})
"""Instructions that may stand without an argument."""

_LONGEST_LINE = 65535
_DIRECTIVES = frozenset({"check", "escape", "syntax"})
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_HEREDOC = re.compile(r"([0-9]*)<<(-?)([^<]*)", re.DOTALL)
_IGNORE = re.compile(
    r"#\s*hullmark(?::\s*|\s+)ignore\b(?:\s*=([\w-]*(?:\s*,\s*[\w-]*)*))?\s*(.*)", re.IGNORECASE
)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONTINUED = {
    escape: re.compile(rf"(?:(?<=[^{re.escape(escape)}])|^){re.escape(escape)}[ \t]*\Z") for escape in "\\`"
}


class Problems:
    """What is wrong with a file, in file order."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: dict[tuple[int, int, str], None] = {}

    def add(self, place: tuple[int, int], seen: str, expected: str) -> None:
        """Notes that at `place` there is `seen` where `expected` should be."""
        self._found[(*place, f"{seen}; expected {expected}")] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def __iter__(self) -> Iterator[str]:
        for line, column, text in sorted(self._found):
            yield f"{self.path}:{line}:{column}: {text}"


@dataclass(slots=True, kw_only=True)
class Statement:
    """One instruction before stages are known."""

    keyword: str
    source: Located
    """The instruction without continuation characters and comments."""
    start: int
    """Where its value begins in `source`."""
    end: int
    flags: list[Flag]
    json: tuple[str, ...] | None = None
    elements: list[Located] = field(default_factory=list)
    """The texts of `json`, with their places."""
    heredocs: list[Heredoc] = field(default_factory=list)
    bodies: list[Located] = field(default_factory=list)
    """The contents of `heredocs`, with their places."""
    openings: list[tuple[int, int]] = field(default_factory=list)
    """The ranges in `source` of the words that open `heredocs`."""
    trigger: Statement | None = None
    span: SourceSpan
    ignores: tuple[Ignore, ...] = ()

    @property
    def value(self) -> str:
        """What follows the keyword and its flags."""
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of its keyword."""
        return self.span.line, self.span.column

    @property
    def value_place(self) -> tuple[int, int]:
        """Line and column of its value, or of its keyword when there is none."""
        return self.source.place(self.start) if self.end > self.start else self.place

    def flag(self, name: str) -> Flag | None:
        """The last flag called `name`."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def words(self) -> list[tuple[int, int]]:
        """The ranges in `source` of the value's words, split at blanks."""
        found = []
        position = self.start
        for blank in _BLANKS.finditer(self.source.text, self.start, self.end):
            found.append((position, blank.start()))
            position = blank.end()
        if position < self.end:
            found.append((position, self.end))
        return found

    def arguments(self) -> tuple[Word, ...]:
        """The value's words as COPY and ADD read them: the exec form's elements, or split at blanks."""
        if self.json is not None:
            return tuple(
                Word(text=each.text, static="$" not in each.text, span=each.span(0, len(each.text)))
                for each in self.elements
            )
        text = self.source.text
        return tuple(
            Word(text=text[start:end], static="$" not in text[start:end], span=self.source.span(start, end))
            for start, end in self.words()
        )


@dataclass(slots=True, kw_only=True)
class Statements:
    """A file taken apart."""

    directives: list[Directive]
    escape: str
    official: bool
    """Whether the grammar is the builder's own and not that of some other frontend."""
    statements: list[Statement]


def statements(text: str, path: str, problems: Problems, start: tuple[int, int] = (1, 1)) -> Statements:
    """The instructions of `text`, each taken apart as far as it can be without knowing about stages.

    `start` is the line and column of its first character in the file called `path`.
    """
    return _File(text, path, problems, start).read()


class _File:
    def __init__(self, text: str, path: str, problems: Problems, start: tuple[int, int]) -> None:
        self.path = path
        self.problems = problems
        self.above, self.beside = start[0] - 1, start[1] - 1
        # A byte order mark is no character of the first line: no editor counts it as a column.
        self.lines = text.removeprefix("\ufeff").split("\n")
        self.ends_in_newline = self.lines[-1] == ""
        if self.ends_in_newline:
            self.lines.pop()
        # A line is called by its place in `lines`, from 1 on, here as in the file.
        self.lines = [""] * self.above + self.lines
        self.position = self.above
        self.directives: list[Directive] = []
        self.escape = "\\"
        self.official = True

    def read(self) -> Statements:
        self.head()
        found: list[Statement] = []
        if self.check_lines():  # the builder stops there, and what such a line says is not worth its time
            self.lines = []
        comments: list[tuple[str, int, int]] = []
        self.position = self.above
        while self.position < len(self.lines):
            line = self.lines[self.position].rstrip("\r")
            stripped = line.lstrip(SPACE)
            if not stripped:
                comments = []
                self.position += 1
            elif stripped.startswith("#"):
                comments.append((stripped, self.position + 1, self.beside + len(line) - len(stripped) + 1))
                self.position += 1
            else:
                statement = self.statement(comments)
                comments = []
                if statement is not None:
                    found.append(statement)
        return Statements(
            directives=self.directives, escape=self.escape, official=self.official, statements=found
        )

    def check_lines(self) -> bool:
        """Notes lines that the builder's reader has no room for; whether there are any."""
        found = False
        for number, line in enumerate(self.lines, 1):
            # Most lines need not be encoded to know it.
            if len(line) * 4 > _LONGEST_LINE and len(line.encode("utf-8", "replace")) > _LONGEST_LINE:
                self.problems.add((number, 1), "a line that is too long", f"at most {_LONGEST_LINE} bytes")
                found = True
        return found

    def head(self) -> None:
        """Reads the parser directives, which end at the first line that is none."""
        seen: set[str] = set()
        for number, full in enumerate(self.lines[self.above :], self.above + 1):
            line = full.rstrip("\r").lstrip(SPACE)
            match = _DIRECTIVE.match(line)
            if match is None or match[1].lower() not in _DIRECTIVES:
                return
            name, value = match[1].lower(), match[2]
            column = self.beside + full.index("#") + 1
            span = SourceSpan(
                path=self.path,
                line=number,
                column=column,
                end_line=number,
                end_column=self.beside + len(full.rstrip("\r")) + 1,
            )
            if name in seen:
                self.problems.add((number, column), f"a second `{name}` directive", "each directive once")
            elif name == "escape" and value not in ("\\", "`"):
                self.problems.add((number, column), f"escape={value}", "a backslash or a backtick")
            elif name == "escape":
                self.escape = value
            elif name == "syntax":
                self.official = "docker/dockerfile" in value
            seen.add(name)
            self.directives.append(Directive(name=name, value=value, span=span))

    def statement(self, comments: list[tuple[str, int, int]]) -> Statement | None:
        comments = list(comments)
        first = self.position
        pieces: list[tuple[str, int, int]] = []
        continued = True
        while continued and self.position < len(self.lines):
            line = self.lines[self.position].rstrip("\r")
            number = self.position + 1
            self.position += 1
            stripped = line.lstrip(SPACE)
            if number > first + 1:
                if not stripped:
                    continue
                if stripped.startswith("#"):
                    comments.append((stripped, number, self.beside + len(line) - len(stripped) + 1))
                    continue
            column = 1 + self.beside
            if number == first + 1:
                column += len(line) - len(stripped)
                line = stripped
            mark = _CONTINUED[self.escape].search(line)
            continued = mark is not None
            text = line if mark is None else line[: mark.start()]
            if text:
                pieces.append((text, number, column))
        if not pieces or not "".join(piece[0] for piece in pieces).strip(SPACE):
            line = self.lines[first]
            column = self.beside + len(line) - len(line.lstrip(SPACE)) + 1
            self.problems.add((first + 1, column), "a continuation of nothing", "an instruction")
            return None
        source = Located(self.path, pieces)
        start = len(source.text) - len(source.text.lstrip(SPACE))
        made = self.take_apart(source, start, self.ignores(comments))
        if made is not None:
            if made.span.line > first + 1 or made.span.end_line < self.position:
                # Continued by lines without content: they belong to it, as they do for the builder.
                made.span = self.lines_of(made, first + 1)
            self.attach_heredocs(made)
        return made

    def lines_of(self, made: Statement, first: int) -> SourceSpan:
        """The span of `made` when it begins on the line `first` and reaches to the end of the last line read."""
        begins = self.lines[first - 1]
        last = self.lines[self.position - 1].rstrip("\r")
        return SourceSpan(
            path=self.path,
            line=first,
            column=made.span.column
            if made.span.line == first
            else self.beside + len(begins) - len(begins.lstrip(SPACE)) + 1,
            end_line=self.position,
            end_column=self.beside + len(last) + 1,
        )

    def ignores(self, comments: list[tuple[str, int, int]]) -> tuple[Ignore, ...]:
        found = []
        for text, line, column in comments:
            match = _IGNORE.match(text) if "hullmark" in text.lower() else None
            if match is not None:
                span = SourceSpan(
                    path=self.path,
                    line=line,
                    column=column,
                    end_line=line,
                    end_column=column + len(text.rstrip()),
                )
                rules = tuple(name.strip() for name in (match[1] or "").split(",") if name.strip())
                found.append(Ignore(rules=rules, reason=match[2].strip(), span=span))
        return tuple(found)

    def take_apart(
        self, source: Located, start: int, ignores: tuple[Ignore, ...] = (), *, inside: bool = False
    ) -> Statement | None:
        """The instruction that begins at `start`; `None` when it is not one."""
        text = source.text
        end = len(text.rstrip(SPACE))
        blank = _BLANKS.search(text, start, end)
        word = text[start : end if blank is None else blank.start()]
        keyword = word.upper()
        place = source.place(start)
        if keyword not in FLAGS and self.official:
            near = nearest(keyword, FLAGS)
            expected = "one of " + ", ".join(FLAGS) if near is None else near
            self.problems.add(place, f"unknown instruction `{_shown(word)}`", expected)
            return None
        flags, position = _flags(source, end if blank is None else blank.end(), end)
        made = Statement(
            keyword=keyword,
            source=source,
            start=position,
            end=end,
            flags=flags,
            span=source.span(start, end),
            ignores=ignores,
        )
        if self.official:
            self.check_flags(made)
        if keyword == "ONBUILD":
            self.trigger(made, inside=inside)
        elif keyword in _JSON:
            self.exec_form(made)
        if made.start == made.end and keyword not in _OPTIONAL and keyword in FLAGS:
            self.problems.add(place, f"{keyword} without an argument", _ARGUMENTS.get(keyword, "one"))
        return made

    def check_flags(self, made: Statement) -> None:
        known = FLAGS[made.keyword]
        for flag in made.flags:
            if flag.name in known:
                continue
            near = nearest(flag.name, known)
            if near is not None:
                expected = f"--{near}"
            elif known:
                expected = "one of " + ", ".join(f"--{name}" for name in known)
            else:
                expected = f"{made.keyword} without flags"
            place = flag.span.line, flag.span.column
            self.problems.add(place, f"unknown flag `--{_shown(flag.name)}` of {made.keyword}", expected)

    def trigger(self, made: Statement, *, inside: bool) -> None:
        if made.start == made.end:
            return
        if inside:
            self.problems.add(made.place, "ONBUILD inside of ONBUILD", "another instruction")
            return
        made.trigger = self.take_apart(made.source, made.start, inside=True)
        if made.trigger is not None and made.trigger.keyword in ("FROM", "MAINTAINER"):
            self.problems.add(
                made.trigger.place, f"{made.trigger.keyword} inside of ONBUILD", "another instruction"
            )

    def exec_form(self, made: Statement) -> None:
        start = made.start
        if made.keyword == "HEALTHCHECK":
            blank = re.search(r"\s+", made.value)
            if blank is None:
                return
            start += blank.end()
        if not made.source.text.startswith("[", start):
            return
        written = made.source.text[start : made.end]
        try:
            values = json.loads(written, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return
        if not isinstance(values, list):
            return
        if not all(isinstance(value, str) for value in values):
            self.problems.add(
                made.source.place(start),
                f"{made.keyword} with something else than text in its list",
                "only text",
            )
            return
        made.json = tuple(
            value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for value in values
        )
        made.elements = _elements(made.source, start, made.end)

    def attach_heredocs(self, made: Statement) -> None:
        inner = made.trigger or made
        text = made.source.text
        if "<<" not in text or inner.keyword not in _HEREDOCS or inner.json is not None:
            return
        end = 0
        for word in split(text) or ():
            begin = max(text.find(word, end), end)
            end = begin + len(word)
            match = _HEREDOC.fullmatch(word)
            names = unquote(match[3]) if match is not None and match[3] else None
            if match is None or names is None or len(names) != 1:
                continue
            if not self.heredoc(made, inner, match, names[0]):
                return
            inner.openings.append((begin, end))
        if inner.heredocs:
            made.span = self.lines_of(made, made.span.line)
            inner.span = self.lines_of(inner, inner.span.line)

    def heredoc(self, made: Statement, inner: Statement, match: re.Match[str], name: str) -> bool:
        """Takes the lines up to `name` as a here-document; false when nothing ends it."""
        chomp = match[2] == "-"
        first = self.position
        pieces: list[tuple[str, int, int]] = []
        while self.position < len(self.lines):
            line = self.lines[self.position]
            self.position += 1
            candidate = line.rstrip("\r")
            if (candidate.lstrip("\t") if chomp else candidate) == name:
                break
            last = self.position == len(self.lines) and not self.ends_in_newline
            pieces.append((line if last else line + "\n", self.position, 1 + self.beside))
        else:
            place = made.place
            self.problems.add(
                place, f"here-document `{_shown(name)}` is never ended", f"a line with `{_shown(name)}`"
            )
            return False
        span = SourceSpan(
            path=self.path,
            line=first + 1,
            column=1 + self.beside,
            end_line=self.position,
            end_column=self.beside + len(self.lines[self.position - 1].rstrip("\r")) + 1,
        )
        body = Located(self.path, pieces or [("", first + 1, 1 + self.beside)])
        inner.heredocs.append(
            Heredoc(
                name=name,
                expand=not ("'" in match[3] or '"' in match[3]) or _keeps_quotes(match[3], name),
                chomp=chomp,
                descriptor=int(match[1][-6:] or "0"),
                content=body.text,
                span=span,
            )
        )
        inner.bodies.append(body)
        return True


_ARGUMENTS = {
    "ADD": "a source and a destination",
    "COPY": "a source and a destination",
    "FROM": "an image, a stage or scratch",
    "HEALTHCHECK": "CMD or NONE",
    "ONBUILD": "an instruction",
    "SHELL": 'a list such as ["/bin/bash", "-c"]',
}


def _keeps_quotes(written: str, name: str) -> bool:
    return sum(map(written.count, "'\"")) == sum(map(name.count, "'\""))


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."  # noqa: PLR2004  # enough to find it again


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _flags(source: Located, position: int, end: int) -> tuple[list[Flag], int]:
    """The flags from `position` on, and where the value after them begins."""
    text = source.text
    found: list[Flag] = []
    while True:
        while position < end and text[position] in SPACE:
            position += 1
        if not text.startswith("--", position, end):
            return found, position
        word, stop = _flag_word(text, position, end)
        if word == "--":
            while stop < end and text[stop] in SPACE:
                stop += 1
            return found, stop
        name, equals, value = word[2:].partition("=")
        found.append(Flag(name=name, value=value if equals else None, span=source.span(position, stop)))
        position = stop


def _flag_word(text: str, position: int, end: int) -> tuple[str, int]:
    result = []
    quote = ""
    while position < end:
        character = text[position]
        if not quote and character in SPACE:
            break
        if quote and character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif character == "\\":
            position += 1
            result.append(text[position : min(position + 1, end)])
        else:
            result.append(character)
        position += 1
    return "".join(result), min(position, end)


def _elements(source: Located, start: int, end: int) -> list[Located]:
    """The texts of a JSON list that is known to be valid, with the place of each character."""
    text = source.text
    found = []
    position = start
    while (position := text.find('"', position, end)) >= 0:
        position += 1
        opening = plain = position
        pieces: list[tuple[str, int, int]] = []
        while text[position] != '"':
            if text[position] != "\\":
                position += 1
                continue
            pieces += source.pieces(plain, position)
            letter = text[position + 1]
            length = 6 if letter == "u" else 2
            character = (
                chr(int(text[position + 2 : position + 6], 16))
                if letter == "u"
                else _ESCAPED.get(letter, letter)
            )
            if "\ud800" <= character <= "\udfff":
                character = "\ufffd"
            pieces.append((character, *source.place(position)))
            position += length
            plain = position
        pieces += source.pieces(plain, position)
        found.append(Located(source.path, pieces or [("", *source.place(opening))]))
        position += 1
    return found
