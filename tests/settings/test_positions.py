"""Every key of a TOML document is found where it stands."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hullmark._settings.positions import positions

if TYPE_CHECKING:
    from collections.abc import Iterator


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and index of what tomllib reads."""
    yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, (*path, index))


DOCUMENT = """\
top = 1
a.b = 1
3.14 = 5
-1- = 4
1979-05-27 = 3
true = 1
"x é" = {q = 1, 'r s' = [ {a=1}, # a comment
 {b=2} ], "é" = {"ü" = 1}}
[ t . "u.v" ] # a comment
k = \"\"\"
not = a key
\"\"\"
[[z]]
c = 1
[z.y]
d = 2
[[z.w]]
[[z]]
[[z.w]]
f.g.h = 1
[z.w.f.q]
"""
PLACES = {
    (): (1, 1),
    ("top",): (1, 1),
    ("a",): (2, 1),
    ("a", "b"): (2, 1),
    ("3", "14"): (3, 1),
    ("-1-",): (4, 1),
    ("1979-05-27",): (5, 1),
    ("true",): (6, 1),
    ("x é",): (7, 1),
    ("x é", "q"): (7, 10),
    ("x é", "r s"): (7, 17),
    ("x é", "r s", 0): (7, 27),
    ("x é", "r s", 0, "a"): (7, 28),
    ("x é", "r s", 1, "b"): (8, 3),
    ("x é", "é"): (8, 11),
    ("x é", "é", "ü"): (8, 18),
    ("t",): (9, 1),
    ("t", "u.v"): (9, 1),
    ("t", "u.v", "k"): (10, 1),
    ("z",): (13, 1),
    ("z", 0): (13, 1),
    ("z", 0, "c"): (14, 1),
    ("z", 0, "y"): (15, 1),
    ("z", 0, "y", "d"): (16, 1),
    ("z", 0, "w", 0): (17, 1),
    ("z", 1): (18, 1),
    ("z", 1, "w", 0): (19, 1),
    ("z", 1, "w", 0, "f"): (20, 1),
    ("z", 1, "w", 0, "f", "g", "h"): (20, 1),
    ("z", 1, "w", 0, "f", "q"): (21, 1),
}


@pytest.mark.parametrize(("path", "place"), PLACES.items(), ids=[str(path) for path in PLACES])
def test_a_key_is_found_at_its_line_and_column(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert positions(DOCUMENT)[path] == place


def test_the_document_of_these_places_is_valid_and_complete() -> None:
    assert set(_paths(tomllib.loads(DOCUMENT))) == set(positions(DOCUMENT))


def test_an_empty_document_has_a_place_for_itself() -> None:
    assert positions("") == {(): (1, 1)}


def _quoted(text: str) -> str:
    escaped = "".join(
        c
        if c.isprintable() and c not in '"\\'
        else f"\\u{ord(c):04x}"
        if ord(c) < 0x10000
        else f"\\U{ord(c):08x}"
        for c in text
    )
    return f'"{escaped}"'


_TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
_BARE = st.text("abcABC019_-", min_size=1, max_size=4)
_NAME = st.one_of(_BARE, _TEXT)


@st.composite
def _written_key(draw: st.DrawFn, name: str) -> str:
    """`name` in one of the ways in which TOML can spell it."""
    ways = [_quoted(name)]
    if name and all(c in "abcABC019_-" for c in name):
        ways.append(name)
    if "'" not in name and name.isprintable():
        ways.append(f"'{name}'")
    return draw(st.sampled_from(ways))


_SCALARS = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.sampled_from(
        ["true", "1.5", "inf", "2027-06-30", "07:32:00", "0xff", "1979-05-27T07:32:00Z", '"""a\n"b" = 1\n"""']
    ),
    st.sampled_from(["'''\n[no]\n'''", "'# no'", '"[[no]]"']),
    _TEXT.map(_quoted),
)


@st.composite
def _value(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["scalar", "array", "table"])) if depth else "scalar"
    if kind == "array":
        items = draw(st.lists(_value(depth - 1), max_size=3))
        gap = draw(st.sampled_from(["", " ", "\n", " # é ]\n "]))
        return f"[{gap}" + f",{gap}".join(items) + f"{gap}]"
    if kind == "table":
        names = draw(st.lists(_NAME, unique=True, max_size=3))
        pairs = [f"{draw(_written_key(name))} = {draw(_value(depth - 1))}" for name in names]
        return "{" + ", ".join(pairs) + "}"
    return draw(_SCALARS)


@st.composite
def _body(draw: st.DrawFn) -> str:
    names = draw(st.lists(_NAME, unique=True, max_size=3))
    lines = []
    for name in names:
        key = draw(_written_key(name))
        for more in draw(st.lists(_NAME, max_size=2)):
            key += draw(st.sampled_from([".", " . "])) + draw(_written_key(more))
        indent = draw(st.sampled_from(["", "  ", "\t"]))
        comment = draw(st.sampled_from(["", " # é = 1"]))
        lines.append(f"{indent}{key} = {draw(_value())}{comment}\n")
    return "".join(lines)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Text that looks like TOML and mostly is; headers may contradict each other."""
    text = draw(_body())
    for _ in range(draw(st.integers(0, 4))):
        names = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
        header = ".".join([draw(_written_key(name)) for name in names])
        text += draw(st.sampled_from([f"[{header}]\n", f"[[{header}]]\n", f"[ {header} ] # c\n"])) + draw(
            _body()
        )
    return text


@given(text=_documents())
def test_every_key_that_tomllib_reads_has_a_place_where_it_is_written(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)  # noqa: FBT003  # hypothesis has it so
    found = positions(text)
    lines = text.split("\n")
    expected = set(_paths(document))
    assert set(found) == expected
    for path, (line, column) in found.items():
        assert column <= len(lines[line - 1]) + 1, path
        if path:
            assert not lines[line - 1][column - 1 : column].isspace(), path
