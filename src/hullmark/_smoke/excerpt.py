"""The lines of a log that say why something failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = 15
"""How many lines are kept of a log."""
LAST = 4
"""How many of the last lines are kept whatever they say: what happened last is part of every story."""
_TELLING = re.compile(
    r"""
      \b(?:fatal|panic|emerg(?:ency)?|alert|crit(?:ical)?|err(?:or)?s?|exceptions?|unhandled|uncaught)\b
    | \w(?:Error|Exception|Warning)\b(?::|$)             # a Python, Java or Node.js exception that is named
    | \b(?:failed|failure|cannot|can't|could\snot|unable\sto|refused|denied|forbidden|timed\sout|abort(?:ed|ing)?)\b
    | \b(?:no\ssuch|not\sfound|missing|does\snot\sexist|undefined|unknown|invalid|out\sof\smemory|killed)\b
    | \b(?:segmentation\sfault|core\sdumped|address\salready\sin\suse|no\sspace\sleft)\b
    | ^(?:E|F)\d{4}\s                                    # how Kubernetes' programs mark errors
    """,
    re.IGNORECASE | re.VERBOSE,
)
_HARMLESS = re.compile(r"\b(?:0|no|without) (?:errors?|failures?|warnings?)\b", re.IGNORECASE)
_TRACEBACK = re.compile(r"^(?P<indent>.*?)Traceback \(most recent call last\)")
_FRAME = re.compile(r"^\s+(?:File \".*\", line \d+|at \S+)")


def excerpt(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines of a log that matter most, in their order: all of it, where that is little.

    The last traceback is kept as its last frame and what was raised; then come lines that sound like an error, later
    ones first, and the last lines, whatever they say.
    """
    lines = [line for line in lines if line.strip()]
    if len(lines) <= LINES:
        return tuple(lines)
    chosen = [*range(len(lines) - LAST, len(lines)), *_last_traceback(lines)]
    chosen += [at for at in reversed(range(len(lines))) if _is_telling(lines[at])]
    chosen += reversed(range(len(lines)))
    return tuple(lines[at] for at in sorted([*dict.fromkeys(chosen)][:LINES]))


def _is_telling(line: str) -> bool:
    return _TELLING.search(_HARMLESS.sub("", line)) is not None


def _last_traceback(lines: Sequence[str]) -> list[int]:
    """The last frame of the last traceback, the line of source below it, and what was raised."""
    begins = [at for at, line in enumerate(lines) if _TRACEBACK.match(line)]
    if not begins:
        return _last_stack(lines)
    found = _TRACEBACK.match(lines[begins[-1]])
    assert found is not None
    prefix = len(found["indent"])
    frames: list[int] = []
    for at in range(begins[-1] + 1, len(lines)):
        line = lines[at][prefix:]
        if not line.startswith((" ", "\t")):
            # What was raised stands where the traceback began.
            return [*([frames[-1], frames[-1] + 1] if frames else []), at]
        if _FRAME.match(line):
            frames.append(at)
    return frames[-1:]


def _last_stack(lines: Sequence[str]) -> list[int]:
    """What was raised and the first frame below it, as Node.js and Java write them."""
    for at in reversed(range(1, len(lines))):
        if _FRAME.match(lines[at]) and not _FRAME.match(lines[at - 1]):
            return [at - 1, at]
    return []
