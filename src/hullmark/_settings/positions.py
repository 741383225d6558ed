"""Where in a TOML text each key stands."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter

Path = tuple[str | int, ...]
"""Keys and array indexes from the document to a value."""


def positions(text: str) -> dict[Path, tuple[int, int]]:
    """Line and column, from 1, of every key of `text`, which must be valid TOML; the document itself is `()`."""
    import tree_sitter  # noqa: PLC0415  # loaded only where a configuration is read
    import tree_sitter_toml  # noqa: PLC0415

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    found: dict[Path, tuple[int, int]] = {(): (1, 1)}
    arrays: dict[Path, int] = {}
    root = parser.parse(text.encode("utf-8", "surrogatepass")).root_node
    for node in root.named_children:
        if node.type == "pair":
            _pair(node, (), found)
        elif node.type in {"table", "table_array_element"}:
            _table(node, found, arrays)
    lines = text.split("\n")
    return {path: (line, _characters(lines[line - 1], column)) for path, (line, column) in found.items()}


def _characters(line: str, column: int) -> int:
    """The column in characters of what stands at `column`, which the parser counts in bytes."""
    if line.isascii():
        return column
    return len(line.encode("utf-8", "surrogatepass")[: column - 1].decode("utf-8", "surrogatepass")) + 1


def _table(node: tree_sitter.Node, found: dict[Path, tuple[int, int]], arrays: dict[Path, int]) -> None:
    path: Path = ()
    names = _names(node.named_children[0])
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if node.type == "table_array_element" and depth == len(names):
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            found.setdefault(path, _position(node))
            path = (*path, arrays[path])
        found.setdefault(path, _position(node))
    for child in node.named_children[1:]:
        if child.type == "pair":
            _pair(child, path, found)


def _pair(node: tree_sitter.Node, prefix: Path, found: dict[Path, tuple[int, int]]) -> None:
    key, value = (child for child in node.named_children if child.type != "comment")
    path = prefix
    for name in _names(key):
        path = (*path, name)
        found.setdefault(path, _position(node))
    _value(value, path, found)


def _value(node: tree_sitter.Node, path: Path, found: dict[Path, tuple[int, int]]) -> None:
    children = [child for child in node.named_children if child.type != "comment"]
    if node.type == "inline_table":
        for child in children:
            _pair(child, path, found)
    elif node.type == "array":
        for index, child in enumerate(children):
            found[*path, index] = _position(child)
            _value(child, (*path, index), found)


def _names(key: tree_sitter.Node) -> list[str]:
    if key.type == "dotted_key":
        return [name for child in key.named_children for name in _names(child)]
    text = (key.text or b"").decode()
    if key.type == "quoted_key":
        # tomllib knows TOML's escapes.
        return list(tomllib.loads(f"{text} = 0"))
    return [text]


def _position(node: tree_sitter.Node) -> tuple[int, int]:
    return node.start_point.row + 1, node.start_point.column + 1
