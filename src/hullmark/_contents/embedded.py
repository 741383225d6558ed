"""What programs say in themselves of what they were built from: modules of Go, crates of Rust, versions of runtimes.

Go has two ways to say it. Since 1.18 two texts stand behind a header, each after its length; before, the header holds
the addresses of two strings of Go, which are an address and a length each.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hullmark._contents.elf_file import PT_LOAD, SHT_NOBITS, position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullmark._contents.elf_file import Section, Segment

LARGEST = 1 << 20
"""Bytes of the longest list of modules or crates that is kept; those of the largest programs have a tenth of it."""
_GO = b"\xff Go buildinf:"
_HEADER = 32
"""Bytes of the header, at an address that is a multiple of 16."""
_ALIGNMENT = 16
_LONGEST_VERSION = 256
_FRAME = 16
"""Bytes before and after the list of modules that only mark it."""
_INLINE, _BIG_ENDIAN = 2, 1
_CRATES = b".dep-v0"
_NODE = re.compile(
    rb"/node-v(\d{1,4}\.\d{1,4}\.\d{1,4}(?:-(?:rc|nightly|test)[a-z0-9.]{0,32})?)(?:-headers)?\.tar\.gz"
)
_PYTHON_NAME = re.compile(r"(?:python|libpython)(3\.\d{1,3})t?(?:\.so(?:\.[\d.]+)?)?")


def go_build_of(
    content: memoryview, sections: Sequence[Section], segments: Sequence[Segment]
) -> tuple[str, str]:
    """The version of Go that built a program, and the list of its modules; empty texts for other programs."""
    start = _go_header(content, sections, segments)
    if start is None:
        return "", ""
    size, flags = content[start + len(_GO)], content[start + len(_GO) + 1]
    if flags & _INLINE:
        version, after = _inline(content, start + _HEADER, _LONGEST_VERSION)
        modules, _ = _inline(content, after, LARGEST) if version else (b"", after)
    elif size in {4, 8}:
        order = "big" if flags & _BIG_ENDIAN else "little"

        def number(at: int) -> int:
            return int.from_bytes(content[at : at + size], order)  # type: ignore[arg-type]  # one of the two

        version = _pointed(content, number(start + _ALIGNMENT), size, number, segments)[:_LONGEST_VERSION]
        modules = _pointed(content, number(start + _ALIGNMENT + size), size, number, segments)
    else:
        return "", ""
    text = version.decode("utf-8", "replace")
    framed = len(modules) > 2 * _FRAME and modules[-_FRAME - 1 : -_FRAME] == b"\n"
    return text, modules[_FRAME:-_FRAME].decode("utf-8", "replace") if text and framed else ""


def _go_header(content: memoryview, sections: Sequence[Section], segments: Sequence[Segment]) -> int | None:
    """Where the header begins."""
    if sections:
        place = next((each for each in sections if each.name == b".go.buildinfo"), None)
        if place is None or place.kind == SHT_NOBITS:
            return None
        first, size = place.offset, place.size
    else:
        # Who removes the table of sections leaves the data where the header is.
        data = next((each for each in segments if each.kind == PT_LOAD and each.writable), None)
        if data is None:
            return None
        first, size = data.offset, data.size
    piece = bytes(content[first : first + size])
    at = piece.find(_GO)
    while at >= 0 and (first + at) % _ALIGNMENT:
        at = piece.find(_GO, at + 1)
    return first + at if at >= 0 and first + at + _HEADER <= len(content) else None


def _inline(content: memoryview, at: int, longest: int) -> tuple[bytes, int]:
    """The text at `at`, whose length stands before it in groups of seven bits, and where it ends."""
    length = shift = 0
    for byte in content[at : at + 10]:
        length |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:  # noqa: PLR2004  # the last group
            break
    else:
        return b"", at
    if length > longest or at + length > len(content):
        return b"", at
    return bytes(content[at : at + length]), at + length


def _pointed(
    content: memoryview, address: int, size: int, number: Callable[[int], int], segments: Sequence[Segment]
) -> bytes:
    """The string of Go at `address`."""
    segments = list(segments)
    at = position(address, segments)
    if at is None or at + 2 * size > len(content):
        return b""
    begin, length = position(number(at), segments), number(at + size)
    if begin is None or length > LARGEST or begin + length > len(content):
        return b""
    return bytes(content[begin : begin + length])


def crates_of(content: memoryview, sections: Sequence[Section]) -> bytes:
    """What a program of Rust was built from, compressed as it is there; empty where it does not say."""
    place = next((each for each in sections if each.name == _CRATES), None)
    if place is None or place.kind == SHT_NOBITS or place.offset >= len(content):
        return b""
    return bytes(content[place.offset : place.offset + min(place.size, LARGEST)])


def runtime_of(content: memoryview, path: str) -> str:
    """The version of the Python or Node.js that the program or library at `path` is; empty for all others."""
    name = posixpath.basename(path)
    if name == "node":
        found = _NODE.search(content)
        return found[1].decode() if found else ""
    python = _PYTHON_NAME.fullmatch(name)
    if python is None:
        return ""
    # A string of C of its own, or the end of another: linkers keep one inside of the other.
    pattern = rb"(?<![\d.])" + re.escape(python[1]).encode() + rb"\.\d{1,4}(?:(?:a|b|rc)\d{1,3})?(?=\+?\0)"
    match = re.search(rb"\0" + pattern, content) or re.search(pattern, content)
    return match[0].strip(b"\0").decode() if match else ""
