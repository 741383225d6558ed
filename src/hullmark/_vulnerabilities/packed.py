"""How a store of one ecosystem is packed: an SQLite database, with what belongs together in one compressed blob.

`affected` has for each package all that records say of its versions: looking up an image decodes one blob for each of
its packages. `records` has everything else, some dozens in one blob: it is decoded for what was found.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

SCHEMA = 1
"""The number of this way of packing; a store of another one is built anew."""
GROUP = 64
"""Records in one blob."""
TABLES = """
create table about (key text primary key, value text not null) without rowid;
create table affected (name text primary key, packed blob not null) without rowid;
create table records (number integer primary key, packed blob not null);
"""
_LEVEL = 9


class Record(msgspec.Struct, array_like=True, frozen=True):
    """What there is to say of a vulnerability, whatever the package."""

    id: str
    aliases: tuple[str, ...]
    upstream: tuple[str, ...]
    published: str
    modified: str
    ratings: tuple[tuple[str, str], ...]
    """Kinds and values: CVSS vectors, and the words of databases."""
    summary: str
    exploited: bool | None = None
    likelihood: float | None = None


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """What one record says of the versions of one package."""

    record: int
    release: str
    ranges: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    versions: tuple[str, ...]
    ratings: tuple[tuple[str, str], ...]
    """Of this package alone."""


_ENTRIES = msgspec.msgpack.Decoder(tuple[Entry, ...])
_RECORDS = msgspec.msgpack.Decoder(tuple[Record, ...])
_ENCODER = msgspec.msgpack.Encoder()


class Broken(ValueError):
    """A blob is not what was packed."""


def pack(values: Any) -> bytes:
    """A blob."""
    packed: bytes = _zstandard().compress(_ENCODER.encode(values), _LEVEL)
    return packed


def unpack_entries(packed: bytes) -> tuple[Entry, ...]:
    """All entries of a package; raises `Broken`."""
    entries: tuple[Entry, ...] = _unpack(packed, _ENTRIES)
    return entries


def unpack_records(packed: bytes) -> tuple[Record, ...]:
    """A group of records; raises `Broken`."""
    records: tuple[Record, ...] = _unpack(packed, _RECORDS)
    return records


def _unpack(packed: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    zstandard = _zstandard()
    try:
        return decoder.decode(zstandard.decompress(packed))
    except (msgspec.MsgspecError, zstandard.ZstdError, UnicodeDecodeError) as error:
        raise Broken(str(error)) from error


def _zstandard() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415  # loaded when something is packed
    else:
        from backports import zstd  # noqa: PLC0415  # loaded when something is packed
    return zstd
