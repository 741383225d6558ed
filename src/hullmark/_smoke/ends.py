"""The beginning and the end of what containers say: nobody knows how much that is before all of it has been read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST = 8_000_000
"""Bytes that are kept of what a program prints."""
_CUT = re.compile(r"\n\[\d+ bytes left out\]\n")


@dataclass(kw_only=True)
class Ends:
    """What is kept of bytes that come in pieces: everything, or of more than `most` the first and the last half."""

    most: int
    _first: bytearray = field(default_factory=bytearray)
    _last: bytearray = field(default_factory=bytearray)
    _dropped: int = 0

    def add(self, piece: bytes) -> None:
        """Takes the next `piece` in."""
        half = self.most // 2
        room = half - len(self._first)
        self._first += piece[:room]
        self._last += piece[room:]
        # Not with every piece: each time all that stays is moved.
        if len(self._last) > self.most:
            self._dropped += len(self._last) - half
            del self._last[:-half]

    @property
    def left_out(self) -> int:
        """How many bytes in the middle are not kept."""
        return self._dropped + max(0, len(self._last) - self.most // 2)

    @property
    def first(self) -> bytes:
        """What came first: everything, unless something is left out."""
        return bytes(self._first) if self.left_out else bytes(self._first + self._last)

    @property
    def last(self) -> bytes:
        """What came last, where something is left out."""
        return bytes(self._last[-(self.most // 2) :]) if self.left_out else b""

    @property
    def text(self) -> str:
        """What is kept, with a line in the place of what is not."""
        first = self.first.decode("utf-8", "replace")
        if not self.left_out:
            return first
        return f"{first}\n[{self.left_out} bytes left out]\n{self.last.decode('utf-8', 'replace')}"


def is_cut(text: str) -> bool:
    """Whether something is left out of what `Ends` made `text` of."""
    return _CUT.search(text) is not None
