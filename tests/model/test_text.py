"""Text that programs wrote, without what a terminal would obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.text import plain, printable, unescaped

SEQUENCES = st.sampled_from(
    [
        "\x1b[0m",
        "\x1b[1;31m",
        "\x1b[38:2::10:20:30m",
        "\x1b[?25l",
        "\x1b[2 q",
        "\x1b[2J",
        "\x9b31m",
        "\x1b]0;title\x07",
        "\x1b]8;;https://example.com\x1b\\",
        "\x1bPq#0\x1b\\",
        "\x1b(B",
        "\x1bM",
        "\x1b7",
        "\x1bc",
    ]
)
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \t"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hhome", "home"),
        ("tab\tbed", "tab\tbed"),
        ("bell\a\r", "bell\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        ("\x1b\x1b[0m[31mred", "[31mred"),
        ("title \x1b]0;without an end", "title 0;without an end"),
    ],
)
def test_a_line_of_a_log_cannot_move_the_cursor(written: str, shown: str) -> None:
    assert plain(written) == shown


@given(st.lists(st.tuples(PRINTABLE, SEQUENCES)))
def test_sequences_are_taken_out_and_what_stands_around_them_stays(parts: list[tuple[str, str]]) -> None:
    written = "".join(text + sequence for text, sequence in parts)
    assert unescaped(written) == plain(written) == "".join(text for text, _ in parts)


@given(st.text(st.characters() | st.sampled_from("\x1b\x1b\x9b\x90\x9c[]m\\0;\n\t")))
def test_nothing_that_a_terminal_obeys_is_left_of_any_text_and_its_lines_stay(text: str) -> None:
    clean = unescaped(text)
    assert not {*clean} & {*"\x1b\x90\x98\x9b\x9d\x9e\x9f"}
    assert unescaped(clean) == clean
    assert clean.count("\n") == text.count("\n")
    assert printable(plain(text).replace("\t", "")) == plain(text).replace("\t", "")
    assert plain(text, instead="").replace("\t", "").isprintable()
