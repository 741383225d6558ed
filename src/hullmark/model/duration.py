"""Durations in seconds, as people write and read them."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST = 1000 * 3600.0
"""Seconds; nobody waits longer, and the clocks of some systems cannot."""
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)\s*"
WRITTEN = "".join(rf"(?:{_NUMBER}{unit}\s*)?" for unit in ("h", "(?:min|m)", "s", "ms"))
"""A duration as a regular expression that JSON Schema understands as well; it matches empty text too."""
_SECONDS = (UNITS["h"], UNITS["min"], UNITS["s"], UNITS["ms"])


def parse_duration(text: str) -> float:
    """The number of seconds that `text` stands for, such as `90 s`, `500 ms`, `2 min` or `1 h 30 min`.

    Raises `ValueError` saying what was expected when `text` is no duration, is zero, or is longer than `LONGEST`.
    """
    match = re.fullmatch(WRITTEN, text.strip())
    if match is None or not match[0]:
        raise ValueError(
            f"`{text}` is not a duration; expected a number and a unit, such as `90 s` or `2 min`"
        )
    parts = zip(match.groups("0"), _SECONDS, strict=True)
    seconds = sum(float(number) * unit for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"`{text}` is no time at all; expected more than zero")
    if seconds > LONGEST:
        raise ValueError(f"`{text[:40]}` is too long; expected at most {LONGEST / 3600:g} h")
    return seconds


def format_duration(seconds: float) -> str:
    """`seconds` for a person: `1 ms`, `0.4 s`, `12.3 s` or `2 min 05 s`."""
    if seconds > 0 and round(seconds * 1000) < 100:  # noqa: PLR2004  # a tenth of a second
        return f"{max(round(seconds * 1000), 1)} ms"
    if round(seconds, 1) < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
