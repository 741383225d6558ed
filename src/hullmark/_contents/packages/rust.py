"""Crates of programs of Rust that were built to be audited: a list of them, compressed, in a section of the program."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.embedded import Holder
    from hullmark.model.owner import Package

LARGEST = 1 << 23
"""Bytes of the longest list, unpacked."""
_LONGEST = 256


class _Crate(msgspec.Struct, frozen=True):
    name: str
    version: str
    kind: str = "runtime"
    root: bool = False


class _List(msgspec.Struct, frozen=True):
    packages: list[_Crate]


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_List)


class NoList(ValueError):
    """The section holds no list of crates; the text says why, for people."""


def crates(holder: Holder, section: bytes) -> Iterator[Package]:
    """The crates in the program; not those that only its build ran. Raises `NoList`."""
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(section, LARGEST + 1)
    except zlib.error:
        raise NoList("its list of crates is damaged") from None
    if len(text) > LARGEST or not inflate.eof:
        raise NoList("its list of crates is damaged or longer than any is")
    try:
        found = _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NoList("its list of crates cannot be read") from None
    seen = dict.fromkeys(each for each in found.packages if each.kind == "runtime" and each.name)
    for crate in seen:
        yield holder.package(
            OwnerKind.RUST, crate.name[:_LONGEST], crate.version[:_LONGEST], declared=crate.root
        )
