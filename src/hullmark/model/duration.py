"""Durations in seconds, as people write and read them."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def parse_duration(text: str) -> float:
    """The number of seconds that `text` stands for, such as `90 s`, `500 ms` or `2 min`.

    Raises `ValueError` saying what was expected when `text` is no duration or is zero.
    """
    match = _WRITTEN.fullmatch(text.strip())
    unit = UNITS.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(
            f"`{text}` is not a duration; expected a number and a unit, such as `90 s` or `2 min`"
        )
    seconds = float(match[1]) * unit
    if seconds <= 0:
        raise ValueError(f"`{text}` is no time at all; expected more than zero")
    return seconds


def format_duration(seconds: float) -> str:
    """`seconds` for a person: `0.4 s`, `12.3 s` or `2 min 05 s`."""
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
