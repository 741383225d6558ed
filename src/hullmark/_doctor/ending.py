"""The end of a log, however long the log is: a failure is told there, and no more than that is kept in memory."""

from __future__ import annotations

from collections import deque

_BYTE_ORDERS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""What PowerShell redirects into a file is UTF-16, and says so in its first bytes only."""


class Ending:
    """Takes a log in pieces, and keeps the last `most` bytes of it."""

    def __init__(self, most: int) -> None:
        self.size = 0
        """Bytes of the whole log so far."""
        self._most = most
        self._first = b""
        self._kept: deque[bytes] = deque()
        self._length = 0

    @property
    def is_cut(self) -> bool:
        """Whether the log is longer than what is kept of it."""
        return self.size > self._most

    def take(self, piece: bytes) -> None:
        """The next bytes of the log."""
        if len(self._first) < 2:  # noqa: PLR2004  # those that tell of the encoding
            self._first = (self._first + piece)[:2]
        self.size += len(piece)
        self._kept.append(piece)
        self._length += len(piece)
        while self._length - len(self._kept[0]) >= self._most:
            self._length -= len(self._kept.popleft())

    def pass_over(self, length: int) -> None:
        """The next `length` bytes are of no interest, because at least `most` follow them."""
        self.size += length
        self._kept.clear()
        self._length = 0

    def text(self) -> str:
        """What is kept, from the beginning of a line; what is no text in its encoding is replaced."""
        raw = b"".join(self._kept)[-self._most :]
        encoding = _BYTE_ORDERS.get(self._first, "utf-8")
        if encoding != "utf-8" and (self.size - len(raw)) % 2:
            raw = raw[1:]
        text = raw.decode(encoding, "replace")
        if not self.is_cut:
            return text.removeprefix("\ufeff")
        _, newline, rest = text.partition("\n")
        return rest if newline else text
