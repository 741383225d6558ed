"""How large the blob of a layer becomes where nobody has compressed it yet: as an engine does that pushes it.

An engine that keeps the files of a layer has no blob of it. What a host will pull is known only once the layer has been
compressed, so that is done here, the way engines do it, and nothing of it is kept but the size.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from hullmark._images.interface import Buffer

_LEVEL = 6
"""Of gzip, the usual one of engines."""
_BLOCK = 1 << 20
"""Bytes that are compressed at once, on one of several threads."""
_WINDOW = 1 << 15
"""Bytes before a block that it can repeat."""
_ENVELOPE = 18
"""Bytes of gzip around what is compressed."""


class Measured:
    """Takes the tar of a layer, and says how large it is as gzip.

    It differs from what an engine makes by a few per cent at most, as their implementations do among themselves. Ends,
    however it ends, with `close`.
    """

    def __init__(self) -> None:
        threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hullmark-compress")
        self._most = 2 * threads
        self._block = bytearray()
        self._before = b""
        self._working: deque[Future[int]] = deque()
        self._size = _ENVELOPE

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self._block += piece
        while len(self._block) >= _BLOCK:
            self._submit(bytes(self._block[:_BLOCK]))
            del self._block[:_BLOCK]

    def _submit(self, block: bytes) -> None:
        self._working.append(self._pool.submit(_compressed, block, self._before))
        self._before = block[-_WINDOW:]
        while len(self._working) > self._most:
            self._size += self._working.popleft().result()

    def finish(self) -> int:
        """Bytes of the blob, once all of the tar has come."""
        if self._block:
            self._submit(bytes(self._block))
            self._block.clear()
        while self._working:
            self._size += self._working.popleft().result()
        return self._size

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)


def _compressed(block: bytes, before: bytes) -> int:
    """Bytes that `block` becomes after `before`."""
    # A dictionary of no bytes is refused by some versions of the library.
    made = (
        zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, zdict=before)
        if before
        else zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    )
    return len(made.compress(block)) + len(made.flush(zlib.Z_SYNC_FLUSH))
