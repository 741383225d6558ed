"""`hullmark db` on the command line."""

from __future__ import annotations

import datetime as dt
import io
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.vulnerabilities.conftest import DATA, archive, record

from hullmark._cli import main
from hullmark._vulnerabilities.packed import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command has answered."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Here:
    """A directory without a project, with a cache of its own beside it."""

    directory: Path
    cache: Path

    def __call__(self, *arguments: str, **environ: str) -> Said:
        """Runs a command."""
        stdout, stderr = io.StringIO(), io.StringIO()
        settings = {"HULLMARK_CACHE_DIR": str(self.cache), **environ}
        code = main(["-C", str(self.directory), *arguments], stdout=stdout, stderr=stderr, environ=settings)
        return Said(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())

    @property
    def stored(self) -> Path:
        """Where the stores are."""
        return self.cache / "vulnerabilities"


def _recent() -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)).isoformat()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """Nothing is stored yet; `feed` has records of PyPI."""
    (tmp_path / "work/feed/PyPI").mkdir(parents=True)
    (tmp_path / "work/feed/PyPI/all.zip").write_bytes(archive([record("PYSEC-1", modified=_recent())]))
    return Here(directory=tmp_path / "work", cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http:// PyPI", "that is no URL of a host"),
        ("http:///x", "that is no URL of a host"),
        ("http://[::1", "that is no URL of a host"),
        ("http://host:99999/x", "that is no URL of a host"),
        ("https://bad host/x", "that is no URL of a host"),
        ("https:/host/x", "after the scheme comes `//`"),
        ("ftp://x.org/a", "the scheme `ftp` is unknown here"),
        ("file://feed", "after `file://` comes a path from the root"),
    ],
)
def test_an_address_that_is_none_is_a_mistake_wherever_it_was_given(here: Here, place: str, why: str) -> None:
    said = here("db", "update", "PyPI", "--db-url", place)
    assert (said.code, said.stdout) == (2, "")
    assert "option --db-url: expected a URL (`https://...`" in said.stderr
    assert f'got "{place}": {why}' in said.stderr
    # The file that it does not stand in is not offered.
    assert "hullmark.toml" not in said.stderr
    said = here("db", "update", "PyPI", HULLMARK_DB_URL=place)
    assert said.code == 2
    assert "environment variable HULLMARK_DB_URL: expected a URL" in said.stderr
    (here.directory / "compose.yml").write_text("services: {web: {image: x}}\n", encoding="utf-8")
    (here.directory / "hullmark.toml").write_text(f'[scan]\ndb-url = "{place}"\n', encoding="utf-8")
    said = here("db", "update", "PyPI")
    assert said.code == 2
    assert "hullmark.toml:2:1: `scan.db-url`: expected a URL" in said.stderr


def test_a_directory_may_be_written_as_a_url(here: Here) -> None:
    (here.directory / "feed").rename(here.directory / "my feed")
    said = here("db", "update", "PyPI", "--db-url", f"file://{here.directory}/my%20feed")
    assert said.code == 0
    assert said.stdout.endswith(f", from {here.directory}/my feed/PyPI/all.zip\n")


def _fill(here: Here, modified: str, written: str = "") -> None:
    path = here.directory / "feed/PyPI/all.zip"
    path.write_bytes(archive([record("PYSEC-1", modified=modified)]))
    if written:
        at = dt.datetime.fromisoformat(written).timestamp()
        os.utime(path, (at, at))


def test_a_copy_is_as_old_as_the_oldest_of_what_tells_its_age(here: Here) -> None:
    today = dt.datetime.now(dt.UTC)
    old, recent = "2025-01-01T00:00:00Z", (today - dt.timedelta(minutes=5)).isoformat()
    for modified, written, told in (
        (old, "", "days old by its newest record, older than 7 days, "),
        (recent, old, "days old by the date of the archive, older than 7 days, "),
    ):
        _fill(here, modified, written)
        said = here("db", "update", "PyPI", "--whole", "--db-url", "feed")
        assert said.code == 0
        assert told in said.stdout
        assert told in here("db", "show").stdout
    assert f", fetched {today:%Y-%m-%d}, newest record {recent[:10]}, " in here("db", "show").stdout


def test_records_of_the_future_are_told_and_do_not_make_the_others_younger(here: Here) -> None:
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=900)).isoformat()
    old = record("PYSEC-1", modified="2025-01-01T00:00:00Z")
    content = archive([old, record("PYSEC-2", modified=soon)])
    (here.directory / "feed/PyPI/all.zip").write_bytes(content)
    said = here("db", "update", "PyPI", "--db-url", "feed")
    assert said.stdout.endswith("; 1 record is dated in the future\n")
    assert "days old by its newest record" in said.stdout
    assert "newest record 2025-01-01" in said.stdout


def _made_older(here: Here, age: dt.timedelta) -> None:
    _set(here, "fetched", (dt.datetime.now(dt.UTC) - age).isoformat())


def _set(here: Here, key: str, value: str) -> None:
    database = sqlite3.connect(here.stored / "PyPI.sqlite")
    database.execute("update about set value = ? where key = ?", (value, key))
    database.commit()
    database.close()


def test_what_is_fetched_shown_and_removed_is_told(here: Here) -> None:
    assert here("db", "show").stdout == f"{here.stored}: nothing is stored; `hullmark db update` fetches it\n"
    said = here("db", "update", "pypi", "--db-url", "feed")
    source = here.directory / "feed/PyPI/all.zip"
    assert said.code == 0
    assert said.stdout.startswith("PyPI: fetched, 1 record, up to date, ")
    assert said.stdout.endswith(f", from {source}\n")
    assert said.stderr.splitlines() == [
        f"fetching the records of PyPI from {source} ...",
        "storing the records of PyPI ...",
    ]
    assert here("-q", "db", "update", "--db-url", "feed").stderr == ""
    shown = here("db", "show").stdout.splitlines()
    assert shown[0] == str(here.stored)
    assert shown[1].startswith("PyPI  1 record, up to date, ")
    assert here("db", "clear", "PYPI").stdout.startswith(f"{here.stored}: removed PyPI, ")
    assert here("db", "clear").stdout == f"{here.stored}: removed nothing\n"


def test_records_are_fetched_from_where_the_configuration_says(here: Here) -> None:
    (here.directory / "compose.yml").write_text("services: {web: {image: x}}\n", encoding="utf-8")
    (here.directory / "hullmark.toml").write_text(
        '[scan]\ndb-url = "feed"\ndb-max-age = "2 days"\n', encoding="utf-8"
    )
    (here.directory / "below").mkdir()
    below = Here(directory=here.directory / "below", cache=here.cache)
    assert below("db", "update", "PyPI").code == 0
    _made_older(here, dt.timedelta(hours=50))
    assert ", 2 days old, older than 2 days, " in below("db", "show").stdout
    assert "older" not in below("db", "show", "--db-max-age", "9 days").stdout
    assert "older than 36 h" not in below("db", "show", HULLMARK_DB_MAX_AGE="60 h").stdout


@pytest.mark.parametrize("age", ["a week", "0 days", "-1 days", "3"])
def test_an_age_that_is_none_is_refused(here: Here, age: str) -> None:
    said = here("db", "show", "--db-max-age", age)
    assert said.code == 2
    assert "expected an age such as `7 days` or `12 h`" in said.stderr


def test_a_failure_is_no_failure_as_long_as_what_is_stored_is_young_enough(here: Here) -> None:
    here("db", "update", "PyPI", "--db-url", "feed")
    (here.directory / "feed/PyPI/all.zip").unlink()
    said = here("db", "update", "--db-url", "feed")
    assert said.code == 0
    assert said.stdout.startswith("PyPI: not updated, kept as it was, 1 record, less than an hour old, ")
    assert "error: " in said.stderr
    assert "cannot be read: No such file or directory" in said.stderr
    _made_older(here, dt.timedelta(days=8))
    said = here("db", "update", "--db-url", "feed")
    assert said.code == 3
    assert ", 8 days old, older than 7 days, " in said.stdout
    assert here("db", "update", "--db-url", "feed", "--db-max-age", "30 days").code == 0
    assert here("db", "update", "npm", "--db-url", "feed").code == 3


def test_nothing_can_be_stored_where_nothing_is_to_be_kept(here: Here) -> None:
    said = here("db", "update", "PyPI", "--db-url", "feed", HULLMARK_NO_CACHE="1")
    assert (said.code, said.stdout) == (3, "")
    assert "nothing is kept: HULLMARK_NO_CACHE is set, or there is no home" in said.stderr
    assert here("db", "show", HULLMARK_NO_CACHE="1").stdout.startswith("nothing is kept")
    assert here("db", "clear", HULLMARK_NO_CACHE="1").stdout.startswith("nothing is kept")


def test_a_store_of_another_hullmark_is_shown_and_can_be_removed(here: Here) -> None:
    here("db", "update", "PyPI", "--db-url", "feed")
    _set(here, "schema", str(SCHEMA + 1))
    assert f"stored by another version of hullmark (schema {SCHEMA + 1})" in here("db", "show").stdout
    said = here("db", "update", "--db-url", "feed")
    assert said.code == 0
    assert "; the one that was there had been stored by another version of hullmark" in said.stdout
    (here.stored / "Tomorrow.sqlite").write_bytes(b"not to be known today")
    assert "Tomorrow  damaged" in here("db", "show").stdout
    assert "Tomorrow" in here("db", "clear", "Tomorrow").stdout
    assert [path.name for path in here.stored.glob("[!.]*")] == ["PyPI.sqlite"]


def test_without_a_name_the_usual_ones_are_fetched_where_nothing_tells_what_is_needed(here: Here) -> None:
    said = here("-q", "db", "update", "--db-url", str(DATA / "osv"))
    assert said.code == 0
    assert [line.partition(":")[0] for line in said.stdout.splitlines()] == [
        "Alpine",
        "Debian",
        "Go",
        "npm",
        "PyPI",
    ]
    assert here("db", "update", "Debain").code == 2
