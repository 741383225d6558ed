"""Text that others wrote, made fit for a terminal and for formats that have to be UTF-8."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` on one line, without what would move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def readable(text: str) -> str:
    """`text` with every byte that is not UTF-8 replaced by U+FFFD; names of files need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def shortened(text: str, longest: int) -> str:
    """`text`, or where it has more than `longest` characters as much of its beginning as fits, and dots."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def shortened_within(text: str, longest: int) -> str:
    """`text`, or where it has more than `longest` characters some of its beginning, dots, and more of its end."""
    if len(text) <= longest:
        return text
    kept = longest - 3
    return f"{text[: kept // 3]}...{text[len(text) - (kept - kept // 3) :]}"
