"""Cuts text into overlapping chunks."""

import re

_WORD = re.compile(r"\S+")


def chunks_of(text: str, *, words: int, overlap: int) -> list[str]:
    """Cut a text into pieces of at most `words` words; each repeats the last `overlap` words of the one before it."""
    found = list(_WORD.finditer(text))
    step = words - overlap
    starts = range(0, max(len(found) - overlap, min(len(found), 1)), step)
    return [text[found[at].start() : found[min(at + words, len(found)) - 1].end()] for at in starts]
