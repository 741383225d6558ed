"""JSON is UTF-8 and valid by its schema, whatever the names in an image are."""

from __future__ import annotations

import json

import msgspec
import pytest

from hullmark._reporters.document import schema_of, written
from hullmark.model.text import printable, readable


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Something with texts wherever a report may have them."""

    name: str
    entries: dict[str, str]
    paths: list[str | None]


def test_bytes_that_are_no_utf8_are_replaced_wherever_they_stand() -> None:
    odd = b"caf\xe9/\xc3\xa9".decode("utf-8", "surrogateescape")
    text = written(Named(name=odd, entries={odd: odd}, paths=[odd, None]))
    assert text.encode("utf-8").endswith(b"\n")
    replaced = "caf\N{REPLACEMENT CHARACTER}/é"
    assert json.loads(text) == {"name": replaced, "entries": {replaced: replaced}, "paths": [replaced, None]}


def test_text_that_is_utf8_stays_as_it_is() -> None:
    assert json.loads(written(Named(name="é\N{SNOWMAN}\0", entries={}, paths=[])))["name"] == "é\N{SNOWMAN}\0"


def test_a_schema_says_what_it_is_the_schema_of() -> None:
    schema = schema_of(Named, "hullmark/named/1")
    assert (schema["title"], schema["$ref"]) == ("hullmark/named/1", "#/$defs/Named")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é", "plain é"),
        ("\x1b[31mred\r\n", "?[31mred??"),
        ("left\N{RIGHT-TO-LEFT OVERRIDE}right", "left?right"),
        ("\udce9", "?"),
    ],
)
def test_what_would_move_the_cursor_is_replaced(text: str, expected: str) -> None:
    assert printable(text) == expected.replace("?", "\N{REPLACEMENT CHARACTER}")


def test_readable_text_keeps_its_lines() -> None:
    assert readable("a\nb\udcff") == "a\nb\N{REPLACEMENT CHARACTER}"
