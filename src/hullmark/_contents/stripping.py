"""What stripping an ELF file would save, computed as GNU binutils write it anew."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hullmark._contents.elf_file import (
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PT_LOAD,
    SHT_NOBITS,
    SHT_REL,
    SHT_RELA,
    SHT_STRTAB,
    SHT_SYMTAB,
)

if TYPE_CHECKING:
    from hullmark._contents.elf_file import Header, Section, Segment

_STT_SECTION, _STT_FILE = 3, 4
_ROOM = 1 << 16
"""Bytes of names that are compared at least; tables of names share their ends, but not many times over."""
_DEBUGGING = (
    *(".debug", ".zdebug", ".line", ".stab", ".gdb_index"),
    *(".gnu.debuglto_.debug_", ".gnu.linkonce.wi."),
)


def strippable(
    content: memoryview, header: Header, sections: list[Section], segments: list[Segment]
) -> tuple[int, int]:
    """What `strip --strip-debug` and `strip --strip-unneeded` of GNU binutils would remove."""
    if header.kind not in (ET_REL, ET_EXEC, ET_DYN) or not sections:
        return 0, 0
    offset, entry, _ = header.sections
    ends = [offset + len(sections) * entry]
    ends += [each.end for each in sections]
    ends += [each.offset + each.size for each in segments]
    if max(ends) != len(content):
        # Longer: something was appended, such as the payload of a self-extracting program, and stripping would
        # destroy it. Shorter: the file is damaged.
        return 0, 0
    debugging = {
        index
        for index, each in enumerate(sections)
        if not each.loaded and each.name.decode("latin-1").startswith(_DEBUGGING)
    }
    # Relocations of a section go with it.
    debugging |= {
        index
        for index, each in enumerate(sections)
        if each.kind in (SHT_RELA, SHT_REL) and each.info in debugging
    }
    symbols = next((index for index, each in enumerate(sections) if each.kind == SHT_SYMTAB), None)
    if symbols is None:
        debug = _saved(content, header, sections, segments, dropped=debugging, shrunk={})
        return debug, debug
    strings = sections[symbols].link
    entries, names = _debugging_symbols(content, header, sections, symbols)
    debug = _saved(
        content, header, sections, segments, dropped=debugging, shrunk={symbols: entries, strings: names}
    )
    if header.kind == ET_REL:
        # Which symbols an object file needs is known only to its relocations.
        return debug, debug
    everything = _saved(
        content, header, sections, segments, dropped={*debugging, symbols, strings}, shrunk={}
    )
    return debug, max(debug, everything)


def _debugging_symbols(
    content: memoryview, header: Header, sections: list[Section], index: int
) -> tuple[int, int]:
    """Bytes by which the table of symbols and that of their names shrink without what only a debugger reads.

    Those are the symbols of files and sections. Names are written anew, and one that another ends with is not written.
    """
    table = sections[index]
    wide = header.bits == 64  # noqa: PLR2004
    layout = struct.Struct(header.order + ("IBBHQQ" if wide else "IIIBBH"))
    if header.kind == ET_REL or table.entry != layout.size or table.link >= len(sections):
        return 0, 0
    strings = sections[table.link]
    size = min(table.size, max(0, len(content) - table.offset))
    symbols = content[table.offset : table.offset + size - size % layout.size]
    place = 1 if wide else 3
    kept = [
        symbol[0]
        for symbol in layout.iter_unpack(symbols)
        if symbol[place] & 0xF not in {_STT_FILE, _STT_SECTION}
    ]
    merged = _merged(bytes(content[strings.offset : strings.offset + strings.size]), set(kept) - {0})
    removed = len(symbols) - len(kept) * layout.size
    return removed, 0 if merged is None else max(0, strings.size - merged)


def _merged(table: bytes, offsets: set[int]) -> int | None:
    """Bytes of a table of the names at `offsets`; `None` when they are too many or too long to belong together."""
    names = set()
    room = _ROOM + 4 * len(table)
    for offset in offsets:
        end = table.find(b"\0", offset)
        if end < 0:
            return None
        room -= end - offset
        if room < 0:
            return None
        names.add(table[offset:end][::-1])
    names.discard(b"")
    size = 1
    following = b""
    for name in sorted(names, reverse=True):
        if not following.startswith(name):
            size += len(name) + 1
        following = name
    return size


def _saved(
    content: memoryview,
    header: Header,
    sections: list[Section],
    segments: list[Segment],
    *,
    dropped: set[int],
    shrunk: dict[int, int],
) -> int:
    """How much shorter the file is once it is written again without the sections `dropped`.

    What is loaded keeps its place; the rest follows it in order, then the section headers.
    """
    if not dropped and not any(shrunk.values()):
        return 0
    word = header.bits // 8
    end = max(
        (each.offset + each.size for each in segments if each.kind == PT_LOAD),
        default=52 if header.bits == 32 else 64,  # noqa: PLR2004
    )
    end = max([end, *(each.end for each in sections if each.loaded and each.kind != SHT_NOBITS)])
    kept_sections = [(index, each) for index, each in enumerate(sections) if index not in dropped]
    # Symbols and names are written last, wherever they were.
    late = {index for index, each in enumerate(sections) if each.kind in (SHT_SYMTAB, SHT_STRTAB)}
    for index, each in sorted(kept_sections, key=lambda item: (item[0] in late, item[0])):
        if each.loaded or each.kind in (0, SHT_NOBITS):
            continue
        size = max(0, each.size - shrunk.get(index, 0))
        if index == header.names:
            size -= sum(len(sections[gone].name) + 1 for gone in dropped)
        end = _aligned(end, min(each.alignment, 1 << 12)) + max(0, size)
    end = _aligned(end, word) + len(kept_sections) * header.sections[1]
    return max(0, len(content) - end)


def _aligned(offset: int, alignment: int) -> int:
    return offset if alignment <= 1 else -(-offset // alignment) * alignment
