"""How tags move when a release is published: in an order that is written down before, so that it can be taken up.

What has been done is never noted, because a note can be lost: it is read off the tags themselves. Every function here
is pure; `hullmark._release.publish` asks the registry and carries out what comes back.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Place = tuple[str, str]
"""A repository, with its registry, and a tag in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One tag that goes from one image to another."""

    repository: str
    tag: str
    before: str | None
    """The digest that it leads to before; `None` where there is no such tag."""
    after: str | None
    """The digest that it is to lead to; `None` where it is to be taken away."""

    @property
    def place(self) -> Place:
        """Which tag that is."""
        return self.repository, self.tag

    @property
    def reference(self) -> str:
        """The tag as images are named."""
        return f"{self.repository}:{self.tag}"

    @property
    def back(self) -> Move:
        """What undoes it."""
        return Move(repository=self.repository, tag=self.tag, before=self.after, after=self.before)


class Standing(enum.Enum):
    """How far one move is, as its tag tells."""

    TO_DO = "to do"
    DONE = "done"
    STRANGE = "moved by somebody else"


def standing(move: Move, seen: str | None) -> Standing:
    """How far `move` is, when its tag leads to `seen`."""
    if seen == move.after:
        return Standing.DONE
    return Standing.TO_DO if seen == move.before else Standing.STRANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is left to do, in this order, and which tags stand in the way."""

    moves: tuple[Move, ...]
    strange: tuple[tuple[Move, str | None], ...] = ()
    """Moves whose tags lead to what neither this release nor the time before it knows, and to what."""


def journal(wanted: Iterable[Move]) -> tuple[Move, ...]:
    """The moves that are needed: tags that lead to the right image already are left out."""
    return tuple(move for move in wanted if move.before != move.after)


def onwards(moves: Iterable[Move], seen: Mapping[Place, str | None]) -> Course:
    """What is left until every tag is where it belongs, when the tags lead to `seen`."""
    return _course(moves, seen)


def backwards(moves: Iterable[Move], seen: Mapping[Place, str | None]) -> Course:
    """What is left until every tag is where it was, when the tags lead to `seen`: the last one first."""
    return _course([move.back for move in reversed(tuple(moves))], seen)


def _course(moves: Iterable[Move], seen: Mapping[Place, str | None]) -> Course:
    todo, strange = [], []
    for move in moves:
        match standing(move, seen[move.place]):
            case Standing.TO_DO:
                todo.append(move)
            case Standing.STRANGE:
                strange.append((move, seen[move.place]))
            case Standing.DONE:
                pass
    return Course(moves=tuple(todo), strange=tuple(strange))
