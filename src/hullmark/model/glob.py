"""Patterns of paths."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """As Trivy reads it: `**` goes through directories, `*` and `?` do not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.lstrip("/"))
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts), re.DOTALL)


def fits(pattern: str, path: str) -> bool:
    """Whether `path` is one that `pattern` means; a leading slash counts on neither side."""
    return _pattern(pattern).fullmatch(path.lstrip("/")) is not None
