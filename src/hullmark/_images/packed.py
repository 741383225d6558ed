"""Layers that were read, as bytes of this machine: for the cache, and from one process to another."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

from hullmark.model.table import DIGEST_SIZE, FileTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._images.interface import Walked

Found = tuple[FileTable, "Mapping[str, bytes]"]
"""The entries of a layer, and what was captured of it."""


class _Columns(msgspec.Struct, array_like=True, frozen=True):
    """A layer as it is packed."""

    rows: int
    paths: bytes
    kinds: bytes
    sizes: bytes
    modes: bytes
    uids: bytes
    gids: bytes
    mtimes: bytes
    links: list[tuple[int, bytes]]
    xattrs: list[tuple[int, list[tuple[bytes, bytes]]]]
    digests: bytes | None
    captured: list[tuple[bytes, bytes]]


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(list[_Columns])


def packed_layers(layers: Iterable[Walked]) -> bytes:
    """Entries and captures of `layers`."""
    return msgspec.msgpack.encode([_columns(each) for each in layers])


def unpacked_layers(packed: bytes | bytearray) -> list[Found]:
    """What was packed; raises `ValueError` and the like unless all of it fits together."""
    return [_layer(each) for each in _DECODER.decode(packed)]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _columns(walked: Walked) -> _Columns:
    table = walked.table
    return _Columns(
        rows=len(table),
        paths=_bytes("\0".join(table.paths)),
        kinds=table.kinds,
        sizes=table.sizes.tobytes(),
        modes=table.modes.tobytes(),
        uids=table.uids.tobytes(),
        gids=table.gids.tobytes(),
        mtimes=table.mtimes.tobytes(),
        links=[(row, _bytes(link)) for row, link in table.links.items()],
        xattrs=[(row, [(_bytes(k), v) for k, v in each]) for row, each in table.xattrs.items()],
        digests=table.digests,
        captured=[(_bytes(path), content) for path, content in walked.captured.items()],
    )


def _layer(columns: _Columns) -> Found:
    paths = _text(columns.paths).split("\0") if columns.rows else []
    arrays = [
        _array(code, raw)
        for code, raw in (
            ("q", columns.sizes),
            ("H", columns.modes),
            ("I", columns.uids),
            ("I", columns.gids),
            ("q", columns.mtimes),
        )
    ]
    lengths = {len(paths), len(columns.kinds), *map(len, arrays)}
    if columns.digests is not None:
        lengths.add(len(columns.digests) // DIGEST_SIZE)
    if lengths != {columns.rows}:
        raise ValueError("columns of different lengths")
    sizes, modes, uids, gids, mtimes = arrays
    table = FileTable(
        paths=paths,
        kinds=columns.kinds,
        sizes=sizes,
        modes=modes,
        uids=uids,
        gids=gids,
        mtimes=mtimes,
        links={row: _text(link) for row, link in columns.links},
        xattrs={row: tuple((_text(k), v) for k, v in each) for row, each in columns.xattrs},
        digests=columns.digests,
    )
    return table, {_text(path): content for path, content in columns.captured}


def _array(code: str, raw: bytes) -> array[int]:
    made: array[int] = array(code)
    made.frombytes(raw)
    return made
