"""Sizes in bytes, as people write and read them: MB is 10^6 bytes, MiB is 2^20."""

from __future__ import annotations

import re

UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
_WRITTEN = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s*([A-Za-z]+)")


def parse_size(text: str) -> int:
    """The number of bytes that `text` stands for, such as `600 MB`, `2,100 MB` or `1.5 GiB`.

    Raises `ValueError` saying what was expected when `text` is no size or stands for less than one byte.
    """
    match = _WRITTEN.fullmatch(text.strip())
    unit = UNITS.get(match[3].upper()) if match else None
    if match is None or unit is None:
        raise ValueError(
            f"`{text}` is not a size; expected a number and a unit, such as `600 MB` or `1.5 GiB`"
        )
    size = round(float(match[1].replace(",", "") + (match[2] or "")) * unit)
    if size < 1:
        raise ValueError(f"`{text}` is less than one byte")
    return size


def format_size(size: int) -> str:
    """`size` bytes in decimal units with at most one digit after the point, as budgets are written: `515.3 MB`."""
    magnitude = abs(size)
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        # Megabytes are kept up to 10 GB because budgets are compared in them.
        if magnitude >= factor * (10 if unit == "GB" else 1):
            return f"{size / factor:,.1f} {unit}"
    return f"{size} B"
