"""Looks through the bytes of a layer as they pass by, whatever pieces they come in, and keeps no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hullmark._secrets.catalogue import VERSION, catalogue
from hullmark._secrets.detector import LONGEST_BEHIND, LONGEST_REACH
from hullmark._secrets.engine import confirmed, finder, surest
from hullmark._secrets.redaction import fingerprint, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullmark._secrets.engine import Event, Finder, Match
    from hullmark.model.image import Content, Stream

_FRESH = 1 << 20
"""Bytes that are looked at for the first time at once."""
_OVERLAP = LONGEST_REACH + LONGEST_BEHIND
"""Bytes that are looked at again, with what comes after them."""
MOST = 10_000
"""Secrets that are kept of one layer."""


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """One secret, without itself."""

    row: int
    """Of the file in the table of the layer."""
    offset: int
    """In the file."""
    format: str
    shown: str
    hash: str


class Found(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of one layer."""

    secrets: list[Kept]
    dropped: int


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(Found)


def decode(kept: bytes) -> Found:
    """What a `SecretScanner` kept."""
    return _DECODER.decode(kept)


class SecretScanner:
    """Finds secrets in every file of a layer; a `StreamScanner`."""

    def __init__(self, new: Callable[[], Finder] = finder) -> None:
        self._new = new
        self.name = f"secrets/{VERSION}.{len(catalogue())}"

    def begin(self, content: Callable[[int], Content | None]) -> Stream:
        """See `StreamScanner.begin`."""
        return _Stream(self._new(), content)


class _Stream:
    """The state between two pieces of one layer."""

    def __init__(self, find: Finder, content: Callable[[int], Content | None]) -> None:
        self._find = find
        self._content = content
        self._buffer = bytearray(_OVERLAP + _FRESH)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._start = 0
        """Where in the tar the buffer begins."""
        self._looked = 0
        """Up to where in the tar triggers have been followed."""
        self._found: dict[tuple[int, int, str], Kept] = {}
        self._dropped = 0

    def write(self, piece: bytes | memoryview) -> None:
        """See `Stream.write`."""
        view = memoryview(piece)
        while view:
            step = min(len(view), len(self._buffer) - self._filled)
            self._view[self._filled : self._filled + step] = view[:step]
            self._filled += step
            view = view[step:]
            if self._filled == len(self._buffer):
                self._look(self._filled - LONGEST_BEHIND)
                rest = self._filled - _OVERLAP
                self._view[:_OVERLAP] = self._view[rest : self._filled]
                self._start += rest
                self._filled = _OVERLAP

    def finish(self) -> bytes:
        """See `Stream.finish`."""
        self._look(self._filled)
        kept = sorted(self._found.values(), key=lambda each: (each.row, each.offset, each.format))
        self._view.release()
        return msgspec.msgpack.encode(Found(secrets=kept, dropped=self._dropped))

    def _look(self, until: int) -> None:
        """Follows the triggers that end before `until`, which have enough behind them."""
        events = self._fresh(self._find(self._view[: self._filled]), until)
        self._looked = self._start + until
        if not events:
            return
        for match in surest(confirmed(self._view[: self._filled], events, self._bounds, until)):
            self._keep(match)

    def _fresh(self, events: Sequence[Event], until: int) -> list[Event]:
        done = self._looked - self._start
        return [event for event in events if done < event[1] <= until]

    def _bounds(self, position: int) -> tuple[int, int] | None:
        content = self._content(self._start + position)
        if content is None:
            return None
        return max(content.begin - self._start, 0), min(content.end - self._start, self._filled)

    def _keep(self, match: Match) -> None:
        content = self._content(self._start + match.begin)
        if content is None:
            return
        offset = self._start + match.begin - content.begin
        key = (content.row, offset, match.detector.id)
        if key in self._found:
            return
        if len(self._found) >= MOST:
            self._dropped += 1
            return
        self._found[key] = Kept(
            row=content.row,
            offset=offset,
            format=match.detector.id,
            shown=shown(match.secret),
            hash=fingerprint(match.secret),
        )
