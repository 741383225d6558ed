"""Bringing the stores up to date: what has not changed is not fetched, what cannot be fetched stays as it was."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import errno
import fcntl
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._vulnerabilities import osv
from hullmark._vulnerabilities.archive import gather
from hullmark._vulnerabilities.build import Building
from hullmark._vulnerabilities.feed import moment
from hullmark._vulnerabilities.packed import SCHEMA
from hullmark._vulnerabilities.store import Store, about, is_sound, place_of
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from hullmark._vulnerabilities.ecosystems import Ecosystem
    from hullmark._vulnerabilities.feed import Feed
    from hullmark._vulnerabilities.store import About

_SINGLY = 200
"""Records that are fetched one by one; when more have changed, all are fetched at once."""
_WHOLE_EVERY = dt.timedelta(days=14)
"""After so long everything is fetched again: the list of changes does not tell what was removed."""
_TICK = 0.1
_LOCK = ".lock"
_PART = ".part"


class Outcome(enum.StrEnum):
    """What became of the store of one ecosystem."""

    NEW = "new"
    """All records were fetched."""
    CHANGED = "changed"
    """The records that had changed were fetched."""
    SAME = "same"
    """Nothing had changed."""
    KEPT = "kept"
    """Nothing could be fetched; what there was is still there."""
    MISSING = "missing"
    """Nothing could be fetched, and there was nothing that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """One ecosystem after an update."""

    ecosystem: str
    outcome: Outcome
    about: About | None
    """What is stored now; `None` when nothing."""
    changed: int = 0
    """How many records were fetched one by one."""
    note: str = ""
    """What else there is to say, a sentence."""
    error: Unavailable | None = None
    """Why nothing could be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updating:
    """What an update works with."""

    directory: Path
    """Where the stores are."""
    feed: Feed
    cancelled: threading.Event
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    tell: Callable[[str], None] = lambda _: None
    """Told in a line what it is busy with."""
    patience: float = 600.0
    """Seconds for which another update is waited for."""

    def update(self, ecosystems: Iterable[Ecosystem], *, whole: bool = False) -> Iterator[Updated]:
        """Each ecosystem as it is afterwards; with `whole`, everything is fetched whether it has changed or not.

        What fails for one of them is in its result. Raises `Unavailable` when nothing can be written at all, and
        `Interrupted`.
        """
        with self.locked():
            for each in ecosystems:
                yield self._one(each, whole=whole)

    def clear(self, ecosystems: Iterable[str]) -> tuple[About, ...]:
        """Removes the stores of these; what was there."""
        found = []
        if not self.directory.is_dir():
            return ()
        with self.locked():
            for name in ecosystems:
                path = place_of(self.directory, name)
                if path.exists():
                    known = about(path)
                    try:
                        path.unlink()
                    except OSError as error:
                        raise Unavailable(f"{path} cannot be removed: {error.strerror}") from error
                    found.append(known)
        return tuple(found)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While this lasts, nobody else updates; raises `Unavailable` when somebody does for too long."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"vulnerabilities cannot be stored in {self.directory}: {error.strerror}",
                hint="HULLMARK_CACHE_DIR names another directory for the cache",
            ) from error
        try:
            self._wait_for(lock)
            for left in self.directory.glob(f".*{_PART}"):
                # Of an update that was killed: no other one is under way.
                with contextlib.suppress(OSError):
                    left.unlink()
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        waited = 0.0
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                    raise Unavailable(f"{self.directory} cannot be locked: {error.strerror}") from error
            else:
                return
            if not waited:
                self.tell("waiting for another update to end")
            if waited > self.patience:
                raise Unavailable(
                    f"another update of {self.directory} has not ended for {self.patience:.0f} s"
                )
            if self.cancelled.wait(_TICK):
                raise Interrupted
            waited += _TICK

    def _one(self, ecosystem: Ecosystem, *, whole: bool) -> Updated:
        path = place_of(self.directory, ecosystem.name)
        there = about(path) if path.exists() else None
        before = there if there is not None and is_sound(there) else None
        try:
            done = None
            if before is not None and not whole and before.source == self.feed.address(ecosystem.name):
                done = self._changes(ecosystem, before)
            return done or self._whole(ecosystem, before, there, whole=whole)
        except Unavailable as error:
            outcome = Outcome.MISSING if before is None else Outcome.KEPT
            return Updated(ecosystem=ecosystem.name, outcome=outcome, about=before, error=error)

    def _whole(
        self, ecosystem: Ecosystem, before: About | None, there: About | None, *, whole: bool
    ) -> Updated:
        source = self.feed.address(ecosystem.name)
        self.tell(f"fetching the records of {ecosystem.name} from {source}")
        known = before if before is not None and before.source == source and not whole else None
        with self._part(ecosystem, "zip") as archive, self._part(ecosystem, "sqlite") as made:
            fetched = self.feed.fetch(
                ecosystem.name,
                archive,
                etag=known.etag if known else "",
                last_modified=known.last_modified if known else "",
            )
            if fetched is None:
                assert known is not None
                return self._same(ecosystem, known, made)
            self.tell(f"storing the records of {ecosystem.name}")
            gathered = gather(
                fetched.path,
                source,
                ecosystem,
                now=self.now(),
                before=before.records if before is not None and before.source == source else 0,
                cancelled=self.cancelled,
            )
            now = self._now()
            told = {
                "source": source,
                "fetched": now,
                "whole": now,
                "newest": gathered.newest.isoformat(),
                "dated": fetched.dated,
                "copied": str(int(self.feed.copied)),
                "etag": fetched.etag,
                "last_modified": fetched.last_modified,
                "unread": str(gathered.unread),
            }
            self._write(ecosystem, gathered.building, made, told)
        note = ""
        if there is not None and before is None:
            note = (
                "the one that was there was damaged"
                if not there.schema or there.usable
                else f"the one that was there had been stored by another version of hullmark "
                f"(schema {there.schema}, now {SCHEMA})"
            )
        elif gathered.unread:
            note = f"of all records, {gathered.unread} could not be read and will not be found"
        if gathered.early:
            early = f"{gathered.early} records are" if gathered.early > 1 else "1 record is"
            note = f"{note}; {early} dated in the future" if note else f"{early} dated in the future"
        return Updated(
            ecosystem=ecosystem.name,
            outcome=Outcome.NEW,
            about=about(place_of(self.directory, ecosystem.name)),
            note=note,
        )

    def _changes(self, ecosystem: Ecosystem, before: About) -> Updated | None:
        """What became of it with changed records alone; `None` when all have to be fetched."""
        if moment(self._now()) - moment(before.whole) > _WHOLE_EVERY:
            return None
        since = moment(before.newest)
        self.tell(f"looking for changes in {ecosystem.name}")
        changes = self.feed.changes(ecosystem.name, since, _SINGLY)
        if changes is None:
            return None
        with Store(self.directory) as store, self._part(ecosystem, "sqlite") as made:
            records, affected = store.everything(ecosystem.name)
            known = {record.id: record.modified for record in records.values()}
            # Of the same moment there may be some that were not there yet.
            news = [
                each
                for each in changes
                if each.moment > since
                or each.record not in known
                or moment(known[each.record]) != each.moment
            ]
            if not news:
                return self._same(ecosystem, before, made)
            self.tell(f"fetching {len(news)} changed records of {ecosystem.name}")
            building = Building(ecosystem)
            replaced = {each.record for each in news}
            building.keep(
                {number: record for number, record in records.items() if record.id not in replaced}, affected
            )
            different = False
            for each in news:
                if self.cancelled.is_set():
                    raise Interrupted
                content = self.feed.record(ecosystem.name, each.record)
                if content is None:
                    # Listed and not there: whoever fills the bucket is busy; the archive is whole.
                    return None
                try:
                    taken = building.add(osv.read(content))
                except osv.WrongSchema:
                    return None
                different = different or taken or each.record in known
            if not different:
                # Withdrawn ones, and those about other ecosystems.
                return self._same(ecosystem, before, made)
            told = self._told(before) | {
                "fetched": self._now(),
                "newest": max(
                    since, *(each.moment for each in news if each.moment <= self.now())
                ).isoformat(),
                # Younger than the archive that the others came with.
                "dated": "",
            }
            self._write(ecosystem, building, made, told)
        return Updated(
            ecosystem=ecosystem.name,
            outcome=Outcome.CHANGED,
            about=about(place_of(self.directory, ecosystem.name)),
            changed=len(news),
        )

    def _same(self, ecosystem: Ecosystem, before: About, made: Path) -> Updated:
        """The same records, which agree with their source as of now."""
        with _full(made):
            made.write_bytes(before.path.read_bytes())
            database = sqlite3.connect(made)
            try:
                database.execute("update about set value = ? where key = 'fetched'", (self._now(),))
                database.commit()
            finally:
                database.close()
            made.replace(before.path)
        return Updated(ecosystem=ecosystem.name, outcome=Outcome.SAME, about=about(before.path))

    def _write(self, ecosystem: Ecosystem, building: Building, made: Path, told: Mapping[str, str]) -> None:
        with _full(made):
            building.write(made, told)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(place_of(self.directory, ecosystem.name))

    @contextlib.contextmanager
    def _part(self, ecosystem: Ecosystem, kind: str) -> Iterator[Path]:
        """Where something is made that is put into its place, or removed."""
        path = self.directory / f".{ecosystem.name}.{kind}{_PART}"
        try:
            with _full(path):
                yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    @staticmethod
    def _told(known: About) -> dict[str, str]:
        return {
            "source": known.source,
            "whole": known.whole,
            "newest": known.newest,
            "dated": known.dated,
            "copied": str(int(known.copied)),
            "etag": known.etag,
            "last_modified": known.last_modified,
            "unread": str(known.unread),
        }

    def _now(self) -> str:
        return self.now().astimezone(dt.UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _full(path: Path) -> Iterator[None]:
    """Says why nothing could be written to `path`."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"vulnerabilities cannot be stored in {path.parent}: {error.strerror or error}",
            hint="HULLMARK_CACHE_DIR names another directory for the cache",
        ) from error
    except sqlite3.Error as error:
        # SQLite says `database or disk is full`, `disk I/O error` and the like.
        raise Unavailable(
            f"vulnerabilities cannot be stored in {path.parent}: {error}",
            hint="is there space left? HULLMARK_CACHE_DIR names another directory for the cache",
        ) from error
