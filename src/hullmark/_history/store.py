"""A history in SQLite or PostgreSQL: records are added, any number of writers at once, and read."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hullmark._history.schema import MIGRATIONS, RECORDS, UNIQUE, migrate, version_of
from hullmark.errors import HullmarkError, Unavailable
from hullmark.model.history import Checkout, OwnerBytes, Record, total
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullmark._history.place import Place

_LOCK = 0x48554C4C4D41524B
"""What the writers of PostgreSQL lock; the number is the name of the program."""
_SECONDS = 60
"""That a writer waits for the others."""
_CONNECT = 10
"""Seconds."""
_KEPT = ("id", "recorded", *UNIQUE)
"""What a later record of the same commit does not change."""


class _Owners(msgspec.Struct, array_like=True, frozen=True):
    kind: str
    name: str
    bytes: int


_INSERT: dict[str, Callable[[sa.Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_OWNERS = msgspec.json.Decoder(tuple[_Owners, ...])
_COUNTS = msgspec.json.Decoder(tuple[tuple[str, int], ...])
_CHECKS = msgspec.json.Decoder(tuple[tuple[str, tuple[tuple[str, int], ...]], ...])


class History:
    """The records of one project at one place; raises `Unavailable` wherever they cannot be had."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def add(self, records: Sequence[Record]) -> None:
        """Adds `records`, all or none; one of the same service and commit takes the place of what it measured anew."""
        if self.place.file is not None:
            try:
                self.place.file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._failed(error.strerror or str(error)) from error
        with self._connection(writing=True) as connection:
            migrate(connection)
            insert = _INSERT[connection.dialect.name]
            for given in records:
                record = self._with_earlier(connection, given)
                new = insert(RECORDS).values(project=self.place.project, **_row(record))
                changed: dict[str, Any] = {
                    column.name: sa.func.coalesce(new.excluded[column.name], column)
                    for column in RECORDS.columns
                    if column.name not in _KEPT
                }
                # Without an image no owner is known, which is not the same as that there is none.
                changed["owners"] = sa.case(
                    (new.excluded.unpacked.is_(None), RECORDS.c.owners), else_=new.excluded.owners
                )
                connection.execute(new.on_conflict_do_update(index_elements=UNIQUE, set_=changed))

    def _with_earlier(self, connection: sa.Connection, record: Record) -> Record:
        """`record` with what was found of the same commit by checks that were not made again."""
        if record.checkout.commit is None or not record.checks:
            return record
        there = connection.execute(
            sa.select(RECORDS.c.checks).where(
                RECORDS.c.project == self.place.project,
                RECORDS.c.service == record.service,
                RECORDS.c.revision == record.checkout.commit,
                RECORDS.c.dirty == record.checkout.dirty,
            )
        ).scalar()
        if there is None:
            return record
        checks = {**dict(_CHECKS.decode(there)), **dict(record.checks)}
        order = [str(check) for check in Check]
        merged = tuple(
            sorted(checks.items(), key=lambda each: order.index(each[0]) if each[0] in order else len(order))
        )
        return replace(record, checks=merged, findings=total(merged))

    def records(self, *, branch: str | None = None) -> tuple[Record, ...]:
        """Every record, of `branch` where that is given, the oldest first; none where there is no history yet."""
        if self.place.file is not None and not self.place.file.exists():
            if self.place.named and not self.place.file.parent.is_dir():
                raise self._failed(f"there is no directory {self.place.file.parent}")
            return ()
        wanted = sa.select(RECORDS).where(RECORDS.c.project == self.place.project)
        if branch is not None:
            wanted = wanted.where(RECORDS.c.branch == branch)
        wanted = wanted.order_by(RECORDS.c.recorded, RECORDS.c.id)
        with self._connection(writing=False) as connection:
            version = version_of(connection)
            if version == len(MIGRATIONS):
                return tuple(_record(row) for row in connection.execute(wanted).mappings())
        if version == 0:
            return ()
        with self._connection(writing=True) as connection:
            migrate(connection)
            return tuple(_record(row) for row in connection.execute(wanted).mappings())

    @contextmanager
    def _connection(self, *, writing: bool) -> Iterator[sa.Connection]:
        """A transaction; one that is `writing` is the only one of its kind."""
        try:
            engine = self._engine()
            try:
                with engine.begin() as connection:
                    if connection.dialect.name == "sqlite":
                        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
                    elif writing:
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                    self._refuse_newer(version_of(connection))
                    yield connection
            finally:
                engine.dispose()
        except HullmarkError:
            raise
        except sa.exc.DBAPIError as error:
            raise self._failed(str(error.orig)) from None
        except (sa.exc.SQLAlchemyError, ValueError, OSError) as error:
            # Not chained: what the cause says may hold the password.
            raise self._failed(str(error)) from None

    def _engine(self) -> sa.Engine:
        if self.place.file is not None:
            return sa.create_engine(
                sa.URL.create("sqlite", database=str(self.place.file)),
                # Transactions are begun here, so that a writer waits for its turn before it has read anything.
                connect_args={"isolation_level": None, "timeout": _SECONDS},
                poolclass=sa.pool.NullPool,
            )
        url = sa.make_url(self.place.url).set(drivername="postgresql+psycopg")
        if self.place.password:
            url = url.set(password=self.place.password)
        return sa.create_engine(
            url,
            connect_args={"connect_timeout": _CONNECT, "application_name": "hullmark"},
            poolclass=sa.pool.NullPool,
        )

    def _refuse_newer(self, version: int) -> None:
        if version > len(MIGRATIONS):
            raise Unavailable(
                f"the history at {self.place} is that of a newer hullmark: its version is {version}, and this one"
                f" knows {len(MIGRATIONS)}",
                hint="upgrade hullmark; what is there was not touched",
            )

    def _failed(self, why: str) -> Unavailable:
        lines = [line.strip() for line in self.place.without_password(why).splitlines() if line.strip()]
        damaged = "not a database" in why or "malformed" in why
        return Unavailable(
            f"the history at {self.place} cannot be used: {lines[0] if lines else 'no reason is given'}",
            hint="move the file away to begin a new one"
            if damaged and not (self.place.named and "not a database" in why)
            else "`url` of `[history]`, or HULLMARK_HISTORY_URL, says where it is",
        )


def _row(record: Record) -> dict[str, Any]:
    return {
        "service": record.service,
        # In one form, so that their order is that of time.
        "recorded": record.time.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "revision": record.checkout.commit,
        "branch": record.checkout.branch,
        "dirty": record.checkout.dirty,
        "transfer": record.transfer,
        "unpacked": record.unpacked,
        "visible": record.visible,
        "update_bytes": record.update,
        "owners": _json([(each.kind, each.name, each.bytes) for each in record.owners]),
        "start_seconds": record.start,
        "findings": None if record.findings is None else _json(record.findings),
        "checks": _json(record.checks) if record.checks else None,
        "vulnerabilities": None if record.vulnerabilities is None else _json(record.vulnerabilities),
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _record(row: sa.RowMapping) -> Record:
    return Record(
        service=row["service"],
        time=dt.datetime.fromisoformat(row["recorded"]),
        checkout=Checkout(commit=row["revision"], branch=row["branch"], dirty=row["dirty"]),
        transfer=row["transfer"],
        unpacked=row["unpacked"],
        visible=row["visible"],
        update=row["update_bytes"],
        owners=tuple(
            OwnerBytes(kind=each.kind, name=each.name, bytes=each.bytes)
            for each in _OWNERS.decode(row["owners"])
        ),
        start=row["start_seconds"],
        findings=None if row["findings"] is None else _COUNTS.decode(row["findings"]),
        checks=() if row["checks"] is None else _CHECKS.decode(row["checks"]),
        vulnerabilities=None if row["vulnerabilities"] is None else _COUNTS.decode(row["vulnerabilities"]),
    )
