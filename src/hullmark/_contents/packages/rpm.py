"""Packages of Red Hat, SUSE and their relatives: an SQLite database with one binary header per package.

The header is what an .rpm file carries: a count of entries and bytes, the entries (tag, type, offset, count), and the
data that they point into, all in network byte order.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from hullmark._contents.packages.evidence import Claim
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.evidence import Evidence, Found

_NAME, _VERSION, _RELEASE, _EPOCH, _VENDOR, _ARCHITECTURE = 1000, 1001, 1002, 1003, 1011, 1022
_OLD_NAMES, _SOURCE, _DIRECTORY_OF, _NAMES, _DIRECTORIES = 1027, 1044, 1116, 1117, 1118
_INT32, _STRING, _STRINGS, _TRANSLATED = 4, 6, 8, 9
_MOST_ENTRIES = 1 << 16
_STEPS = 1 << 14
"""Steps of SQLite's machine between two looks at how long it takes."""
_PATIENCE = 1 << 13
"""Looks after which reading ends: a schema can be written to never come to an end."""
_SOURCE_NAME = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")


class NotAHeader(ValueError):
    """The bytes are no header of a package."""


def read(found: Found) -> Iterator[Claim]:
    """What every package claims, in every state that the database was in."""
    for each in found.evidence:
        if each.path.endswith("/rpmdb.sqlite"):
            yield from _state(each, found.notes)


def _state(state: Evidence, notes: list[str]) -> Iterator[Claim]:
    broken = 0
    for blob in _blobs(state, notes):
        try:
            header = read_header(blob)
            claim = _claim(header, state)
        except NotAHeader:
            broken += 1
            continue
        if claim is not None:
            yield claim
    if broken and state.span.visible:
        notes.append(f"{state.path} holds {broken} packages whose description cannot be read")


def _blobs(state: Evidence, notes: list[str]) -> Iterator[bytes]:
    import sqlite3  # noqa: PLC0415  # few images need it

    looks = 0

    def impatient() -> int:
        nonlocal looks
        looks += 1
        return looks > _PATIENCE

    content = bytearray(state.content)
    if content[18:20] == b"\2\2":
        # A database that was written with a log beside it cannot be opened from memory unless it says otherwise.
        content[18:20] = b"\1\1"
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(bytes(content))
        connection.set_progress_handler(impatient, _STEPS)
        connection.execute("PRAGMA trusted_schema = OFF")
        for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
            if isinstance(blob, bytes):
                yield blob
    except (sqlite3.Error, ValueError, OverflowError, MemoryError) as error:
        if state.span.visible:
            notes.append(f"{state.path} could not be read to its end: {str(error) or type(error).__name__}")
    finally:
        connection.close()


Header = dict[int, tuple[str, ...] | tuple[int, ...]]
"""Texts and numbers by tag."""


def read_header(blob: bytes) -> Header:
    """The tags of one header that are needed here; raises `NotAHeader`."""
    if len(blob) < 8:  # noqa: PLR2004  # the two counts
        raise NotAHeader("too short")
    entries, size = struct.unpack_from(">II", blob)
    begin = 8 + 16 * entries
    if not 0 < entries <= _MOST_ENTRIES or begin + size > len(blob):
        raise NotAHeader("longer than its bytes")
    data = blob[begin : begin + size]
    header: Header = {}
    for tag, kind, offset, count in struct.iter_unpack(">IIII", blob[8:begin]):
        if tag not in _WANTED:
            continue
        if offset > size or count > size:
            raise NotAHeader("an entry points behind the end")
        if kind == _INT32:
            if offset + 4 * count > size:
                raise NotAHeader("an entry reaches behind the end")
            header[tag] = struct.unpack_from(f">{count}I", data, offset)
        elif kind in {_STRING, _STRINGS, _TRANSLATED}:
            texts = (
                data[offset:].split(b"\0", count)[:count]
                if kind != _STRING
                else data[offset:].split(b"\0", 1)[:1]
            )
            header[tag] = tuple(text.decode("utf-8", "surrogateescape") for text in texts)
    return header


_WANTED = {
    *(_NAME, _VERSION, _RELEASE, _EPOCH, _VENDOR, _ARCHITECTURE),
    *(_OLD_NAMES, _SOURCE, _DIRECTORY_OF, _NAMES, _DIRECTORIES),
}


def _claim(header: Header, state: Evidence) -> Claim | None:
    name, version, release = (_text(header, tag) for tag in (_NAME, _VERSION, _RELEASE))
    if not name or not version:
        raise NotAHeader("no name or version")
    if name == "gpg-pubkey":
        return None  # a key, kept as if it were a package
    epochs = header.get(_EPOCH, ())
    epoch = f"{epochs[0]}:" if epochs and epochs[0] else ""
    owner = Owner(kind=OwnerKind.RPM, name=name, version=f"{epoch}{version}-{release}")
    source = _SOURCE_NAME.fullmatch(_text(header, _SOURCE))
    package = Package(
        owner=owner,
        location=state.path,
        architecture=_text(header, _ARCHITECTURE),
        source=source[1] if source else name,
        source_version=f"{epoch}{source[2]}" if source else owner.version,
        maintainer=_text(header, _VENDOR),
    )
    return Claim(
        owner=owner, span=state.span, package=package if state.span.visible else None, files=_files(header)
    )


def _text(header: Header, tag: int) -> str:
    values = header.get(tag, ())
    return str(values[0]) if values else ""


def _files(header: Header) -> list[str]:
    names, directories = header.get(_NAMES, ()), header.get(_DIRECTORIES, ())
    if not names:
        return [str(path) for path in header.get(_OLD_NAMES, ())]
    files = []
    for name, index in zip(names, header.get(_DIRECTORY_OF, ()), strict=False):
        if not isinstance(index, int) or index >= len(directories):
            raise NotAHeader("a file lies in no directory")
        files.append(f"{directories[index]}{name}")
    return files
