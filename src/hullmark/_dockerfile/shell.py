"""The simple commands of a shell body, with quotes resolved and every word's place in the file.

`sh -c "..."`, `eval "..."`, `su -c "..."` and here-documents fed to a shell are read as well: their commands follow the one that
starts them. What only starts another program (`sudo`, `env A=1`, `timeout 30`) is taken off it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from hullmark._dockerfile.located import Located
from hullmark.model.dockerfile import Command, Pair, Redirect, Word
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tree_sitter import Node, Parser

SHELLS = frozenset({"ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"})
"""Programs whose language is read here."""

_DEEPEST = 8
"""Shells inside of shells are read to this depth."""
_EXPANSIONS = frozenset(
    {
        "arithmetic_expansion",
        "brace_expression",
        "command_substitution",
        "expansion",
        "process_substitution",
        "simple_expansion",
    }
)
_PLAIN = re.compile(r"[\w@%+=:,./~^-]*", re.ASCII)
_PATTERN = frozenset("*?[")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")

_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "builtin": (frozenset(), 0),
    "catchsegv": (frozenset(), 0),
    "chronic": (frozenset(), 0),
    "chroot": (frozenset(), 1),
    "command": (frozenset(), 0),
    "doas": (frozenset({"-u", "-C"}), 0),
    "eatmydata": (frozenset(), 0),
    "env": (frozenset({"-u", "--unset", "-C", "--chdir"}), 0),
    "exec": (frozenset({"-a"}), 0),
    "fakeroot": (frozenset(), 0),
    "flock": (frozenset({"-w", "--timeout", "-E"}), 1),
    "gosu": (frozenset(), 1),
    "ionice": (frozenset({"-c", "-n"}), 0),
    "linux32": (frozenset(), 0),
    "linux64": (frozenset(), 0),
    "nice": (frozenset({"-n"}), 0),
    "nohup": (frozenset(), 0),
    "runuser": (frozenset({"-u", "-g", "-G"}), 0),
    "setsid": (frozenset(), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "su-exec": (frozenset(), 1),
    "sudo": (
        frozenset({"-u", "--user", "-g", "--group", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R"}),
        0,
    ),
    "time": (frozenset({"-f", "-o"}), 0),
    "timeout": (frozenset({"-k", "-s", "--signal", "--kill-after"}), 1),
    "xargs": (frozenset({"-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s"}), 0),
}
"""Programs that start the program named by their operands: options with a value, and operands before that name."""

_NONE: Mapping[int, Document] = {}
_LARGE = 4096
_PATIENCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A here-document that was taken out of a script, where a redirection from a file stands instead."""

    chomp: bool
    """Whether it was opened with `<<-`."""
    content: Located


def script(body: Located, documents: Mapping[int, Document]) -> tuple[tuple[Command, ...], str | None]:
    """The commands of `body`, and why that is none or not all of them, where it is so.

    `documents` are those that were taken out of it, by the offset of the redirection.
    """
    if not body.text.strip():
        return (), None
    data = body.text.encode("utf-8", "replace")
    root = _tree(data)
    if root is None:
        return (), "its shell code is too tangled to be read"
    reading = _Reading(body, data, 0, documents)
    wrong = _misread(root) if root.has_error else None
    reason = None
    if wrong is not None:
        place = body.span(*reading.range(wrong))
        reason = f"at {place.line}:{place.column} its shell code is not what the grammar expects"
    return tuple(reading.commands(root)), reason


def _misread(root: Node) -> Node | None:
    """The first part that is no shell code, or where some is missing."""
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            return node
        pending += [child for child in reversed(node.children) if child.has_error or child.is_missing]
    return None


def exec_form(elements: Sequence[Located]) -> tuple[Command, ...]:
    """The command of an exec form, and those of the script in it when it starts a shell."""
    if not elements:
        return ()
    tokens = [
        _Token(Word(text=each.text, static=True, span=each.span(0, len(each.text))), each)
        for each in elements
    ]
    return tuple(_unwrapped(tokens, (), (), piped=False, depth=0))


class _Token:
    """A word and, where that is known, where each of its characters stands."""

    __slots__ = ("located", "word")

    def __init__(self, word: Word, located: Located | None) -> None:
        self.word = word
        self.located = located


@cache
def _parser() -> Parser:
    """The grammar; loading it takes longer than reading most files, so that it waits until it is needed."""
    import tree_sitter  # noqa: PLC0415
    import tree_sitter_bash  # noqa: PLC0415

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def _script(
    body: Located, depth: int, documents: Mapping[int, Document] = _NONE
) -> tuple[Command, ...] | None:
    if not body.text.strip():
        return ()
    data = body.text.encode("utf-8", "replace")
    root = _tree(data)
    if root is None:
        return None
    reading = _Reading(body, data, depth, documents)
    return tuple(reading.commands(root))


def _tree(data: bytes) -> Node | None:
    parser = _parser()
    if len(data) <= _LARGE:
        return parser.parse(data).root_node
    calls = 0

    def impatient(_offset: int, _error: bool) -> bool:  # noqa: FBT001  # the grammar's signature
        nonlocal calls
        calls += 1
        return calls < _PATIENCE

    try:
        tree = parser.parse(
            lambda offset, _point: data[offset : offset + _LARGE], progress_callback=impatient
        )
    except ValueError:
        parser.reset()
        return None
    return tree.root_node


class _Reading:
    """One tree and the text it was made from."""

    def __init__(self, body: Located, data: bytes, depth: int, documents: Mapping[int, Document]) -> None:
        self.body = body
        self.documents = documents
        self.data = data
        self.depth = depth
        self.offsets: list[int] | None = None
        """Character offset of each byte; `None` when they are the same."""
        if len(data) != len(body.text):
            self.offsets = [
                index
                for index, character in enumerate(body.text)
                for _ in character.encode("utf-8", "replace")
            ]
            self.offsets.append(len(body.text))

    def range(self, node: Node) -> tuple[int, int]:
        start, end = node.start_byte, node.end_byte
        return (start, end) if self.offsets is None else (self.offsets[start], self.offsets[end])

    def commands(self, root: Node) -> Iterator[Command]:
        """Every simple command below `root`, in the order of their first words."""
        pending: list[tuple[Node, tuple[Node, ...], bool]] = [(root, (), False)]
        while pending:
            node, redirects, piped = pending.pop()
            kind = node.type
            if kind == "command":
                yield from self.command(node, redirects, piped=piped)
            elif kind == "declaration_command":
                yield from self.declaration(node, piped=piped)
            if kind in ("command", "declaration_command") and not self.substitutes(node):
                continue
            children = node.children
            if kind == "redirected_statement":
                redirects += tuple(child for child in children if child.type.endswith("_redirect"))
            last = None
            for child in children:
                if child.is_named and not child.type.endswith("_redirect"):
                    last = child
            for position in range(len(children) - 1, -1, -1):
                child = children[position]
                if not child.is_named and child.child_count == 0:
                    continue
                following = children[position + 1].type if position + 1 < len(children) else ""
                inherits = child is last
                pending.append(
                    (
                        child,
                        redirects if inherits else (),
                        following in ("|", "|&") or (inherits and piped),
                    )
                )

    def substitutes(self, node: Node) -> bool:
        text = self.data[node.start_byte : node.end_byte]
        return b"$(" in text or b"`" in text or b"<(" in text or b">(" in text

    def declaration(self, node: Node, *, piped: bool) -> Iterator[Command]:
        """`export A=1` and its relatives: an ordinary command whose arguments are assignments."""
        tokens = [self.token(child) for child in node.children]
        if tokens:
            yield _command(tokens, (), (), (), piped=piped, start=None)

    def command(self, node: Node, outer: tuple[Node, ...], *, piped: bool) -> Iterator[Command]:
        tokens: list[_Token] = []
        assignments: list[Pair] = []
        redirects: list[Redirect] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                assignments.append(self.assignment(child))
            elif kind.endswith("_redirect"):
                redirects += self.redirect(child)
            elif kind == "command_name":
                tokens.append(self.token(child.children[0] if child.child_count else child))
            elif kind == "comment":
                continue
            else:
                tokens.append(self.token(child))
        for each in outer:
            redirects += self.redirect(each)
            # `echo >file word`: what follows the file is an argument again.
            tokens += [self.token(word) for word in each.children_by_field_name("destination")[1:]]
        if not tokens:
            return
        yield from _unwrapped(tokens, assignments, redirects, piped=piped, depth=self.depth)
        yield from self.fed(tokens, (*node.children, *outer))

    def fed(self, tokens: list[_Token], redirects: Iterable[Node]) -> Iterator[Command]:
        """The commands of a here-document that is the input of a shell without a script of its own."""
        if _name(tokens[0]) not in SHELLS or self.depth >= _DEEPEST:
            return
        if any(not token.word.text.startswith("-") or _is_c(token.word.text) for token in tokens[1:]):
            return
        for redirect in redirects:
            document = self.document(redirect)
            if document is not None:
                yield from _script(document.content, self.depth + 1) or ()
            for child in redirect.children if redirect.type == "heredoc_redirect" else ():
                if child.type == "heredoc_body":
                    start, end = self.range(child)
                    inner = Located(self.body.path, self.body.pieces(start, end))
                    yield from _script(inner, self.depth + 1) or ()

    def assignment(self, node: Node) -> Pair:
        start, end = self.range(node)
        name, _, raw = self.body.text[start:end].partition("=")
        value = node.child_by_field_name("value")
        word = None if value is None else self.token(value).word
        return Pair(
            name=name,
            value="" if word is None else word.text,
            raw=raw,
            unresolved=(),
            span=self.body.span(start, end),
        )

    def redirect(self, node: Node) -> Iterator[Redirect]:
        document = self.document(node)
        if document is not None:
            operator = "<<-" if document.chomp else "<<"
            yield Redirect(operator=operator, target=None, content=document.content.text)
            return
        operator, target, content = "", None, None
        for child in node.children:
            kind = child.type
            if kind in ("file_descriptor", "heredoc_start", "heredoc_end"):
                continue
            if kind == "heredoc_body":
                start, end = self.range(child)
                content = self.body.text[start:end]
            elif kind.endswith("_redirect"):
                yield from self.redirect(child)
            elif not child.is_named and not operator:
                operator = kind
            elif child.is_named and node.type != "heredoc_redirect" and target is None:
                target = self.token(child).word
        if node.type == "herestring_redirect" and target is not None:
            content = target.text
        yield Redirect(operator=operator, target=target, content=content)

    def document(self, node: Node) -> Document | None:
        """What was taken out of the script where the redirection `node` stands."""
        if not self.documents or node.type != "file_redirect":
            return None
        return next(
            (self.documents.get(self.range(child)[0]) for child in node.children if child.type == "<"), None
        )

    def token(self, node: Node) -> _Token:
        start, end = self.range(node)
        raw = self.body.text[start:end]
        if _PLAIN.fullmatch(raw):
            return _Token(Word(text=raw, static=True, span=self.body.span(start, end)), None)
        dynamic = [self.range(each) for each in _expansions(node)]
        pieces, static = _unquoted(raw, [(low - start, high - start) for low, high in dynamic])
        located = Located(
            self.body.path,
            (piece for low, high in pieces for piece in self.body.pieces(start + low, start + high)),
        )
        word = Word(text=located.text, static=static, span=self.body.span(start, end))
        return _Token(word, located)


def _expansions(node: Node) -> Iterator[Node]:
    pending = [node]
    while pending:
        each = pending.pop()
        if each.type in _EXPANSIONS:
            yield each
        elif each.child_count:
            pending += each.children


def _unquoted(  # noqa: C901  # one character decides
    raw: str, dynamic: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], bool]:
    """The ranges of `raw` that remain when quotes and escapes are removed, and whether they are all there is."""
    ends = dict(dynamic)
    kept: list[tuple[int, int]] = []
    static = True
    quote = ""
    position = start = 0

    def keep(until: int, resume: int) -> None:
        nonlocal start
        if until > start:
            kept.append((start, until))
        start = resume

    while position < len(raw):
        character = raw[position]
        if quote != "'" and position in ends and ends[position] > position:
            static = False
            position = ends[position]
            continue
        if quote == "'":
            if character == "'":
                keep(position, position + 1)
                quote = ""
        elif character == "\\":
            if not quote or raw[position + 1 : position + 2] in ("$", "`", '"', "\\", "\n"):
                newline = raw[position + 1 : position + 2] == "\n"
                keep(position, position + 1 + newline)
                position += 1
        elif character == quote:
            keep(position, position + 1)
            quote = ""
        elif not quote and character in "'\"":
            keep(position, position + 1)
            quote = character
        elif (character == "$" and not quote) or character == "`":
            static = static and raw[position + 1 : position + 2] in ("", '"', " ")
        elif not quote and character in _PATTERN:
            static = False
        position += 1
    keep(len(raw), len(raw))
    return kept, static


def _unwrapped(
    tokens: list[_Token],
    assignments: Iterable[Pair],
    redirects: Iterable[Redirect],
    *,
    piped: bool,
    depth: int,
) -> Iterator[Command]:
    """The command that `tokens` really runs, and the commands of the script it is given, if it is a shell."""
    first = tokens[0]
    found = list(assignments)
    wrappers = []
    while True:
        name = _name(tokens[0])
        rest = _wrapped(name, tokens, found)
        if rest is None:
            break
        wrappers.append(name)
        tokens = rest
    start = first if wrappers else None
    yield _command(tokens, found, redirects, wrappers, piped=piped, start=start)
    inner = _inner(name, tokens)
    if inner is not None and depth < _DEEPEST:
        yield from _script(inner, depth + 1) or ()


def _wrapped(name: str, tokens: list[_Token], assignments: list[Pair]) -> list[_Token] | None:
    """What is left of `tokens` without the wrapper in front, or `None` when there is none."""
    known = _WRAPPERS.get(name)
    if known is None:
        return None
    valued, operands = known
    position = 1
    while position < len(tokens):
        word = tokens[position].word
        if word.text.startswith("-") and len(word.text) > 1:
            if name == "command" and word.text in ("-v", "-V"):
                return None
            if word.text == "--":
                position += 1
                break
            position += 2 if word.text in valued else 1
        elif name in ("env", "sudo", "doas") and _ASSIGNMENT.match(word.text):
            variable, _, value = word.text.partition("=")
            assignments.append(Pair(name=variable, value=value, raw=value, unresolved=(), span=word.span))
            position += 1
        else:
            break
    position += operands
    return tokens[position:] or None


def _inner(name: str, tokens: list[_Token]) -> Located | None:
    """The script among the arguments of a shell, `su -c` or `eval`."""
    found: _Token | None = None
    if name in SHELLS:
        found = _shell_script(tokens)
    elif name == "eval" and len(tokens) == 2:  # noqa: PLR2004  # `eval` and its one argument
        found = tokens[1]
    elif name in ("su", "runuser"):
        for position, token in enumerate(tokens[:-1]):
            if token.word.text in ("-c", "--command", "-lc"):
                found = tokens[position + 1]
    if found is None:
        return None
    if found.located is not None:
        return found.located
    span = found.word.span
    return Located(span.path, ((found.word.text, span.line, span.column),))


def _shell_script(tokens: list[_Token]) -> _Token | None:
    given = False
    position = 1
    while position < len(tokens):
        text = tokens[position].word.text
        if text in ("--rcfile", "--init-file"):
            position += 1
        elif text.startswith(("-", "+")) and len(text) > 1:
            given = given or _is_c(text)
            if not text.startswith("--") and text[-1] in "oO":
                position += 1
        else:
            return tokens[position] if given else None
        position += 1
    return None


def _is_c(option: str) -> bool:
    return option.startswith("-") and not option.startswith("--") and "c" in option


def _name(token: _Token) -> str:
    return token.word.text.rpartition("/")[2] if token.word.static else ""


def _command(
    tokens: list[_Token],
    assignments: Iterable[Pair],
    redirects: Iterable[Redirect],
    wrappers: Iterable[str],
    *,
    piped: bool,
    start: _Token | None,
) -> Command:
    words = tuple(token.word for token in tokens)
    assignments = tuple(assignments)
    opening = words[0].span
    if assignments or start is not None:
        earlier = [pair.span for pair in assignments] + ([start.word.span] if start else [])
        opening = min([opening, *earlier], key=lambda span: (span.line, span.column))
    closing = words[-1].span
    return Command(
        words=words,
        assignments=assignments,
        redirects=tuple(redirects),
        wrappers=tuple(wrappers),
        piped=piped,
        span=SourceSpan(
            path=opening.path,
            line=opening.line,
            column=opening.column,
            end_line=closing.end_line,
            end_column=closing.end_column,
        ),
    )
