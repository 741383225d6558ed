"""Sizes are read as people write them, and written so that they can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.size import LARGEST, UNITS, format_share, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1 B", 1),
        ("600 MB", 600_000_000),
        ("600MB", 600_000_000),
        (" 600 mb ", 600_000_000),
        ("2,100 MB", 2_100_000_000),
        ("1,234,567 kB", 1_234_567_000),
        ("1.5 GiB", 1_610_612_736),
        ("1 KiB", 1024),
        ("0.1 GB", 100_000_000),
        ("1 TB", 10**12),
        ("1 TiB", 2**40),
        ("1.5 B", 2),
        ("9007199254740993 B", 9_007_199_254_740_993),
        (f"{LARGEST} B", LARGEST),
    ],
)
def test_a_size_stands_for_its_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "600",
        "MB",
        "600 M",
        "600 Mb/s",
        "600 MB MB",
        "-1 MB",
        "+1 MB",
        "1e3 MB",
        "1,50 MB",
        "1,2345 MB",
        ",100 MB",
        "1. MB",
        ".5 MB",
        "0x10 MB",
        "inf MB",
        "nan MB",
        "\u0663 MB",
        "1_000 MB",
        "600\u00a0\u2009MBX",
    ],
)
def test_what_is_no_size_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size; expected a number and a unit"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0 MB", "0.0 GB", "0.4 B", "0.0001 kB"])
def test_less_than_a_byte_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is less than one byte"):
        parse_size(text)


@pytest.mark.parametrize("text", [f"{LARGEST + 1} B", "8388608 TiB", "9" * 5000 + " MB"])
def test_more_than_any_disk_holds_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(ValueError, match="is more than any disk holds") as caught:
        parse_size(text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (515_312_345, "515.3 MB"),
        (2_100_000_000, "2,100.0 MB"),
        (9_999_900_000, "9,999.9 MB"),
        (9_999_960_000, "10.0 GB"),
        (10_000_000_000, "10.0 GB"),
        (12_345_678_901_234, "12,345.7 GB"),
        (-1_500_000, "-1.5 MB"),
        (-1, "-1 B"),
    ],
)
def test_a_size_is_written_with_at_most_one_digit_after_the_point(size: int, text: str) -> None:
    assert format_size(size) == text


@given(size=st.integers(1, 10**15))
def test_a_written_size_is_read_as_nearly_the_same(size: int) -> None:
    assert parse_size(format_size(size)) == pytest.approx(size, rel=0.05)


@given(size=st.integers(1, LARGEST))
def test_a_size_in_bytes_is_read_exactly(size: int) -> None:
    assert parse_size(f"{size} B") == parse_size(f"{size:,} B") == size


@given(size=st.integers(1, 10**15))
def test_what_was_written_once_is_written_the_same_again(size: int) -> None:
    text = format_size(size)
    assert format_size(parse_size(text)) == text


@given(number=st.integers(1, 999), unit=st.sampled_from(sorted(UNITS)))
def test_units_are_read_in_any_case(number: int, unit: str) -> None:
    assert (
        parse_size(f"{number} {unit.lower()}")
        == parse_size(f"{number}{unit.upper()}")
        == number * UNITS[unit]
    )


@given(text=st.text(max_size=12))
def test_any_text_is_a_size_or_is_refused_with_a_reason(text: str) -> None:
    try:
        size = parse_size(text)
    except ValueError as error:
        assert "`" in str(error)  # noqa: PT017  # either is right, and each has its condition
    else:
        assert 1 <= size <= LARGEST


@given(size=st.integers(0, 10**13), budget=st.integers(1, 10**13))
def test_only_what_is_over_its_budget_shows_more_than_all_of_it(size: int, budget: int) -> None:
    assert (int(format_share(size, budget).removesuffix("%")) > 100) is (size > budget)
