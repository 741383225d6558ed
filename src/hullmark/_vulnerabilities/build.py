"""From records to the store of one ecosystem."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from hullmark._vulnerabilities.packed import GROUP, SCHEMA, TABLES, Entry, Record, pack
from hullmark._vulnerabilities.ranges import FIXED, INTRODUCED, LAST_AFFECTED, LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullmark._vulnerabilities import osv
    from hullmark._vulnerabilities.ecosystems import Ecosystem

# Advisories of these name the vulnerabilities that they fix beside other things that they are about.
_RELATED = re.compile(r"(?:RH[SBE]A|AL[SBE]A|RLSA|RXSA|(?:open)?SUSE-[A-Z]{2})-")
_LONGEST = 300
"""Characters of a summary that are kept."""
_WORDS = ("severity", "urgency")


class Building:
    """Gathers what records say of the packages of one ecosystem, then writes it."""

    def __init__(self, ecosystem: Ecosystem) -> None:
        self._ecosystem = ecosystem
        self._records: list[Record] = []
        self._affected: defaultdict[str, list[bytes]] = defaultdict(list)
        self._encode = msgspec.msgpack.Encoder().encode

    def __len__(self) -> int:
        return len(self._records)

    def add(self, advisory: osv.Advisory) -> bool:
        """Takes a record, unless it was withdrawn or is about no version of this ecosystem; whether it was taken."""
        if advisory.withdrawn:
            return False
        number = len(self._records)
        entries = list(self._entries(advisory, number))
        if not entries:
            return False
        upstream = advisory.upstream or ()
        if not upstream and _RELATED.match(advisory.id):
            upstream = tuple(other for other in advisory.related or () if other.startswith("CVE-"))
        specific = advisory.database_specific or {}
        self._records.append(
            Record(
                id=advisory.id,
                aliases=advisory.aliases or (),
                upstream=upstream,
                published=advisory.published or "",
                modified=advisory.modified,
                ratings=(*_vectors(advisory.severity), *_words(specific)),
                summary=(advisory.summary or "")[:_LONGEST],
                exploited=_exploited(specific),
                likelihood=_likelihood(specific),
            )
        )
        for name, entry in entries:
            self._affected[name].append(self._encode(entry))
        return True

    def keep(self, records: Mapping[int, Record], affected: Mapping[str, tuple[Entry, ...]]) -> None:
        """Takes what another store has, with numbers that mean `records`; entries of other records are left behind."""
        numbers = {old: len(self._records) + new for new, old in enumerate(records)}
        self._records += records.values()
        for name, entries in affected.items():
            for entry in entries:
                if entry.record in numbers:
                    moved = msgspec.structs.replace(entry, record=numbers[entry.record])
                    self._affected[name].append(self._encode(moved))

    def _entries(self, advisory: osv.Advisory, number: int) -> Iterator[tuple[str, Entry]]:
        for affected in advisory.affected or ():
            if affected.package is None:
                continue
            name, _, release = affected.package.ecosystem.partition(":")
            ranges = tuple(
                (each.type, tuple(_event(event) for event in each.events))
                for each in affected.ranges or ()
                if each.type != "GIT"
            )
            if name != self._ecosystem.name or not (ranges or affected.versions):
                continue
            specific = (affected.ecosystem_specific or {}) | (affected.database_specific or {})
            yield (
                self._ecosystem.spelled(affected.package.name),
                Entry(
                    record=number,
                    release=release,
                    ranges=ranges,
                    versions=affected.versions or (),
                    ratings=(*_vectors(affected.severity), *_words(specific)),
                ),
            )

    def write(self, path: Path, about: Mapping[str, str]) -> None:
        """Makes the store at `path`, where there is nothing yet; raises `sqlite3.Error` and `OSError`."""
        database = sqlite3.connect(path, isolation_level=None)
        try:
            # It is put in its place when it is whole, and thrown away otherwise.
            database.executescript(
                "pragma page_size = 4096; pragma journal_mode = off; pragma synchronous = off;"
            )
            database.executescript(TABLES)
            database.execute("begin")
            database.executemany(
                "insert into affected values (?, ?)",
                (
                    (name, pack(list(map(msgspec.Raw, self._affected[name]))))
                    for name in sorted(self._affected)
                ),
            )
            database.executemany(
                "insert into records values (?, ?)",
                (
                    (begin // GROUP, pack(self._records[begin : begin + GROUP]))
                    for begin in range(0, len(self._records), GROUP)
                ),
            )
            told = {
                "schema": str(SCHEMA),
                "ecosystem": self._ecosystem.name,
                "records": str(len(self)),
                **about,
            }
            database.executemany("insert into about values (?, ?)", sorted(told.items()))
            database.execute("commit")
        finally:
            database.close()


def _event(event: osv.Event) -> tuple[int, str]:
    for kind, version in (
        (INTRODUCED, event.introduced),
        (FIXED, event.fixed),
        (LAST_AFFECTED, event.last_affected),
        (LIMIT, event.limit),
    ):
        if version is not None:
            return kind, version
    raise AssertionError("a record with such an event is not read")


def _vectors(severity: tuple[osv.Severity, ...] | None) -> tuple[tuple[str, str], ...]:
    return tuple((each.type, each.score) for each in severity or ())


def _words(specific: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Ratings of a database or distribution, in its own words."""
    return tuple((key, value) for key in _WORDS if isinstance(value := specific.get(key), str) and value)


def _exploited(specific: Mapping[str, object]) -> bool | None:
    """What a database says of the catalogue of exploited vulnerabilities, where it says something."""
    for key in ("known_exploited", "kev", "cisa_kev"):
        match specific.get(key):
            case bool(said):
                return said
            case dict():
                # The entry of the catalogue.
                return True
            case _:
                pass
    return None


def _likelihood(specific: Mapping[str, object]) -> float | None:
    match specific.get("epss"):
        case float(said) | {"score": float(said)} | {"probability": float(said)} if 0 <= said <= 1:
            return said
        case _:
            return None
