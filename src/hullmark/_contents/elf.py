"""ELF files: what they need to be loaded, and what stripping them would save.

A file is looked at once, while its layer is read; what stays is a summary of some hundred bytes. Offsets and counts in
a file are believed only as far as the file reaches, so a hostile one costs no more than its own size.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hullmark._contents.elf_file import (
    MOST,
    PT_DYNAMIC,
    PT_INTERP,
    SMALLEST,
    header_of,
    position,
    sections_of,
    segments_of,
    text_at,
)
from hullmark._contents.embedded import crates_of, go_build_of, runtime_of
from hullmark._contents.stripping import strippable

if TYPE_CHECKING:
    from hullmark._contents.elf_file import Header, Segment

LARGEST = 1 << 28
"""Bytes of the largest file that is looked at; larger ones are not read as a whole."""

KEPT = b"\x7fELF/2\0"
"""What a summary starts with, so that it is told from a file that another capture kept."""
EXECUTABLE = 0o111
_SUFFIXES = (".node", ".ko", ".o", ".debug", ".elf")

_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 14, 15, 29


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
    go: str = ""
    """The version of Go that it was built with, for example `go1.24.3`; empty where it was not."""
    modules: str = ""
    """Of a program of Go: its modules, a line each, as `go version -m` shows them."""
    crates: bytes = b""
    """Of a program of Rust whose crates were noted for an audit: that note, compressed."""
    runtime: str = ""
    """Of an interpreter of Python or Node.js its version, for example `3.13.1`."""

    @property
    def architecture(self) -> tuple[int, bool, int]:
        """What two files must have in common for one to load the other."""
        return self.bits, self.little, self.machine


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(Elf)


class ElfCapture:
    """Keeps a summary of every ELF file."""

    name = "elf/2"

    def wants(self, path: str, size: int, mode: int) -> bool:
        """Whether the file may be an ELF file: it can be executed, or is called like a library or a module."""
        return SMALLEST <= size <= LARGEST and (
            mode & EXECUTABLE != 0 or ".so" in path or path.endswith(_SUFFIXES)
        )

    def take(self, path: str, content: memoryview) -> bytes | None:
        """The summary, or `None` when it is no ELF file."""
        elf = read(content, path)
        return None if elf is None else packed(elf)


def packed(elf: Elf) -> bytes:
    """The summary as a capture keeps it."""
    return KEPT + msgspec.msgpack.encode(elf)


def kept(data: bytes | None) -> Elf | None:
    """The summary that `ElfCapture` made of a file; `None` when `data` is something else."""
    if data is None or not data.startswith(KEPT):
        return None
    try:
        return _DECODER.decode(memoryview(data)[len(KEPT) :])
    except msgspec.MsgspecError:
        return None


def read(content: memoryview | bytes, path: str = "") -> Elf | None:
    """The summary of an ELF file; `None` when it is none, or is not readable as one.

    Which runtime it is depends on what it is called.

    What a damaged file does not tell is empty in the summary.
    """
    try:
        return _read(memoryview(content), path)
    except (struct.error, ValueError):
        return None


def _read(content: memoryview, path: str) -> Elf | None:
    header = header_of(content)
    if header is None:
        return None
    segments = list(segments_of(content, header))
    dynamic = _dynamic(content, header, segments)
    sections = sections_of(content, header)
    go, modules = go_build_of(content, sections, segments)
    debug, unneeded = strippable(content, header, sections, segments)
    return Elf(
        bits=header.bits,
        little=header.order == "<",
        machine=header.machine,
        kind=header.kind,
        interpreter=next(
            (text_at(content, each.offset, each.size) for each in segments if each.kind == PT_INTERP), ""
        ),
        needed=dynamic.get(_DT_NEEDED, ()),
        soname=next(iter(dynamic.get(_DT_SONAME, ())), ""),
        rpath=_directories(dynamic.get(_DT_RPATH, ())),
        runpath=_directories(dynamic.get(_DT_RUNPATH, ())),
        debug=debug,
        unneeded=unneeded,
        go=go,
        modules=modules,
        crates=crates_of(content, sections),
        runtime=runtime_of(content, path),
    )


def _directories(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for text in texts for part in text.split(":") if part)


def _dynamic(content: memoryview, header: Header, segments: list[Segment]) -> dict[int, tuple[str, ...]]:
    """The texts of the dynamic section, by tag."""
    place = next((each for each in segments if each.kind == PT_DYNAMIC), None)
    if place is None:
        return {}
    step = header.bits // 4
    size = min(place.size, len(content) - place.offset, MOST * step)
    if size < step:
        return {}
    layout = struct.Struct(header.order + ("iI" if header.bits == 32 else "qQ"))  # noqa: PLR2004
    found: list[tuple[int, int]] = []
    for tag, value in layout.iter_unpack(content[place.offset : place.offset + size - size % step]):
        if tag == 0:
            break
        found.append((tag, value))
    numbers = dict(found)
    strings = position(numbers.get(_DT_STRTAB), segments)
    if strings is None:
        return {}
    room = min(numbers.get(_DT_STRSZ, 0), len(content) - strings)
    texts: dict[int, tuple[str, ...]] = {}
    for tag, value in found:
        if tag in (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH) and value < room:
            text = text_at(content, strings + value, room - value)
            if text:
                texts[tag] = (*texts.get(tag, ()), text)
    return texts
