"""All formats looked for at once: by hyperscan where it is installed, otherwise one after the other; with one result."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from hullmark._secrets.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hullmark._secrets.detector import Detector

_CONTEXT = 3

Event = tuple[int, int]
"""The position of a format in the catalogue, and where a trigger of it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One secret in some bytes."""

    detector: Detector
    begin: int
    """Of the secret."""
    end: int
    secret: bytes


class Finder(Protocol):
    """Finds the ends of triggers; made for one thread."""

    def __call__(self, data: bytes | memoryview, /) -> Sequence[Event]:
        """Every end of every trigger in `data`, in any order; some that are within others may be missing."""
        ...


def finder() -> Finder:
    """The fastest that there is here."""
    database = _database()
    return plain() if database is None else _Hyperscan(database)


@cache
def _compiled() -> Any:
    import hyperscan  # noqa: PLC0415  # large, and not everywhere

    detectors = catalogue()
    database = hyperscan.Database()
    database.compile(
        expressions=[each.trigger for each in detectors],
        ids=list(range(len(detectors))),
        elements=len(detectors),
        flags=[
            hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if each.caseless else 0)
            for each in detectors
        ],
    )
    return database


_LOCK = threading.Lock()


def _database() -> Any:
    try:
        import hyperscan  # noqa: F401, PLC0415
    except ImportError:
        return None
    with _LOCK:
        return _compiled()


class _Hyperscan:
    """With one automaton for all."""

    def __init__(self, database: Any) -> None:
        import hyperscan  # noqa: PLC0415

        self._database = database
        self._scratch = hyperscan.Scratch(database)
        self._events: list[Event] = []

    def __call__(self, data: bytes | memoryview) -> Sequence[Event]:
        self._events = []
        self._database.scan(data, match_event_handler=self._seen, scratch=self._scratch)
        return self._events

    def _seen(self, number: int, _begin: int, end: int, _flags: int, _context: object) -> None:
        self._events.append((number, end))


def plain() -> Finder:
    """One expression after the other, for those formats of which there is some word: quick for little."""
    return _plainly


def _plainly(data: bytes | memoryview, /) -> Sequence[Event]:
    whole = bytes(data)
    lower = whole.lower()
    events = []
    # Most texts have a word of none, and one look tells.
    numbers = range(len(catalogue())) if _words().search(lower) else _wordless()
    for number in numbers:
        detector = catalogue()[number]
        text = lower if detector.caseless else whole
        if not detector.literals or any(word in text for word in detector.literals):
            events += [(number, end) for end in _ends(_expression(number), whole)]
    return events


@cache
def _words() -> re.Pattern[bytes]:
    """Any of the words, in lower case, of which one is in every text that a detector with words looks at."""
    words = {word.lower() for detector in catalogue() for word in detector.literals}
    return re.compile(b"|".join(map(re.escape, sorted(words))))


@cache
def _wordless() -> tuple[int, ...]:
    """The detectors that have no such words."""
    return tuple(number for number, detector in enumerate(catalogue()) if not detector.literals)


@cache
def _expression(number: int) -> re.Pattern[bytes]:
    detector = catalogue()[number]
    return re.compile(detector.trigger, re.DOTALL | (re.IGNORECASE if detector.caseless else re.NOFLAG))


def _ends(expression: re.Pattern[bytes], data: bytes) -> Iterator[int]:
    """Where matches end; the next one may begin within the last."""
    found = expression.search(data)
    while found is not None:
        yield found.end()
        found = expression.search(data, found.start() + 1)


def confirmed(
    data: bytes | memoryview,
    events: Sequence[Event],
    bounds: Callable[[int], tuple[int, int] | None],
    until: int | None = None,
) -> Iterator[Match]:
    """The secrets that `events` in `data` are the ends of triggers of, each once.

    `bounds` says from where to where the file goes that the byte at a position belongs to, as far as it is in `data`.
    What begins after `until` is not looked for. No byte is looked at often, however many triggers there are.
    """
    detectors = catalogue()
    last = len(data) if until is None else until
    covered = dict[int, int]()
    for number, end in sorted(set(events), key=lambda event: (event[1], event[0])):
        # Whatever begins before that was looked for.
        done = covered.get(number, 0)
        if end <= done:
            continue
        file = bounds(end - 1)
        if file is None:
            continue
        detector = detectors[number]
        begin = max(file[0], end - detector.reach, done)
        reached = min(max(end, min(end + detector.behind, last)), file[1])
        # What stands before a token decides whether it is a word of its own.
        shift = max(begin - _CONTEXT, file[0])
        window = bytes(data[shift : min(reached + detector.reach + detector.behind, file[1])])
        covered[number] = reached
        for match in detector.pattern.finditer(window, begin - shift):
            if match.start() + shift >= reached:
                break
            covered[number] = max(reached, match.end() + shift)
            secret = detector.secret(match)
            if secret is not None:
                yield Match(
                    detector=detector,
                    begin=match.start("value") + shift,
                    end=match.end("value") + shift,
                    secret=secret,
                )


def surest(matches: Iterable[Match]) -> tuple[Match, ...]:
    """`matches` in their order, without generic ones that lie across others, and each place once."""
    kept: list[Match] = []
    begins: list[int] = []
    for match in sorted(matches, key=lambda match: (match.detector.generic, match.begin, -match.end)):
        at = bisect_right(begins, match.begin)
        free = at == 0 or kept[at - 1].end <= match.begin
        if free and (at == len(begins) or match.end <= begins[at]):
            kept.insert(at, match)
            begins.insert(at, match.begin)
    return tuple(kept)


def find(data: bytes, ends: Finder | None = None) -> tuple[Match, ...]:
    """The secrets in `data`, a whole file or text, in their order; of those in one place the surest."""
    whole = (0, len(data))
    return surest(confirmed(data, (ends or finder())(data), lambda _: whole))
