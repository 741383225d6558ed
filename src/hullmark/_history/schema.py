"""The tables of a history, and the way there from every earlier version of them.

A migration is a number of statements that both databases understand, and it never changes once it is published: what
is to be different is a migration more. There are few and they are short, which is why no other tool makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

METADATA = sa.MetaData()
VERSION = sa.Table("hullmark_history_version", METADATA, sa.Column("version", sa.Integer, nullable=False))
RECORDS = sa.Table(
    "hullmark_history",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("recorded", sa.Text, nullable=False),
    sa.Column("revision", sa.Text),
    sa.Column("branch", sa.Text),
    sa.Column("dirty", sa.Boolean, nullable=False),
    sa.Column("transfer", sa.BigInteger),
    sa.Column("unpacked", sa.BigInteger),
    sa.Column("visible", sa.BigInteger),
    sa.Column("owners", sa.Text, nullable=False),
    sa.Column("start_seconds", sa.Double),
    sa.Column("findings", sa.Text),
    sa.Column("vulnerabilities", sa.Text),
    sa.Column("update_bytes", sa.BigInteger),
    sa.Column("checks", sa.Text),
)
UNIQUE = ("project", "service", "revision", "dirty")
"""One record for each; where there is no commit, which is null, every record stands for itself."""

_KEYS = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """\
CREATE TABLE hullmark_history (
    id {key},
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    recorded TEXT NOT NULL,
    revision TEXT,
    branch TEXT,
    dirty BOOLEAN NOT NULL,
    transfer BIGINT,
    unpacked BIGINT,
    visible BIGINT,
    owners TEXT NOT NULL,
    start_seconds DOUBLE PRECISION,
    findings TEXT,
    vulnerabilities TEXT,
    UNIQUE (project, service, revision, dirty)
)""",
    ),
    (
        "ALTER TABLE hullmark_history ADD COLUMN update_bytes BIGINT",
        "CREATE INDEX hullmark_history_read ON hullmark_history (project, service, recorded)",
    ),
    ("ALTER TABLE hullmark_history ADD COLUMN checks TEXT",),
)
"""What leads from each version to the next; an empty database has version 0."""


def version_of(connection: sa.Connection) -> int:
    """The version of the tables there; 0 where there are none."""
    if not sa.inspect(connection).has_table(VERSION.name):
        return 0
    return int(connection.execute(sa.select(sa.func.max(VERSION.c.version))).scalar_one() or 0)


def migrate(connection: sa.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Brings the tables there to the newest of `migrations`; nobody else may be at it meanwhile.

    That is so within one transaction that holds the lock of the writers.
    """
    version = version_of(connection)
    if version == 0:
        connection.execute(sa.schema.CreateTable(VERSION, if_not_exists=True))
    for number, statements in enumerate(migrations[version:], start=version + 1):
        for statement in statements:
            connection.execute(sa.text(statement.format(key=_KEYS[connection.dialect.name])))
        connection.execute(sa.delete(VERSION))
        connection.execute(sa.insert(VERSION).values(version=number))
