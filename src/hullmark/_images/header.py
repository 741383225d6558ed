"""One header of a tar: where its fields are, and what those of the usual kind say.

Fields that are the same in most headers are understood once, and remembered.
"""

from __future__ import annotations

import re
from struct import Struct
from zlib import adler32

from hullmark.model.table import Kind

BLOCK = 512
WHOLE = Struct("512s")
FIELDS = Struct("100s24s11sB12s8sB")
"""Name, owner, size, the byte after that, time, checksum and type."""
NAME, OWNER, SIZE, MTIME, CHECKSUM = (
    slice(100),
    slice(100, 124),
    slice(124, 136),
    slice(136, 148),
    slice(148, 156),
)
TYPE, LINK, MAGIC, PREFIX, STAR_PREFIX = (
    156,
    slice(157, 257),
    slice(257, 263),
    slice(345, 500),
    slice(345, 476),
)
STAR = slice(508, 512)
FILE, SYMLINK = int(Kind.FILE), int(Kind.SYMLINK)
COMMON = {ord("0"): FILE, ord("2"): SYMLINK, ord("5"): int(Kind.DIRECTORY)}
"""Types that are read the quick way."""
SPECIAL = re.compile(r"//|/\.(?:\.?(?:/|$)|wh\.)").search
"""What makes a name other than it is written, or no name of a file."""
ROOT = ("", "/")
LARGEST_ID = (1 << 32) - 1
MEMORY = 1 << 16
"""Entries of the memories for fields that repeat."""
_MODULUS = 65521
"""Of Adler-32, whose lower half is the sum of the bytes and one more, modulo this."""
_SUMS: dict[bytes, int] = {}
"""What has been found out about checksums, which repeat from one layer to the next."""


class Seen:
    """What fields of the headers that came before say, by their bytes.

    What is not there yet, `sum` and `time` find out.
    """

    def __init__(self) -> None:
        self.sums = _SUMS
        """See `sum`."""
        self.owners: dict[bytes, tuple[int, int, int]] = {}
        """Mode, user and group."""
        self.times: dict[bytes, int] = {}

    def sum(self, checksum: bytes) -> int:
        """What the lower half of Adler-32 is for a header whose checksum is right; -1 where it cannot be read."""
        try:
            stored = int(checksum.rstrip(b"\0 ") or b"x", 8)
        except ValueError:
            return -1
        if len(self.sums) > MEMORY:
            self.sums.clear()
        # The checksum is made as if it were eight spaces itself.
        expected = (stored - 8 * 32 + (adler32(checksum) & 0xFFFF)) % _MODULUS
        self.sums[checksum] = expected
        return expected

    def time(self, raw: bytes) -> int:
        """The time in a header; raises `ValueError` where it is not written the usual way."""
        if len(self.times) > MEMORY:
            self.times.clear()
        time = self.times[raw] = int(raw.rstrip(b"\0"), 8)
        return time

    def remember(self, raw: bytes, owner: tuple[int, int, int]) -> None:
        """Notes that `raw` says `owner`."""
        if len(self.owners) > MEMORY:
            self.owners.clear()
        self.owners[raw] = owner


def name_of(block: bytes) -> bytes:
    """The name in a header, with the prefix that POSIX put behind it; GNU has other things there."""
    name = block[NAME].partition(b"\0")[0]
    if block[MAGIC] != b"ustar\0":
        return name
    prefix = block[STAR_PREFIX if block[STAR] == b"tar\0" else PREFIX].partition(b"\0")[0]
    return prefix + b"/" + name if prefix else name
