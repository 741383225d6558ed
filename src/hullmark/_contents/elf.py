"""ELF files: what they need to be loaded, and what stripping them would save.

A file is looked at once, while its layer is read; what stays is a summary of some hundred bytes. Offsets and counts in
a file are believed only as far as the file reaches, so a hostile one costs no more than its own size.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1 << 28
"""Bytes of the largest file that is looked at; larger ones are not read as a whole."""

_KEPT = b"\x7fELF/1\0"
"""What a summary starts with, so that it is told from a file that another capture kept."""
_MAGIC = b"\x7fELF"
_HEADER = 52
"""Bytes of the smallest header, that of a 32-bit file."""
_EXECUTABLE = 0o111
_SUFFIXES = (".node", ".ko", ".o", ".debug", ".elf")

_ET_REL, _ET_EXEC, _ET_DYN = 1, 2, 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 14, 15, 29
_SHT_SYMTAB, _SHT_STRTAB, _SHT_RELA, _SHT_NOBITS, _SHT_REL = 2, 3, 4, 8, 9
_SHF_ALLOC = 2
_STT_SECTION, _STT_FILE = 3, 4
_MOST = 1 << 16
"""Program headers, dynamic entries and sections of one file that are looked at; real files have far fewer."""
_ROOM = 1 << 16
"""Bytes of names that are compared at least; tables of names share their ends, but not many times over."""
_LONGEST = 4096
"""Bytes of the longest path in a file that is believed."""
_DEBUGGING = (
    *(".debug", ".zdebug", ".line", ".stab", ".gdb_index"),
    *(".gnu.debuglto_.debug_", ".gnu.linkonce.wi."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What is kept of one ELF file."""

    bits: int
    """32 or 64."""
    little: bool
    """Whether its byte order is little endian."""
    machine: int
    """As in `e_machine`: 62 is x86-64, 183 is AArch64."""
    kind: int
    """As in `e_type`: 1 is an object file, 2 an executable, 3 a shared library or an executable that can be moved."""
    interpreter: str = ""
    """The program that loads it, for example `/lib64/ld-linux-x86-64.so.2`; empty for libraries and for statically
    linked programs."""
    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    """Directories, with `$ORIGIN` as it was written."""
    debug: int = 0
    """Bytes that `strip --strip-debug` would remove from the file."""
    unneeded: int = 0
    """Bytes that `strip --strip-unneeded` would remove; never less than `debug`."""

    @property
    def architecture(self) -> tuple[int, bool, int]:
        """What two files must have in common for one to load the other."""
        return self.bits, self.little, self.machine


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(Elf)


class ElfCapture:
    """Keeps a summary of every ELF file."""

    name = "elf/1"

    def wants(self, path: str, size: int, mode: int) -> bool:
        """Whether the file may be an ELF file: it can be executed, or is called like a library or a module."""
        return _HEADER <= size <= LARGEST and (
            mode & _EXECUTABLE != 0 or ".so" in path or path.endswith(_SUFFIXES)
        )

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        """The summary, or `None` when it is no ELF file."""
        elf = read(content)
        return None if elf is None else packed(elf)


def packed(elf: Elf) -> bytes:
    """The summary as a capture keeps it."""
    return _KEPT + msgspec.msgpack.encode(elf)


def kept(data: bytes | None) -> Elf | None:
    """The summary that `ElfCapture` made of a file; `None` when `data` is something else."""
    if data is None or not data.startswith(_KEPT):
        return None
    try:
        return _DECODER.decode(memoryview(data)[len(_KEPT) :])
    except msgspec.MsgspecError:
        return None


def read(content: memoryview | bytes) -> Elf | None:
    """The summary of an ELF file; `None` when it is none, or is not readable as one.

    What a damaged file does not tell is empty in the summary.
    """
    try:
        return _read(memoryview(content))
    except (struct.error, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
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
        return self.offset if self.kind == _SHT_NOBITS else self.offset + self.size

    @property
    def loaded(self) -> bool:
        return self.flags & _SHF_ALLOC != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    bits: int
    order: str
    kind: int
    machine: int
    segments: tuple[int, int, int]
    """Offset, size of one, count."""
    sections: tuple[int, int, int]
    names: int
    """Index of the section that holds the names of the sections."""


def _read(content: memoryview) -> Elf | None:
    if len(content) < _HEADER or content[:4] != _MAGIC:
        return None
    bits, order = {1: 32, 2: 64}.get(content[4]), {1: "<", 2: ">"}.get(content[5])
    if bits is None or order is None:
        return None
    layout = "HHIIIIIHHHHHH" if bits == 32 else "HHIQQQIHHHHHH"  # noqa: PLR2004
    (kind, machine, _, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx) = (
        struct.unpack_from(order + layout, content, 16)
    )
    header = _Header(
        bits=bits,
        order=order,
        kind=kind,
        machine=machine,
        segments=(phoff, phentsize, min(phnum, _MOST)),
        sections=(shoff, shentsize, shnum),
        names=shstrndx,
    )
    segments = list(_segments(content, header))
    dynamic = _dynamic(content, header, segments)
    sections = _sections(content, header)
    debug, unneeded = _strippable(content, header, sections, segments)
    return Elf(
        bits=bits,
        little=order == "<",
        machine=machine,
        kind=kind,
        interpreter=next(
            (_text(content, each.offset, each.size) for each in segments if each.kind == _PT_INTERP), ""
        ),
        needed=dynamic.get(_DT_NEEDED, ()),
        soname=next(iter(dynamic.get(_DT_SONAME, ())), ""),
        rpath=_directories(dynamic.get(_DT_RPATH, ())),
        runpath=_directories(dynamic.get(_DT_RUNPATH, ())),
        debug=debug,
        unneeded=unneeded,
    )


def _directories(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for text in texts for part in text.split(":") if part)


def _segments(content: memoryview, header: _Header) -> Iterator[_Segment]:
    offset, entry, count = header.segments
    layout = header.order + ("IIIIII" if header.bits == 32 else "IIQQQQ")  # noqa: PLR2004
    if entry < struct.calcsize(layout):
        return
    for index in range(count):
        start = offset + index * entry
        if start + entry > len(content):
            return
        if header.bits == 32:  # noqa: PLR2004
            kind, place, address, _, size, _ = struct.unpack_from(layout, content, start)
        else:
            kind, _, place, address, _, size = struct.unpack_from(layout, content, start)
        yield _Segment(kind=kind, offset=place, address=address, size=size)


def _text(content: memoryview, offset: int, longest: int = _LONGEST) -> str:
    piece = bytes(content[offset : offset + min(longest, _LONGEST)])
    return piece.split(b"\0", 1)[0].decode("utf-8", "replace")


def _dynamic(content: memoryview, header: _Header, segments: list[_Segment]) -> dict[int, tuple[str, ...]]:
    """The texts of the dynamic section, by tag."""
    place = next((each for each in segments if each.kind == _PT_DYNAMIC), None)
    if place is None:
        return {}
    step = header.bits // 4
    size = min(place.size, len(content) - place.offset, _MOST * step)
    if size < step:
        return {}
    layout = struct.Struct(header.order + ("iI" if header.bits == 32 else "qQ"))  # noqa: PLR2004
    found: list[tuple[int, int]] = []
    for tag, value in layout.iter_unpack(content[place.offset : place.offset + size - size % step]):
        if tag == 0:
            break
        found.append((tag, value))
    numbers = dict(found)
    strings = _position(numbers.get(_DT_STRTAB), segments)
    if strings is None:
        return {}
    room = min(numbers.get(_DT_STRSZ, 0), len(content) - strings)
    texts: dict[int, tuple[str, ...]] = {}
    for tag, value in found:
        if tag in (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH) and value < room:
            text = _text(content, strings + value, room - value)
            if text:
                texts[tag] = (*texts.get(tag, ()), text)
    return texts


def _position(address: int | None, segments: list[_Segment]) -> int | None:
    """Where in the file the byte is that is loaded to `address`."""
    if address is None:
        return None
    for each in segments:
        if each.kind == _PT_LOAD and each.address <= address < each.address + each.size:
            return each.offset + address - each.address
    return None


def _sections(content: memoryview, header: _Header) -> list[_Section]:
    offset, entry, count = header.sections
    layout = struct.Struct(header.order + ("IIIIIIIIII" if header.bits == 32 else "IIQQQQIIQQ"))  # noqa: PLR2004
    if entry != layout.size or not 0 < offset <= len(content) - entry:
        return []
    if count == 0:
        # More than 65,279 sections: the number stands in the first one.
        count = layout.unpack_from(content, offset)[5]
    if not 0 < count <= min(_MOST, (len(content) - offset) // entry):
        return []
    raw = list(layout.iter_unpack(content[offset : offset + count * entry]))
    names = header.names if header.names < count else raw[0][6]
    if names >= count:
        return []
    start, room = raw[names][4], raw[names][5]
    table = bytes(content[start : start + room])
    return [
        _Section(
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


def _strippable(
    content: memoryview, header: _Header, sections: list[_Section], segments: list[_Segment]
) -> tuple[int, int]:
    """What `strip --strip-debug` and `strip --strip-unneeded` of GNU binutils would remove."""
    if header.kind not in (_ET_REL, _ET_EXEC, _ET_DYN) or not sections:
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
        if each.kind in (_SHT_RELA, _SHT_REL) and each.info in debugging
    }
    symbols = next((index for index, each in enumerate(sections) if each.kind == _SHT_SYMTAB), None)
    if symbols is None:
        debug = _saved(content, header, sections, segments, dropped=debugging, shrunk={})
        return debug, debug
    strings = sections[symbols].link
    entries, names = _debugging_symbols(content, header, sections, symbols)
    debug = _saved(
        content, header, sections, segments, dropped=debugging, shrunk={symbols: entries, strings: names}
    )
    if header.kind == _ET_REL:
        # Which symbols an object file needs is known only to its relocations.
        return debug, debug
    everything = _saved(
        content, header, sections, segments, dropped={*debugging, symbols, strings}, shrunk={}
    )
    return debug, max(debug, everything)


def _debugging_symbols(
    content: memoryview, header: _Header, sections: list[_Section], index: int
) -> tuple[int, int]:
    """Bytes by which the table of symbols and that of their names shrink without what only a debugger reads.

    Those are the symbols of files and sections. Names are written anew, and one that another ends with is not written.
    """
    table = sections[index]
    wide = header.bits == 64  # noqa: PLR2004
    layout = struct.Struct(header.order + ("IBBHQQ" if wide else "IIIBBH"))
    if header.kind == _ET_REL or table.entry != layout.size or table.link >= len(sections):
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
    header: _Header,
    sections: list[_Section],
    segments: list[_Segment],
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
        (each.offset + each.size for each in segments if each.kind == _PT_LOAD),
        default=52 if header.bits == 32 else 64,  # noqa: PLR2004
    )
    end = max([end, *(each.end for each in sections if each.loaded and each.kind != _SHT_NOBITS)])
    kept_sections = [(index, each) for index, each in enumerate(sections) if index not in dropped]
    # Symbols and names are written last, wherever they were.
    late = {index for index, each in enumerate(sections) if each.kind in (_SHT_SYMTAB, _SHT_STRTAB)}
    for index, each in sorted(kept_sections, key=lambda item: (item[0] in late, item[0])):
        if each.loaded or each.kind in (0, _SHT_NOBITS):
            continue
        size = max(0, each.size - shrunk.get(index, 0))
        if index == header.names:
            size -= sum(len(sections[gone].name) + 1 for gone in dropped)
        end = _aligned(end, min(each.alignment, 1 << 12)) + max(0, size)
    end = _aligned(end, word) + len(kept_sections) * header.sections[1]
    return max(0, len(content) - end)


def _aligned(offset: int, alignment: int) -> int:
    return offset if alignment <= 1 else -(-offset // alignment) * alignment
