"""What an instruction demands of variables: `${NAME:?message}`, at which the builder stops where there is no value.

Only what the builder itself expands counts. A command of RUN, CMD or HEALTHCHECK is left to a shell, and of a default
that the builder cannot work out for an ARG before the first FROM it says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._dockerfile.expansion import BadWord, expand
from hullmark.model.dockerfile import Demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hullmark._dockerfile.statements import Statement
    from hullmark.model.location import SourceSpan

    Place = Callable[[int, int], SourceSpan]
    """Where a part of a word stands."""

_EXPANDED = frozenset(
    {"ADD", "ARG", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
_FLAGS = {
    "ADD": frozenset({"checksum", "chown"}),
    "COPY": frozenset({"chown"}),
    "FROM": frozenset({"platform"}),
    "RUN": frozenset({"mount"}),
}
_QUOTES = str.maketrans("'\"", "__")


def unmet(
    statement: Statement,
    variables: Mapping[str, str],
    words: Iterable[tuple[int, int]],
    *,
    escape: str,
) -> tuple[Demand, ...]:
    """What `statement` demands and `variables`, those from before it, do not have.

    `words` are the ranges of what the builder expands one by one.
    """
    texts = (statement.source.text, *(each.content for each in statement.heredocs))
    if not any("?" in each for each in texts):
        return ()
    found = []
    for text, place in _expanded(statement, words):
        try:
            expanded = expand(text, variables, escape=escape)
        except BadWord:
            continue  # said already
        found += [
            Demand(name=name, empty=name in variables, raw=text[start:end], span=place(start, end))
            for name, start, end in expanded.demanded
        ]
    return tuple(found)


def _expanded(statement: Statement, words: Iterable[tuple[int, int]]) -> Iterator[tuple[str, Place]]:
    for flag in statement.flags:
        if flag.value and flag.name in _FLAGS.get(statement.keyword, ()):
            yield flag.value, _all_of(flag.span)
    if statement.keyword not in _EXPANDED:
        return
    if statement.json is not None:
        for element in statement.elements:
            yield element.text, element.span
        return
    source = statement.source
    for first, last in words:
        yield source.text[first:last], _within(source.span, first)
    for heredoc, body in zip(statement.heredocs, statement.bodies, strict=True):
        if heredoc.expand:
            # Quotes in a document are characters like any other.
            yield body.text.translate(_QUOTES), body.span


def _all_of(span: SourceSpan) -> Place:
    return lambda _start, _end: span


def _within(place: Place, offset: int) -> Place:
    return lambda start, end: place(offset + start, offset + end)
