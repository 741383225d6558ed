"""Durations are read as people write them, and written so that they can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("90s", 90),
        (" 90 s ", 90),
        ("500 ms", 0.5),
        ("0.5 s", 0.5),
        ("2 min", 120),
        ("2m", 120),
        ("1.5 h", 5400),
        ("2 min 05 s", 125),
        ("1h30m", 5400),
        ("1 h 1 min 1 s 1 ms", 3661.001),
        ("0 h 1 s", 1),
        ("1000 h", LONGEST),
    ],
)
def test_a_duration_stands_for_its_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "90",
        "s",
        "-1 s",
        "1e3 s",
        "90 S",
        "90 sec",
        "1 d",
        "5 s 1 min",
        "1 s 1 s",
        "1 m 1 min",
        "1, 5 s",
        ".5 s",
        "5. s",
        "inf s",
        "nan s",
        "\u0663 s",
        "1 s foo",
    ],
)
def test_what_is_no_duration_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; expected a number and a unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0 s", "0.0 h", "0 min 0 s"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time at all"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1000.1 h", "1000 h 1 s", "9" * 400 + " h"])
def test_longer_than_anyone_waits_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(ValueError, match="is too long; expected at most 1000 h") as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.0001, "1 ms"),
        (0.001, "1 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (0.44, "0.4 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (60, "1 min 00 s"),
        (125.4, "2 min 05 s"),
        (3600, "60 min 00 s"),
    ],
)
def test_a_duration_is_written_for_a_person(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(seconds=st.floats(0.001, LONGEST))
def test_a_written_duration_is_read_as_nearly_the_same(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(
        seconds, abs=0.51 if seconds > 59 else 0.051
    )


@given(seconds=st.floats(0.001, LONGEST))
def test_what_was_written_once_is_written_the_same_again(seconds: float) -> None:
    text = format_duration(seconds)
    assert format_duration(parse_duration(text)) == text


@given(text=st.text(max_size=12))
def test_any_text_is_a_duration_or_is_refused_with_a_reason(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        assert "`" in str(error)  # noqa: PT017  # either is right, and each has its condition
    else:
        assert 0 < seconds <= LONGEST
