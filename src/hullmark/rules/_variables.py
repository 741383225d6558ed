"""Variables in what a Dockerfile says: which there are, and what becomes of the text where they are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = re.compile(r"(?<!\\)\$(?:\{(\w+)\}|(\w+)|\{(\w+)[^}]*\})")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `$NAME` and `${NAME}` replaced where the value is known."""

    def known(match: re.Match[str]) -> str:
        return variables.get(match[1] or match[2] or "", match[0])

    return VARIABLE.sub(known, text)


def variables_of(text: str) -> list[str]:
    """The names of the variables in `text`."""
    return [match[1] or match[2] or match[3] for match in VARIABLE.finditer(text)]
