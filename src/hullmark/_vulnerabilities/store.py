"""The stores of all ecosystems in one directory: where they are, what they know of themselves, and looking things up."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from hullmark._vulnerabilities.packed import GROUP, SCHEMA, Broken, unpack_entries, unpack_records
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from hullmark._vulnerabilities.packed import Entry, Record

SUFFIX = ".sqlite"
_DIRECTORY = "vulnerabilities"
_UPDATE = "`hullmark db update` builds it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a store knows of itself."""

    ecosystem: str
    path: Path
    size: int
    """Bytes of the file."""
    schema: int
    """The way in which it is packed; of another one than `SCHEMA`, nothing else is known."""
    records: int = 0
    source: str = ""
    """The address that the records came from."""
    fetched: str = ""
    """When it last agreed with its source, as RFC 3339 has it."""
    whole: str = ""
    """When all records were fetched, not only those that had changed."""
    newest: str = ""
    """When the record was changed that was changed last."""
    dated: str = ""
    """When the copy was made that the records came from, where something says so."""
    copied: bool = False
    """Whether they came from a copy of what others publish, and not from those themselves."""
    etag: str = ""
    last_modified: str = ""
    unread: int = 0
    """Records of the source that are not in the store since they could not be read."""

    @property
    def usable(self) -> bool:
        """Whether this hullmark can read it."""
        return self.schema == SCHEMA

    @property
    def as_of(self) -> tuple[dt.datetime, str]:
        """The moment that it has everything of, and what tells: the oldest of what bears witness.

        When those who publish the records were asked is enough. A copy may have been left alone for long: of that, the
        day it was made and its newest record count too.
        """
        told = [(_moment(self.fetched), "the day it was fetched")]
        if self.copied and self.dated:
            told.append((_moment(self.dated), "the date of the archive"))
        if self.copied and self.newest:
            told.append((_moment(self.newest), "its newest record"))
        return min(told)

    def age(self, now: dt.datetime) -> dt.timedelta:
        """How long ago the moment is that it has everything of; never less than nothing."""
        return max(now - self.as_of[0], dt.timedelta())


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


class Store:
    """All that was fetched, read-only; to be closed. What is replaced meanwhile stays as it was opened."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: dict[str, _Opened | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all files."""
        for opened in self._open.values():
            if opened is not None:
                opened.database.close()
        self._open.clear()

    def about(self, ecosystem: str) -> About | None:
        """What there is of one ecosystem, `None` when nothing; raises `Unavailable` when it cannot be used."""
        opened = self._opened(ecosystem)
        return None if opened is None else opened.about

    def entries(self, ecosystem: str, name: str) -> tuple[Entry, ...]:
        """All that is said of the versions of one package, by its name as it is `spelled` in the ecosystem."""
        opened = self._opened(ecosystem)
        if opened is None:
            return ()
        with _readable(opened.about):
            row = opened.database.execute("select packed from affected where name = ?", (name,)).fetchone()
            return () if row is None else unpack_entries(row[0])

    def record(self, ecosystem: str, number: int) -> Record:
        """What there is to say beside that, by the number that an entry has."""
        opened = self._opened(ecosystem)
        assert opened is not None
        with _readable(opened.about):
            group = opened.groups.get(number // GROUP)
            if group is None:
                row = opened.database.execute(
                    "select packed from records where number = ?", (number // GROUP,)
                ).fetchone()
                if row is None:
                    raise Broken(f"record {number} is not there")
                group = opened.groups[number // GROUP] = unpack_records(row[0])
            if number % GROUP >= len(group):
                raise Broken(f"record {number} is not there")
            return group[number % GROUP]

    def everything(self, ecosystem: str) -> tuple[Mapping[int, Record], Mapping[str, tuple[Entry, ...]]]:
        """All records by number, and all entries by package."""
        opened = self._opened(ecosystem)
        assert opened is not None
        with _readable(opened.about):
            records = {
                group * GROUP + place: record
                for group, packed in opened.database.execute(
                    "select number, packed from records order by number"
                )
                for place, record in enumerate(unpack_records(packed))
            }
            affected = {
                name: unpack_entries(packed)
                for name, packed in opened.database.execute("select name, packed from affected")
            }
        return records, affected

    def _opened(self, ecosystem: str) -> _Opened | None:
        if ecosystem not in self._open:
            self._open[ecosystem] = _open(place_of(self.directory, ecosystem), ecosystem)
        return self._open[ecosystem]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    database: sqlite3.Connection
    about: About
    groups: dict[int, tuple[Record, ...]]


def is_sound(known: About) -> bool:
    """Whether all of a store can be read; what is damaged is not to be kept for not having changed."""
    if not known.usable:
        return False
    try:
        database = _connect(known.path)
    except sqlite3.Error:
        return False
    try:
        found = sum(
            len(unpack_records(packed)) for (packed,) in database.execute("select packed from records")
        )
        for (packed,) in database.execute("select packed from affected"):
            unpack_entries(packed)
    except (sqlite3.Error, Broken):
        return False
    finally:
        database.close()
    return found == known.records


def place_of(directory: Path, ecosystem: str) -> Path:
    """The file of one ecosystem."""
    return directory / f"{ecosystem}{SUFFIX}"


def directory_in(cache: Path) -> Path:
    """Where the stores are in the directory of the cache."""
    return cache / _DIRECTORY


def stored(directory: Path) -> tuple[About, ...]:
    """What is there, whether it can be used or not, by ecosystem."""
    if not directory.is_dir():
        return ()
    return tuple(about(path) for path in sorted(directory.glob(f"[!.]*{SUFFIX}")))


def about(path: Path) -> About:
    """What the store at `path` knows of itself; with schema 0 where it is none that can be read."""
    name = path.name.removesuffix(SUFFIX)
    nothing = About(ecosystem=name, path=path, size=path.stat().st_size, schema=0)
    try:
        database = _connect(path)
    except sqlite3.Error:
        return nothing
    try:
        return _about(database, path, name)
    except (sqlite3.Error, ValueError, KeyError):
        return nothing
    finally:
        database.close()


def _open(path: Path, ecosystem: str) -> _Opened | None:
    if not path.exists():
        return None
    try:
        database = _connect(path)
    except sqlite3.Error as error:
        raise Unavailable(
            f"the vulnerabilities of {ecosystem} cannot be read from {path}: {error}"
        ) from error
    try:
        known = _about(database, path, ecosystem)
    except (sqlite3.Error, ValueError, KeyError) as error:
        database.close()
        raise Unavailable(f"{path} is damaged", hint=_UPDATE) from error
    if not known.usable:
        database.close()
        raise Unavailable(
            f"the vulnerabilities of {ecosystem} were stored by another version of hullmark "
            f"(schema {known.schema}, this one reads {SCHEMA})",
            hint=_UPDATE,
        )
    return _Opened(database=database, about=known, groups={})


def _connect(path: Path) -> sqlite3.Connection:
    # Immutable: it is replaced as a whole, never written to. So it can be read where nothing may be written.
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)


def _about(database: sqlite3.Connection, path: Path, ecosystem: str) -> About:
    told = dict(database.execute("select key, value from about"))
    size = path.stat().st_size
    if int(told["schema"]) != SCHEMA:
        return About(ecosystem=ecosystem, path=path, size=size, schema=int(told["schema"]))
    for key in ("fetched", "newest", "dated"):
        if told.get(key) or key == "fetched":
            dt.datetime.fromisoformat(told[key])
    return About(
        ecosystem=ecosystem,
        path=path,
        size=size,
        schema=int(told["schema"]),
        records=int(told["records"]),
        source=told["source"],
        fetched=told["fetched"],
        whole=told["whole"],
        newest=told["newest"],
        # Those of a store that does not say count as the bucket's own, until they are fetched again.
        dated=told.get("dated", ""),
        copied=told.get("copied") == "1",
        etag=told["etag"],
        last_modified=told["last_modified"],
        unread=int(told["unread"]),
    )


@contextlib.contextmanager
def _readable(known: About) -> Iterator[None]:
    """Says what is damaged."""
    try:
        yield
    except (sqlite3.Error, Broken) as error:
        raise Unavailable(f"{known.path} is damaged: {error}", hint=_UPDATE) from error
