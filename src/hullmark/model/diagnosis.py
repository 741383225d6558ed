"""What the doctor says: of a log, which situations it tells of; of a machine, what its examinations saw.

```
symptom (a place in a log) ── situation ── Advice ── Diagnosis
examination (engine, disk, ...) ── Looked | Skipped | Broken ── Examined
```
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hullmark.model.finding import Severity
from hullmark.model.outcome import Broken, Skipped
from hullmark.model.text import printable
from hullmark.model.verdict import settle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullmark.model.verdict import Status

HEADINGS = ("What it looks like", "Why it happens", "What to do")
"""The sections every situation's page has, in this order."""


class Shell(StrEnum):
    """What means something to the shell in a command; everything else in one is quoted."""

    AND = "&&"
    APPEND = ">>"
    ERRORS_TOO = "2>&1"
    PIPE = "|"
    USER = '"$USER"'


def operand(name: str) -> tuple[str, ...]:
    """`name` as an argument that no program takes for an option, whatever a log calls things."""
    return ("--", name) if name.startswith("-") else (name,)


def typed(command: Iterable[str]) -> str:
    """`command` as a person would type it: each of its words comes out of the shell as one argument.

    A word that has more than one line, or what steers a terminal, would do so where it is pasted, quoted or not: what
    is not printable is replaced.
    """
    return " ".join(
        str(word) if isinstance(word, Shell) else shlex.quote(printable(word)) for word in command
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Something that a person can do about it."""

    text: str
    """Why or when, in a sentence without an end."""
    command: tuple[str, ...] = ()
    """What to type, word by word; empty where there is nothing to type."""
    line: str = ""
    """What to write into a file instead; empty where that is not one line."""

    @property
    def shown(self) -> str:
        """The command as it is typed, or the line as it is written; empty where there is neither."""
        return typed(self.command) if self.command else printable(self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A remedy that is safe for a machine to apply: what it takes away comes back by itself, and nothing else does."""

    argv: tuple[str, ...]
    effect: str
    """What it does, for whoever is asked: `removes build cache that no build uses`."""
    directory: Path | None = None
    """Where it is run."""

    @property
    def shown(self) -> str:
        """The command as a person would type it."""
        return typed(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a situation says of one symptom."""

    cause: str
    remedies: tuple[Remedy, ...]
    found: tuple[str, ...] = ()
    """What was seen in the project and on this machine: who holds the port, which COPY leaves it out."""
    repair: Repair | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One situation that a log tells of."""

    situation: str
    summary: str
    line: int
    """Where the log first says so, counted from 1."""
    excerpt: str
    """What it says there."""
    service: str | None
    """The service whose output it is, where the log says that."""
    step: str | None
    """The step of a build whose output it is, as BuildKit names it."""
    values: tuple[tuple[str, str], ...]
    """What was captured, by name."""
    advice: Advice
    times: int = 1
    """How often the log says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the doctor made of a log."""

    log: str
    """The name of the file; `-` for standard input."""
    lines: int
    diagnoses: tuple[Diagnosis, ...] = ()
    """In the order in which the log tells of them."""
    unexplained: tuple[tuple[int, str], ...] = ()
    """Lines that say that something failed, where nothing is recognised."""

    @property
    def status(self) -> Status:
        """What is recognised fails; an empty log is nothing to check; a failure that is not known was not checked."""
        return settle(
            failing=bool(self.diagnoses),
            unchecked=bool(self.unexplained),
            ran=self.lines > 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something about this machine that will get in the way."""

    severity: Severity
    seen: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The examination ran, and saw all that it wanted to see."""

    facts: tuple[tuple[str, str], ...] = ()
    """What there is, by name."""
    troubles: tuple[Trouble, ...] = ()


Sight = Looked | Skipped | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One examination, and what came of it."""

    examination: str
    about: str
    """What it looks at, in a few words."""
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Examinations:
    """What the doctor saw of a machine."""

    examined: tuple[Examined, ...]

    @property
    def status(self) -> Status:
        """Errors fail; warnings and notes do not; what could not be looked at was not checked."""
        sights = [each.sight for each in self.examined]
        return settle(
            failing=_worst(sights) >= Severity.ERROR,
            unchecked=any(_unseen(each) for each in sights),
            ran=any(isinstance(each, Looked) for each in sights),
        )


def _worst(sights: Iterable[Sight]) -> int:
    return max(
        (trouble.severity.value for each in sights if isinstance(each, Looked) for trouble in each.troubles),
        default=0,
    )


def _unseen(sight: Sight) -> bool:
    match sight:
        case Broken():
            return True
        case Skipped(moot=moot):
            return not moot
        case Looked():
            return False
