"""Situations: fixed text around what a log says of them, and one function from what it says to advice.

A situation is a module of its own under `hullmark._doctor.situations`; its docstring is its page in the documents.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._doctor.patient import Patient
    from hullmark.model.diagnosis import Advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One place in a log where a pattern of a situation fits."""

    values: dict[str, str]
    """What the pattern's named groups captured; those that took no part are not there."""
    service: str | None
    step: str | None
    patient: Patient
    """What can be asked about the project and the machine that the log is probably of."""

    def get(self, name: str, default: str = "") -> str:
        """The captured value called `name`."""
        return self.values.get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What can be recognised in a log: how it looks there, and what is said of it."""

    id: str
    summary: str
    """One sentence in lower case, said of what has happened."""
    since: str
    page: str
    """The module's docstring: title, and the sections in `hullmark.model.diagnosis.HEADINGS`."""
    patterns: tuple[re.Pattern[str], ...] = field(repr=False)
    gives_way_to: tuple[str, ...]
    """Situations that say the same better: where one of them is recognised in the same log, this one is not told."""
    once: bool
    """Whether all places in a log are of one thing, so that the one that says most is told."""
    function: Callable[[Symptom], Advice | None]
    """The advice; `None` where a closer look shows that it is something else."""


def situation(
    *,
    summary: str,
    patterns: tuple[str, ...],
    since: str,
    gives_way_to: tuple[str, ...] = (),
    once: bool = False,
) -> Callable[[Callable[[Symptom], Advice | None]], Situation]:
    """Makes a situation of a function; the id is the function's name with dashes, the page its module's docstring.

    Patterns are searched for in all that a log says, `^` and `$` are those of a line.
    """

    def decorate(function: Callable[[Symptom], Advice | None]) -> Situation:
        module = sys.modules[function.__module__]
        return Situation(
            id=function.__name__.replace("_", "-"),
            summary=summary,
            since=since,
            page=inspect.cleandoc(module.__doc__ or ""),
            patterns=tuple(re.compile(pattern, re.MULTILINE) for pattern in patterns),
            gives_way_to=gives_way_to,
            once=once,
            function=function,
        )

    return decorate
