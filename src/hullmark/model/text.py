"""Text that others wrote, made fit for a terminal and for formats that have to be UTF-8."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, and all that moves the cursor
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # what has an end: titles, links
    r"|\x1b[ -/]*[0-~]"
    # What begins one and is alone, so that nothing that stood around a sequence makes up another.
    r"|[\x1b\x90\x98\x9b\x9d-\x9f]"
)


def printable(text: str) -> str:
    """`text` on one line, without what would move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def unescaped(text: str) -> str:
    """`text` without the sequences that terminals obey: colours, movements, titles; lines stay as they are."""
    return _ESCAPE.sub("", text)


def plain(text: str, *, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """A line that a program wrote to be shown, without the sequences that terminals obey, on one line; tabs stay.

    What else is not printable becomes `instead`.
    """
    return "".join(c if c.isprintable() or c == "\t" else instead for c in unescaped(text))


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
