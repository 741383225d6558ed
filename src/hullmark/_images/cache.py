"""Layers that were read before, kept in the user's cache directory and known by their diff IDs.

A cache that cannot be used makes a run slower and nothing else: whatever goes wrong with it is as if nothing were there.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from hullmark._files import cache_directory
from hullmark._images.packed import packed_layers, unpacked_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from hullmark._images.interface import Request, Walked
    from hullmark._images.packed import Found
    from hullmark.model.digest import DiffId

VERSION = f"3{sys.byteorder[0]}"
"""Of how entries are packed; those of another version are of no use."""
LARGEST = 1_000_000_000
"""Bytes of all entries; beyond, those are dropped that were not used for the longest time."""
_FILE = "layers.sqlite"
_PATIENCE = 2.0
"""Seconds for which another process may hold the cache."""
_LEVEL = 1
_THERE = "select 1 from sqlite_master where type = 'table' and name = 'layers'"
_SCHEMA = """
create table if not exists layers (
    key text primary key, version text not null, checksum blob not null, packed blob not null, used real not null
) without rowid
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a cache holds."""

    path: Path
    entries: int
    size: int
    """Bytes of its files."""


class Cache:
    """The cache in `directory`; `None` is the cache that keeps nothing. Safe to share between threads."""

    def __init__(self, directory: Path | None, *, largest: int = LARGEST) -> None:
        self.directory = directory
        self._largest = largest
        self._lock = threading.Lock()

    @classmethod
    def at(cls, environ: Mapping[str, str]) -> Self:
        """The cache of the user whose environment that is: HULLMARK_CACHE_DIR, else below XDG_CACHE_HOME or `~/.cache`.

        None with HULLMARK_NO_CACHE, or where there is no home.
        """
        if environ.get("HULLMARK_NO_CACHE", "") not in {"", "0"}:
            return cls(None)
        return cls(cache_directory(environ))

    def get(self, diff_id: DiffId, request: Request) -> Found | None:
        """What is kept of a layer, with all that `request` wants of it, or `None`.

        Who wants no captured files gets what others captured as well.
        """
        whatever = request.capture is None
        found = self._get(_key(diff_id, request), whatever=whatever)
        if found is None and not request.verify:
            found = self._get(_key(diff_id, request, verified=False), whatever=whatever)
        return found

    def _get(self, beginning: str, *, whatever: bool) -> Found | None:
        # Without a capture a key is the beginning of all those with one.
        last = f"{beginning}\U0010ffff" if whatever else beginning
        found = self._use(lambda database: _read(database, beginning, last))
        if found is None:
            return None
        key, version, checksum, packed = found
        try:
            if version == VERSION and checksum == xxhash.xxh3_128_digest(packed):
                return _unpack(packed)
        except (ValueError, TypeError, msgspec.MsgspecError, MemoryError, OverflowError):
            pass
        except _zstandard().ZstdError:
            pass
        self._use(lambda database: database.execute("delete from layers where key = ?", (key,)))
        return None

    def put(self, diff_id: DiffId, request: Request, walked: Walked) -> None:
        """Keeps a layer; one that was not verified is there only for those who do not ask for that either."""
        if self.directory is None:
            return
        packed = _pack(walked)
        if len(packed) > self._largest:
            return
        key = _key(diff_id, request, verified=walked.verified)
        row = (key, VERSION, xxhash.xxh3_128_digest(packed), packed, time.time())
        self._use(lambda database: _write(database, row, self._largest))

    def transfer(self, diff_id: DiffId) -> int | None:
        """Bytes of the blob that an engine would make of a layer, where somebody has measured that."""
        key = f"{diff_id} transfer"
        found = self._use(lambda database: _read(database, key, key))
        if found is None:
            return None
        _, version, checksum, packed = found
        if version != VERSION or checksum != xxhash.xxh3_128_digest(packed):
            return None
        return int.from_bytes(packed, "big")

    def put_transfer(self, diff_id: DiffId, size: int) -> None:
        """Keeps how large the blob of a layer becomes."""
        packed = size.to_bytes(8, "big")
        row = (f"{diff_id} transfer", VERSION, xxhash.xxh3_128_digest(packed), packed, time.time())
        self._use(lambda database: _write(database, row, self._largest))

    def scanned(self, diff_id: DiffId, name: str) -> bytes | None:
        """What the scanner called `name` kept of a layer, where it has looked through it."""
        key = f"{diff_id} scanned {name}"
        found = self._use(lambda database: _read(database, key, key))
        if found is None:
            return None
        _, version, checksum, packed = found
        if version != VERSION or checksum != xxhash.xxh3_128_digest(packed):
            return None
        return bytes(packed)

    def put_scanned(self, diff_id: DiffId, name: str, kept: bytes) -> None:
        """Keeps what a scanner kept of a layer."""
        row = (f"{diff_id} scanned {name}", VERSION, xxhash.xxh3_128_digest(kept), kept, time.time())
        self._use(lambda database: _write(database, row, self._largest))

    def usage(self) -> Usage | None:
        """What is there; `None` where nothing is kept."""
        if self.directory is None:
            return None
        count = 0
        if (self.directory / _FILE).exists():
            found = self._use(lambda database: database.execute("select count(*) from layers").fetchone())
            count = 0 if found is None else int(found[0])
        return Usage(path=self.directory, entries=count, size=sum(size for _, size in self._files()))

    def clear(self) -> Usage | None:
        """Removes everything; what was there."""
        before = self.usage()
        if before is None:
            return None
        with self._lock:
            for path, _ in self._files():
                with contextlib.suppress(OSError):
                    path.unlink()
        return before

    def _files(self) -> Iterator[tuple[Path, int]]:
        assert self.directory is not None
        for suffix in ("", "-wal", "-shm", "-journal"):
            path = self.directory / f"{_FILE}{suffix}"
            with contextlib.suppress(OSError):
                yield path, path.stat().st_size

    def _use(self, work: Any) -> Any:
        """What `work` makes of the open database, or `None` where that cannot be done; a broken one is removed."""
        if self.directory is None:
            return None
        with self._lock:
            try:
                return self._try(work)
            except sqlite3.OperationalError:
                return None  # locked, read-only, full: others may still use it
            except sqlite3.DatabaseError:
                # No database at all, or a broken one: the next run starts a new one.
                for path, _ in self._files():
                    with contextlib.suppress(OSError):
                        path.unlink()
                return None
            except OSError:
                return None

    def _try(self, work: Any) -> Any:
        assert self.directory is not None
        # What images hold is nobody else's business.
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(
            self.directory / _FILE, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            if database.execute(_THERE).fetchone() is None:
                database.execute("pragma auto_vacuum = incremental")
                database.execute("pragma journal_mode = wal")
                database.execute(_SCHEMA)
            database.execute("pragma synchronous = normal")
            return work(database)
        finally:
            database.close()


def _key(diff_id: DiffId, request: Request, *, verified: bool = True) -> str:
    capture = "" if request.capture is None else request.capture.name
    words = (
        str(diff_id),
        "contents" if request.contents else "entries",
        "" if verified else "unverified",
        capture,
    )
    return " ".join(words)


def _read(database: sqlite3.Connection, first: str, last: str) -> tuple[str, str, bytes, bytes] | None:
    """The first entry whose key is not before `first` nor after `last`: key, version, checksum and columns."""
    row = database.execute(
        "select key, version, checksum, packed from layers where key between ? and ? order by key limit 1",
        (first, last),
    ).fetchone()
    if row is None:
        return None
    with contextlib.suppress(sqlite3.OperationalError):
        database.execute("update layers set used = ? where key = ?", (time.time(), row[0]))
    return row[0], row[1], bytes(row[2]), bytes(row[3])


def _write(database: sqlite3.Connection, row: tuple[Any, ...], largest: int) -> None:
    database.execute("begin immediate")
    try:
        database.execute("insert or replace into layers values (?, ?, ?, ?, ?)", row)
        (total,) = database.execute("select coalesce(sum(length(packed)), 0) from layers").fetchone()
        if total > largest:
            oldest = database.execute("select key, length(packed) from layers order by used").fetchall()
            for key, size in oldest:
                if total <= largest or key == row[0]:
                    break
                database.execute("delete from layers where key = ?", (key,))
                total -= size
        database.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("rollback")
        raise
    database.execute("pragma incremental_vacuum").fetchall()


def _pack(walked: Walked) -> bytes:
    packed: bytes = _zstandard().compress(packed_layers([walked]), _LEVEL)
    return packed


def _unpack(packed: bytes) -> Found:
    """The layer; raises `ValueError` and the like unless all of it fits together."""
    (found,) = unpacked_layers(_zstandard().decompress(packed))
    return found


def _zstandard() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd
