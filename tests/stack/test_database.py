"""The database is ready when it is migrated, not before, and PostgreSQL never runs as root."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.conftest import Docker, Eventually, Stack, Start

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

# No port, a health check that looks often, and migrations that the test may add to.
OVERRIDE = """
services:
  db:
    restart: "no"
    ports: !override []
    healthcheck: {{interval: 500ms}}
    volumes:
      - {migrations}:/migrations:ro
"""
LISTENS_ON_TCP = ("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/5432")


@pytest.fixture
def migrations(tmp_path: Path, tale: Path) -> Path:
    """A copy of the migrations, which the database of the test applies."""
    return shutil.copytree(tale / "services" / "db" / "migrations", tmp_path / "migrations")


@pytest.fixture
def database(start: Start, tmp_path: Path, migrations: Path) -> Iterator[Stack]:
    """A database that was created and is not started yet."""
    override = tmp_path / "override.yml"
    override.write_text(OVERRIDE.format(migrations=migrations), encoding="utf-8")
    with start("--no-start", "db", files=("-f", "compose.yml", "-f", str(override))) as stack:
        yield stack


@pytest.fixture
def status(database: Stack) -> Callable[[], str]:
    """Tells the health of the database while it runs, and its exit status when it has ended."""

    def told() -> str:
        state = database.container("db")["State"]
        return str(state["Health"]["Status"]) if state["Running"] else f"exited {state['ExitCode']}"

    return told


def test_a_database_is_not_ready_while_it_migrates(
    database: Stack, migrations: Path, status: Callable[[], str], eventually: Eventually
) -> None:
    (migrations / "0009_slow.sql").write_text("SELECT pg_sleep(5);", encoding="utf-8")
    database.compose("start", "db")
    eventually(lambda: "0009_slow" in database.compose("logs", "db"), "the slow migration begins")
    assert status() == "starting"
    with pytest.raises(AssertionError, match="Connection refused"):
        database.compose("exec", "-T", "db", *LISTENS_ON_TCP)
    with pytest.raises(AssertionError, match=r"Connection refused|could not connect"):
        database.compose("exec", "-T", "db", "db-healthcheck")
    assert eventually(lambda: status() == "healthy", "the database is healthy")
    database.compose("exec", "-T", "db", *LISTENS_ON_TCP)
    assert database.sql("SELECT name FROM schema_migrations ORDER BY name").split() == [
        "0001_pages",
        "0002_documents",
        "0003_search_indexes",
        "0009_slow",
    ]


def test_a_migration_that_fails_leaves_nothing_behind_and_no_database_to_use(
    database: Stack, migrations: Path, status: Callable[[], str], eventually: Eventually
) -> None:
    broken = migrations / "0009_broken.sql"
    broken.write_text("CREATE TABLE half_done (); SELECT 1 / 0;", encoding="utf-8")
    database.compose("start", "db")
    eventually(lambda: status().startswith("exited"), "the database gives up")
    assert status() != "exited 0"
    assert "division by zero" in database.compose("logs", "db")
    broken.unlink()
    database.compose("start", "db")
    eventually(lambda: status() == "healthy", "the database is healthy without the broken migration")
    assert database.sql("SELECT to_regclass('half_done') IS NULL") == "t"


def test_a_restart_keeps_the_data_and_applies_only_what_is_new(
    database: Stack, migrations: Path, status: Callable[[], str], eventually: Eventually
) -> None:
    database.compose("start", "db")
    eventually(lambda: status() == "healthy", "the database is healthy")
    database.sql("INSERT INTO crawls (url) VALUES ('http://kept.example/')")
    database.compose("stop", "db")
    assert status() == "exited 0"
    (migrations / "0009_new.sql").write_text("CREATE TABLE news ();", encoding="utf-8")
    database.compose("start", "db")
    eventually(lambda: status() == "healthy", "the database is healthy again")
    assert database.sql("SELECT url FROM crawls") == "http://kept.example/"
    assert database.compose("logs", "db").count("applying migration") == 4
    assert database.sql("SELECT count(*) FROM news") == "0"


def test_every_process_of_the_database_belongs_to_postgres(
    database: Stack, status: Callable[[], str], eventually: Eventually, docker: Docker
) -> None:
    database.compose("start", "db")
    eventually(lambda: status() == "healthy", "the database is healthy")
    # Asked from outside, so that asking adds no process of its own.
    _, *processes = docker("top", database.container("db")["Id"], "-eo", "pid,uid,args").splitlines()
    servers = [process.split(maxsplit=2)[1:] for process in processes if "healthcheck" not in process]
    assert any(re.search(r"\bcheckpointer\b", command) for _, command in servers)
    owner = database.compose("exec", "-T", "db", "id", "-u", "postgres").strip()
    assert owner != "0"
    assert {uid for uid, command in servers if "postgres" in command} == {owner}
    [main] = database.compose("exec", "-T", "db", "grep", "^Uid:", "/proc/1/status").splitlines()
    assert main.split()[1:] == [owner] * 4
    [privileges] = database.compose("exec", "-T", "db", "grep", "^CapEff:", "/proc/1/status").splitlines()
    assert int(privileges.split()[1], 16) == 0


def test_the_image_of_the_database_runs_other_programs_too(version: str, docker: Docker) -> None:
    assert docker("run", "--rm", f"tale-db:{version}", "postgres", "--version").startswith(
        "postgres (PostgreSQL) 17."
    )
