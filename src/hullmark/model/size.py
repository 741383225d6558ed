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
LARGEST = 2**63 - 1
_UNIT = "|".join("".join(f"[{letter}{letter.lower()}]" for letter in unit) for unit in UNITS)
WRITTEN = rf"((?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?)\s*({_UNIT})"
"""A size as a regular expression that JSON Schema understands as well."""


def parse_size(text: str) -> int:
    """The number of bytes that `text` stands for, such as `600 MB`, `2,100 MB` or `1.5 GiB`.

    Raises `ValueError` saying what was expected when `text` is no size, stands for less than one byte, or for more
    than any disk holds.
    """
    match = re.fullmatch(WRITTEN, text.strip())
    if match is None:
        raise ValueError(
            f"`{text}` is not a size; expected a number and a unit, such as `600 MB` or `1.5 GiB`"
        )
    from decimal import Decimal  # noqa: PLC0415  # mostly, no size has to be read

    # Decimal, because a float loses the last bytes of a large number.
    size = Decimal(match[1].replace(",", "")) * UNITS[match[2].upper()]
    if size > LARGEST:
        raise ValueError(f"`{text[:40]}` is more than any disk holds")
    if size < 1:
        raise ValueError(f"`{text}` is less than one byte")
    return round(size)


def format_size(size: int) -> str:
    """`size` bytes in decimal units with at most one digit after the point, as budgets are written: `515.3 MB`."""
    if abs(size) < UNITS["KB"]:
        return f"{size} B"
    # Megabytes are kept up to 10 GB because budgets are compared in them.
    for unit, limit in (("kB", 1_000), ("MB", 10_000)):
        shown = round(size / UNITS[unit.upper()], 1)
        if abs(shown) < limit:
            return f"{shown:,.1f} {unit}"
    return f"{size / UNITS['GB']:,.1f} GB"


def format_change(size: int) -> str:
    """By how many bytes something grew or shrank, with its sign: `+1.5 MB`."""
    return f"{'-' if size < 0 else '+'}{format_size(abs(size))}"


def format_share(size: int, whole: int) -> str:
    """How much of `whole` `size` takes, in whole per cent and rounded up: more than `100%` is more than all of it."""
    return f"{-(-size * 100 // whole)}%"
