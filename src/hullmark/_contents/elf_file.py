"""The layout of ELF files: header, segments and sections.

Offsets and counts in a file are believed only as far as the file reaches.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALLEST = 52
"""Bytes of the smallest header, that of a 32-bit file."""
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOBITS, SHT_REL = 2, 3, 4, 8, 9
MOST = 1 << 16
"""Program headers, dynamic entries and sections of one file that are looked at; real files have far fewer."""
LONGEST = 4096
"""Bytes of the longest path in a file that is believed."""
_MAGIC = b"\x7fELF"
_SHF_ALLOC, _PF_W = 2, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section."""

    name: bytes
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int

    @property
    def end(self) -> int:
        """Where what it has in the file ends."""
        return self.offset if self.kind == SHT_NOBITS else self.offset + self.size

    @property
    def loaded(self) -> bool:
        """Whether it is in memory when the program runs."""
        return self.flags & _SHF_ALLOC != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment."""

    kind: int
    offset: int
    address: int
    size: int
    """In the file."""
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the beginning of a file says of the rest."""

    bits: int
    order: str
    """As `struct` writes it."""
    kind: int
    machine: int
    segments: tuple[int, int, int]
    """Offset, size of one, count."""
    sections: tuple[int, int, int]
    names: int
    """Index of the section that holds the names of the sections."""


def header_of(content: memoryview) -> Header | None:
    """The header; `None` for what is no ELF file. Raises `struct.error` where the file ends too early."""
    if len(content) < SMALLEST or content[:4] != _MAGIC:
        return None
    bits, order = {1: 32, 2: 64}.get(content[4]), {1: "<", 2: ">"}.get(content[5])
    if bits is None or order is None:
        return None
    layout = "HHIIIIIHHHHHH" if bits == 32 else "HHIQQQIHHHHHH"  # noqa: PLR2004
    (kind, machine, _, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx) = (
        struct.unpack_from(order + layout, content, 16)
    )
    return Header(
        bits=bits,
        order=order,
        kind=kind,
        machine=machine,
        segments=(phoff, phentsize, min(phnum, MOST)),
        sections=(shoff, shentsize, shnum),
        names=shstrndx,
    )


def segments_of(content: memoryview, header: Header) -> Iterator[Segment]:
    """The segments, as far as the file has them."""
    offset, entry, count = header.segments
    layout = header.order + ("IIIIIII" if header.bits == 32 else "IIQQQQ")  # noqa: PLR2004
    if entry < struct.calcsize(layout):
        return
    for index in range(count):
        start = offset + index * entry
        if start + entry > len(content):
            return
        if header.bits == 32:  # noqa: PLR2004
            kind, place, address, _, size, _, flags = struct.unpack_from(layout, content, start)
        else:
            kind, flags, place, address, _, size = struct.unpack_from(layout, content, start)
        yield Segment(kind=kind, offset=place, address=address, size=size, writable=flags & _PF_W != 0)


def text_at(content: memoryview, offset: int, longest: int = LONGEST) -> str:
    """The text that begins there, up to the zero after it."""
    piece = bytes(content[offset : offset + min(longest, LONGEST)])
    return piece.split(b"\0", 1)[0].decode("utf-8", "replace")


def position(address: int | None, segments: list[Segment]) -> int | None:
    """Where in the file the byte is that is loaded to `address`."""
    if address is None:
        return None
    for each in segments:
        if each.kind == PT_LOAD and each.address <= address < each.address + each.size:
            return each.offset + address - each.address
    return None


def sections_of(content: memoryview, header: Header) -> list[Section]:
    """The sections; none where their table does not fit into the file."""
    offset, entry, count = header.sections
    layout = struct.Struct(header.order + ("IIIIIIIIII" if header.bits == 32 else "IIQQQQIIQQ"))  # noqa: PLR2004
    if entry != layout.size or not 0 < offset <= len(content) - entry:
        return []
    if count == 0:
        # More than 65,279 sections: the number stands in the first one.
        count = layout.unpack_from(content, offset)[5]
    if not 0 < count <= min(MOST, (len(content) - offset) // entry):
        return []
    raw = list(layout.iter_unpack(content[offset : offset + count * entry]))
    names = header.names if header.names < count else raw[0][6]
    if names >= count:
        return []
    start, room = raw[names][4], raw[names][5]
    table = bytes(content[start : start + room])
    return [
        Section(
            name=table[name : table.find(b"\0", name)] if name < len(table) else b"",
            kind=kind,
            flags=flags,
            offset=place,
            size=size,
            link=link,
            info=info,
            alignment=alignment,
            entry=step,
        )
        for name, kind, flags, _, place, size, link, info, alignment, step in raw
    ]
