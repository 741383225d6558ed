"""Tables between markers: what is written there, and everything else left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._documents import BEGIN, END, Measured, has_markers, size_table, synced, tables_in
from hullmark.errors import ConfigurationError

TABLE = ("| service | size |", "| --- | ---: |", "| web | 1.0 MB |")


def test_a_table_has_budgets_where_there_are_some() -> None:
    web = Measured(service="web", size=401_900_000, budget=1_200_000_000)
    other = Measured(service="a_b|c", size=5, budget=None)
    assert size_table([web, other]) == (
        "| service | size | budget | used |",
        "| --- | ---: | ---: | ---: |",
        "| web | 401.9 MB | 1,200.0 MB | 34% |",
        "| a\\_b\\|c | 5 B |  |  |",
    )
    assert size_table([other]) == ("| service | size |", "| --- | ---: |", "| a\\_b\\|c | 5 B |")


def test_every_table_of_a_document_is_written_and_the_rest_stays() -> None:
    text = f"# A\n{BEGIN}\nold\n{END}\ntext\n\n{BEGIN}\n{END}\nend"
    table = "\n| service | size |\n| --- | ---: |\n| web | 1.0 MB |\n\n"
    assert synced(text, "A.md", TABLE) == f"# A\n{BEGIN}\n{table}{END}\ntext\n\n{BEGIN}\n{table}{END}\nend"
    assert tables_in(text, "A.md") == 2


def test_lines_end_as_those_of_the_document() -> None:
    found = synced(f"# A\r\n\r\n{BEGIN}\r\n{END}\r\n", "A.md", TABLE)
    assert found.count("\r\n") == found.count("\n") == 9


def test_what_stands_in_code_is_an_example() -> None:
    text = f"```\n{BEGIN}\n{END}\n```\n\n    {BEGIN}\n\n`{BEGIN}`\n"
    assert not has_markers(text)
    assert synced(text, "A.md", TABLE) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a\n\n{BEGIN}\n", "A.md:3: the table does not end"),
        (f"{END}\n", "A.md:1: a table ends that has not begun"),
        (f"{BEGIN}\n{BEGIN}\n{END}\n", "A.md:2: a table begins before that of line 1 ends"),
        ("<!-- hullmark:size -->\n", "A.md:1: `<!-- hullmark:size -->` begins and ends no table"),
        (f"- one\n\n  {BEGIN}\n  {END}\n", "A.md:3: "),
        (f"{BEGIN} and more\n{END}\n", "A.md:1: "),
    ],
)
def test_markers_that_make_no_pairs_are_refused_with_their_line(text: str, said: str) -> None:
    assert has_markers(text)
    with pytest.raises(ConfigurationError) as caught:
        synced(text, "A.md", TABLE)
    assert caught.value.problems[0].startswith(said)


PARTS = st.sampled_from(
    [
        f"{BEGIN}\n",
        f"{END}\n",
        "```\n",
        "text\n",
        "\n",
        "| a |\n",
        "- item\n",
        "    code\n",
        "\r\n",
        "<div>\n",
        "last",
    ]
)


@given(parts=st.lists(PARTS, max_size=14))
def test_writing_twice_changes_nothing_more_and_outside_of_tables_nothing_ever(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        once = synced(text, "A.md", TABLE)
    except ConfigurationError:
        return
    assert synced(once, "A.md", TABLE) == once
    assert tables_in(once, "A.md") == tables_in(text, "A.md")
    if not tables_in(text, "A.md"):
        assert once == text
    assert once.startswith(text[: text.find(BEGIN)] if BEGIN in text else text)
