"""Archives of the kind that Java uses, read in memory: which files are in them, and small ones of those.

Nothing is believed but what fits: an archive can say that it holds a billion files, or one that grows a thousand times
when it is unpacked.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 1 << 18
"""Files of one archive that are looked at; the largest of Java have a tenth of that."""
_END = b"PK\x05\x06"
_END_SIZE = 22
_COMMENT = 1 << 16
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_END_64, _END_64_SIZE = b"PK\x06\x06", 56
_ENTRY, _ENTRY_SIZE = b"PK\x01\x02", 46
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
_STORED, _DEFLATED = 0, 8
_IN_64 = 0xFFFFFFFF
_ENCRYPTED = 1


class BadArchive(ValueError):
    """It is no such archive, or damaged, or larger than archives are; the text says which, for people."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Bytes that may still be unpacked."""

    left: int

    def take(self, size: int) -> None:
        """Raises `BadArchive` where so many are not left."""
        if size > self.left:
            raise BadArchive("more in it than is unpacked")
        self.left -= size


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    size: int
    """Bytes, unpacked, as the archive says."""
    packed: int
    method: int
    flags: int
    place: int
    """Of its own header."""


def members(content: memoryview) -> Iterator[Member]:
    """The files in the archive; raises `BadArchive`."""
    begin, size, shift = _directory(content)
    directory = content[begin : begin + size]
    at = 0
    for _ in range(MOST):
        if at + _ENTRY_SIZE > len(directory) or directory[at : at + 4] != _ENTRY:
            return
        flags, method, packed, unpacked, name, extra, comment, place = struct.unpack_from(
            "<8xHH8xIIHHH8xI", directory, at
        )
        text = bytes(directory[at + _ENTRY_SIZE : at + _ENTRY_SIZE + name]).decode("utf-8", "replace")
        more = directory[at + _ENTRY_SIZE + name : at + _ENTRY_SIZE + name + extra]
        unpacked, packed, place = _in_64(more, unpacked, packed, place)
        yield Member(name=text, size=unpacked, packed=packed, method=method, flags=flags, place=place + shift)
        at += _ENTRY_SIZE + name + extra + comment
    raise BadArchive("more files in it than are looked at")


def unpacked(content: memoryview, member: Member, allowance: Allowance, largest: int) -> bytes:
    """The content of one file of the archive, of at most `largest` bytes; raises `BadArchive`."""
    header = content[member.place : member.place + _LOCAL_SIZE] if member.place >= 0 else b""
    if len(header) < _LOCAL_SIZE or header[:4] != _LOCAL:
        raise BadArchive("damaged")
    if member.flags & _ENCRYPTED or member.method not in {_STORED, _DEFLATED}:
        raise BadArchive("encrypted, or packed in a way that Java has not got")
    name, extra = struct.unpack_from("<26xHH", header)
    begin = member.place + _LOCAL_SIZE + name + extra
    if begin + member.packed > len(content):
        raise BadArchive("damaged")
    packed = content[begin : begin + member.packed]
    if member.method == _STORED:
        if member.packed > largest:
            raise BadArchive("more in it than is unpacked")
        allowance.take(member.packed)
        return bytes(packed)
    most = min(largest, allowance.left)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(packed, most + 1)
    except zlib.error:
        raise BadArchive("damaged") from None
    if len(plain) > most:
        raise BadArchive("more in it than is unpacked")
    if not inflate.eof:
        raise BadArchive("damaged")
    allowance.take(len(plain))
    return plain


def _directory(content: memoryview) -> tuple[int, int, int]:
    """Where the list of files begins, its size, and how far everything stands behind where it says it does."""
    tail = bytes(content[max(0, len(content) - _END_SIZE - _COMMENT) :])
    at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        raise BadArchive("no archive, or damaged")
    end = len(content) - len(tail) + at
    size, place = struct.unpack_from("<12xII", content, end)
    locator = end - _LOCATOR_SIZE
    if locator >= 0 and content[locator : locator + 4] == _LOCATOR:
        (large,) = struct.unpack_from("<8xQ", content, locator)
        # What was put before an archive is not in its offsets.
        for begin in (large, locator - _END_64_SIZE):
            if 0 <= begin <= locator - _END_64_SIZE and content[begin : begin + 4] == _END_64:
                size, place = struct.unpack_from("<40xQQ", content, begin)
                end = begin
                break
    begin = end - size
    if begin < 0 or place > begin:
        raise BadArchive("damaged")
    return begin, size, begin - place


def _in_64(extra: memoryview, size: int, packed: int, place: int) -> tuple[int, int, int]:
    """The sizes and the place, where they are too large for their fields and stand behind the name."""
    if _IN_64 not in {size, packed, place}:
        return size, packed, place
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = bytes(extra[at + 4 : at + 4 + length])
        if kind == 1:
            values = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            size, packed, place = (
                next(values, each) if each == _IN_64 else each for each in (size, packed, place)
            )
            break
        at += 4 + length
    return size, packed, place
