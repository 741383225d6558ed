"""Tables in people's own documents that are kept equal to what was measured.

A table stands between two markers, each an HTML comment on a line of its own at the top level of a Markdown document;
what stands in code blocks is an example. Everything outside of the markers stays as it is, line ends included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.errors import ConfigurationError
from hullmark.model.size import format_share, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEGIN = "<!-- hullmark:sizes -->"
END = "<!-- /hullmark:sizes -->"
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_OURS = re.compile(r"<!--\s*/?\s*hullmark:.*?-->", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The image of one service."""

    service: str
    size: int
    """Bytes, unpacked."""
    budget: int | None
    """Bytes that it may have."""


def size_table(images: Iterable[Measured]) -> tuple[str, ...]:
    """The lines of a Markdown table of `images`, in their order; without budgets where none has one."""
    images = tuple(images)
    budgets = any(each.budget is not None for each in images)
    rows = [["service", "size", *(["budget", "used"] if budgets else [])]]
    rows.append(["---", "---:", *(["---:", "---:"] if budgets else [])])
    rows += [
        [_SPECIAL.sub(r"\\\1", each.service), format_size(each.size), *_budget(each, budgets)]
        for each in images
    ]
    return tuple(f"| {' | '.join(row)} |" for row in rows)


def _budget(image: Measured, budgets: bool) -> list[str]:  # noqa: FBT001  # whether there are such columns
    if not budgets:
        return []
    if image.budget is None:
        return ["", ""]
    return [format_size(image.budget), format_share(image.size, image.budget)]


def has_markers(text: str) -> bool:
    """Whether a table is kept in the document `text`, or was meant to be."""
    return any(True for _ in _markers(text))


def tables_in(text: str, name: str) -> int:
    """How many tables are kept in the document `text`; raises as `synced`."""
    return len(_pairs(text, name))


def synced(text: str, name: str, table: Iterable[str]) -> str:
    """`text` with the lines of `table` between each pair of markers.

    Raises `ConfigurationError` for markers that make no pairs; `name` is what it calls the document.
    """
    lines = _LINE.findall(text)
    ends = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    body = [ends, *(f"{line}{ends}" for line in table), ends]
    for first, last in reversed(_pairs(text, name)):
        # What ends a file may be without a line end; what opens a table is not.
        lines[first + 1 : last] = body
    return "".join(lines)


def _pairs(text: str, name: str) -> list[tuple[int, int]]:
    """The lines, counted from zero, of each marker that begins a table and of the one that ends it."""
    pairs: list[tuple[int, int]] = []
    problems: list[str] = []
    begun: int | None = None
    for line, marker in _markers(text):
        place = f"{name}:{line + 1}"
        if marker == BEGIN and begun is None:
            begun = line
        elif marker == END and begun is not None:
            pairs.append((begun, line))
            begun = None
        elif marker == BEGIN:
            problems.append(
                f"{place}: a table begins before that of line {(begun or 0) + 1} ends; expected `{END}`"
            )
        elif marker == END:
            problems.append(f"{place}: a table ends that has not begun; expected `{BEGIN}` above")
        else:
            problems.append(
                f"{place}: `{marker.strip()}` begins and ends no table; expected `{BEGIN}` or `{END}`, alone on a line that is not indented"
            )
    if begun is not None:
        problems.append(f"{name}:{begun + 1}: the table does not end; expected `{END}` below")
    if problems:
        raise ConfigurationError(problems)
    return pairs


def _markers(text: str) -> Iterator[tuple[int, str]]:
    """The line of each comment of ours, counted from zero, with the comment as it should be, or as it is."""
    if "hullmark:" not in text:
        return
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only where there may be markers

    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block" and token.map is not None:
            for found in _OURS.finditer(token.content):
                line = token.map[0] + token.content.count("\n", 0, found.start())
                alone = (
                    token.level == 0 and token.content.splitlines()[line - token.map[0]].rstrip() == found[0]
                )
                yield line, " ".join(found[0].split()) if alone else f"{found[0]} "
