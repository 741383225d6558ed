"""Variables and quotes in Dockerfile words, read the way the builder reads them.

The builder's rules resemble a shell's and differ in details that matter: a quote that is never closed is an error,
`"` keeps backslashes before ordinary characters, and the escape character is the file's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What the builder takes for white space."""

_SPECIAL = frozenset("@*#?-$!0")
_DEEPEST = 50
_DIGITS = frozenset("0123456789")


class BadWord(ValueError):
    """A word the builder would refuse; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A word after quotes are removed and variables replaced."""

    text: str
    unresolved: tuple[str, ...]
    """The variables that have no value; they stand in `text` as written."""
    demanded: tuple[tuple[str, int, int], ...] = ()
    """Those of them that must have one (`${name:?message}`), and where in the word that is said."""


def expand(word: str, environment: Mapping[str, str], *, escape: str = "\\") -> Expanded:
    """`word` as the builder would use it, given the variables in `environment`.

    Raises `BadWord` for a quote or brace that is never closed and for a substitution that does not exist.
    """
    if not _is_active(word, escape):
        return Expanded(text=word, unresolved=())
    reader = _Reader(word, environment, escape=escape, verbatim=False)
    text = reader.read(None)
    return Expanded(
        text=text, unresolved=tuple(dict.fromkeys(reader.unresolved)), demanded=tuple(reader.demanded)
    )


def split(line: str) -> list[str] | None:
    """The words of `line` with their quotes, or `None` where the builder gives up splitting it."""
    reader = _Reader(line, {}, escape="\\", verbatim=True)
    try:
        reader.read(None)
    except BadWord:
        return None
    return reader.words


def unquote(word: str) -> list[str] | None:
    """The words that are left of `word` when its quotes are removed and its variables are not touched."""
    reader = _Reader(word, {}, escape="\\", verbatim=False, keep=True)
    try:
        reader.read(None)
    except BadWord:
        return None
    return reader.words


def _is_active(word: str, escape: str) -> bool:
    return "$" in word or '"' in word or "'" in word or escape in word


class _Reader:
    """One pass over a word; `text` that was read and, beside it, the words it falls into."""

    def __init__(
        self, source: str, environment: Mapping[str, str], *, escape: str, verbatim: bool, keep: bool = False
    ) -> None:
        self.source = source
        self.environment = environment
        self.escape = escape
        self.verbatim = verbatim
        """Whether quotes and escapes stay in the result."""
        self.keep = keep or verbatim
        """Whether substitutions of unset variables stay in the result, with their defaults."""
        self.position = 0
        self.depth = 0
        self.unresolved: list[str] = []
        self.demanded: list[tuple[str, int, int]] = []
        self.words: list[str] = []

    def peek(self) -> str:
        return self.source[self.position : self.position + 1]

    def next(self) -> str:
        character = self.source[self.position : self.position + 1]
        self.position += 1
        return character

    def read(self, stop: str | None, *, raw_escapes: bool | None = None) -> str:  # noqa: C901  # one character decides
        """Everything up to `stop`, which is consumed; the words of the outermost level are kept."""
        result: list[str] = []
        word: list[str] = []
        raw = self.verbatim if raw_escapes is None else raw_escapes
        self.depth += 1
        if self.depth > _DEEPEST:
            raise BadWord("substitutions are nested too deeply")
        while character := self.peek():
            if character == stop:
                self.position += 1
                self.depth -= 1
                return "".join(result)
            if character in "'\"":
                text = self.single() if character == "'" else self.double(raw=raw)
                result.append(text)
                word.append(text)
            elif character == "$":
                text = self.dollar()
                result.append(text)
                for each in text:
                    self.add(word, each)
            else:
                self.position += 1
                if character != self.escape:
                    result.append(character)
                    self.add(word, character)
                    continue
                if raw:
                    result.append(character)
                    word.append(character)
                escaped = self.next()
                result.append(escaped)
                word.append(escaped)
        if stop is not None:
            raise BadWord(f"`{stop}` is missing")
        if self.depth == 1 and "".join(word):
            self.words.append("".join(word))
        self.depth -= 1
        return "".join(result)

    def add(self, word: list[str], character: str) -> None:
        if character not in SPACE:
            word.append(character)
        elif word:
            text = "".join(word)
            if text and self.depth == 1:
                self.words.append(text)
            if text:
                word.clear()

    def single(self) -> str:
        end = self.source.find("'", self.position + 1)
        if end < 0:
            raise BadWord("a single quote is never closed")
        start, self.position = self.position, end + 1
        return self.source[start : end + 1] if self.verbatim else self.source[start + 1 : end]

    def double(self, *, raw: bool) -> str:
        result = [self.next()] if self.verbatim else [self.next()[:0]]
        while character := self.peek():
            if character == '"':
                self.position += 1
                if self.verbatim:
                    result.append(character)
                return "".join(result)
            if character == "$":
                result.append(self.dollar())
                continue
            self.position += 1
            if character == self.escape:
                if raw:
                    result.append(character)
                following = self.peek()
                if not following:
                    continue
                if following in ('"', "$", self.escape):
                    character = self.next()
            result.append(character)
        raise BadWord("a double quote is never closed")

    def name(self) -> str:
        start = self.position
        first = self.peek()
        if first in _DIGITS:
            while self.peek() in _DIGITS and self.peek():
                self.position += 1
        elif first in _SPECIAL:
            self.position += 1
        else:
            while (character := self.peek()) and (
                character.isalpha() or character.isdigit() or character == "_"
            ):
                self.position += 1
        return self.source[start : self.position]

    def dollar(self) -> str:
        start = self.position
        self.position += 1
        if self.peek() != "{":
            name = self.name()
            return self.value(name, self.source[start : self.position]) if name else "$"
        self.position += 1
        if self.peek() in ("", "{", "}", ":"):
            raise BadWord("`${` does not name a variable")
        name = self.name()
        operator = self.next()
        if operator == "}":
            return self.value(name, self.source[start : self.position])
        if operator == "/":
            self.position += self.peek() == "/"
            self.read("/", raw_escapes=True)
            self.read("}", raw_escapes=True)
            return self.opaque(name, start)
        empty_is_unset = operator == ":"
        if empty_is_unset:
            operator = self.next()
        if operator == "" or operator not in "+-?#%":
            shown = self.source[start : self.position]
            raise BadWord(f"`{shown}` is not a substitution")
        word = self.read("}", raw_escapes=operator in "#%")
        if operator in "#%":
            return self.opaque(name, start)
        return self.choose(name, operator, word, start, empty_is_unset=empty_is_unset)

    def choose(self, name: str, operator: str, word: str, start: int, *, empty_is_unset: bool) -> str:
        value = self.environment.get(name)
        if self.keep and value is None:
            return self.source[start : self.position]
        missing = value is None or (empty_is_unset and value == "")
        if operator == "+":
            return "" if missing else word
        if not missing:
            return value or ""
        if operator == "-":
            return word
        self.demanded.append((name, start, self.position))
        self.unresolved.append(name)
        return self.source[start : self.position]

    def value(self, name: str, written: str) -> str:
        value = self.environment.get(name)
        if value is not None:
            return value
        self.unresolved.append(name)
        return written

    def opaque(self, name: str, start: int) -> str:
        """A substitution whose result is not computed: it stands as written."""
        self.unresolved.append(name)
        return self.source[start : self.position]
