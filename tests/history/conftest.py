"""The two databases that a history may lie in, both real, and records to put into them."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from socket import create_server
from typing import TYPE_CHECKING

import psycopg
import pytest

from hullmark._history.place import Place
from hullmark.model.history import Checkout, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse/battery@staple"
START = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
MB = 1_000_000


def record(
    at: int = 0, *, service: str = "web", branch: str | None = "main", unpacked: int = 400 * MB
) -> Record:
    """What was measured of a service `at` hours after the first one."""
    return Record(
        service=service,
        time=START + dt.timedelta(hours=at),
        checkout=Checkout(commit=f"{at:040x}", branch=branch),
        unpacked=unpacked,
        visible=unpacked - MB,
    )


@pytest.fixture(scope="session")
def server() -> Iterator[int]:
    """The port of a PostgreSQL of the tests' own, which wants a password."""
    found = subprocess.run([ROOT / "scripts/postgres"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    programs = Path(found.stdout.strip())
    directory = Path(tempfile.mkdtemp(prefix="hullmark-postgres-"))
    # It refuses to run as root.
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    secret = directory / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    for path in (directory, secret) if user is not None else ():
        os.chown(path, user or 0, -1)
    data = directory / "data"
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "hullmark", "-A", "scram-sha-256", f"--pwfile={secret}",
         "--no-sync", "--no-locale", "-E", "UTF8"],
        check=True, capture_output=True, user=user, cwd=directory,
    )  # fmt: skip
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-k", directory, "-h", "127.0.0.1", "-F"],
            stdout=log, stderr=log, user=user, cwd=directory,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                connect(port).close()
                break
            except psycopg.OperationalError:
                assert process.poll() is None, (directory / "log").read_text("utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield port
    finally:
        # Ends it at once, its sessions included.
        process.send_signal(3)
        process.wait()
        shutil.rmtree(directory)


def connect(port: int) -> psycopg.Connection:
    """A session of the server's owner."""
    return psycopg.connect(
        host="127.0.0.1", port=port, user="hullmark", password=PASSWORD, dbname="postgres", autocommit=True
    )


@pytest.fixture
def postgresql(server: int) -> Iterator[Place]:
    """A database of its own."""
    name = f"history_{uuid.uuid4().hex}"
    with connect(server) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield Place(project="shop", url=f"postgresql://hullmark@127.0.0.1:{server}/{name}", password=PASSWORD)
    with connect(server) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the two, empty."""
    if request.param == "sqlite":
        return Place(project="shop", file=tmp_path / "below" / "history.sqlite")
    found: Place = request.getfixturevalue("postgresql")
    return found
