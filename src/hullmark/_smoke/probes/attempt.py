"""One attempt after the other until one passes or the time is over, and what of an answer is quoted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.errors import Interrupted, Unavailable
from hullmark.model.duration import format_duration
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._smoke.stack import Stack

PAUSE = 0.25
"""Seconds between two attempts."""
ATTEMPT = 10.0
"""Seconds that one attempt may take at most."""
SHOWN = 200
"""Characters of an answer that are quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt."""

    passed: bool
    seen: str
    """In words, fit to be shown."""
    body: str = field(default="", repr=False)
    """All of it, as it came; it may hold secrets."""
    final: bool = False
    """Whether another attempt could bring nothing else."""


def retry(stack: Stack, timeout: float, attempt: Callable[[float], Answer | None]) -> Answer:
    """The answer that passes, or the last one when none has within `timeout` seconds.

    `attempt` is told how many seconds are left; it gives `None` when these were too few. Raises `Interrupted` when
    the user asks to stop.
    """
    deadline = time.monotonic() + timeout
    answer = Answer(passed=False, seen=f"did not end within {format_duration(timeout)}")
    while True:
        left = deadline - time.monotonic()
        # An attempt that the end of the time cut short says less than the one before it.
        answer = once(attempt, max(left, PAUSE)) or answer
        if answer.passed or answer.final or time.monotonic() + PAUSE > deadline:
            return answer
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def once(attempt: Callable[[float], Answer | None], left: float) -> Answer | None:
    """What `attempt` answers; what it cannot try is an answer too."""
    try:
        return attempt(left)
    except Unavailable as error:
        return Answer(passed=False, seen=error.message)


def shorten(text: str) -> str:
    """`text` on one line, cut where it becomes too long to quote."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
