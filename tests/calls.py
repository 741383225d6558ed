"""How much work something is, in calls: a number that is the same on every machine, however busy that is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_CALLS = frozenset({"call", "c_call"})


def calls(work: Callable[[], object], *, most: int) -> int:
    """How many functions `work` calls in this thread; fails as soon as there are more than `most`."""
    made = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal made
        if event in _CALLS:
            made += 1
            if made > most:
                # Before it is raised, so that whatever is done on the way out is not counted.
                sys.setprofile(None)
                raise AssertionError(f"more than {most} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made
