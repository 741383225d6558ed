"""A history that lies in a real database: what is added is there, whoever else writes, and whatever was there before."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.history.conftest import MB, PASSWORD, ROOT, START, record

from hullmark._history import schema
from hullmark._history.place import Place
from hullmark._history.store import History
from hullmark.errors import Unavailable
from hullmark.model.history import Checkout, OwnerBytes, Record

FULL = Record(
    service="web",
    time=START,
    checkout=Checkout(commit="a" * 40, branch="main", dirty=False),
    transfer=151 * MB,
    unpacked=3_000_000_000,
    visible=2_999_999_999,
    update=7,
    owners=(OwnerBytes(kind="python", name="törch", bytes=2_500_000_000),),
    start=4.25,
    findings=(("error", 0), ("warning", 2), ("note", 1)),
    vulnerabilities=(("critical", 1),),
)
NOTHING = Record(service="db", time=START, checkout=Checkout())
FIRST = """\
INSERT INTO hullmark_history
    (project, service, recorded, revision, branch, dirty, transfer, unpacked, visible, owners, start_seconds, findings,
     vulnerabilities)
VALUES ('shop', 'web', '2026-11-01T12:00:00.000000+00:00', :revision, 'main', false, 151000000, 3000000000, 2999999999,
    '[["python","törch",2500000000]]', 4.25, '[["error",0],["warning",2],["note",1]]', '[["critical",1]]')
"""
"""What version 1 wrote of `FULL`."""


def test_what_is_added_is_read(place: Place) -> None:
    history = History(place)
    assert history.records() == ()
    later = dataclasses.replace(record(3), checkout=Checkout(commit="b" * 40, branch="topic", dirty=True))
    history.add((later, FULL, NOTHING))
    assert history.records() == (FULL, NOTHING, later)
    assert history.records(branch="topic") == (later,)
    assert History(dataclasses.replace(place, project="other")).records() == ()


def test_a_commit_that_is_measured_again_keeps_its_place_and_what_was_not_measured_anew(place: Place) -> None:
    history = History(place)
    history.add((FULL, record(1)))
    again = Record(service="web", time=record(2).time, checkout=FULL.checkout, start=9.5)
    history.add((again,))
    assert history.records() == (dataclasses.replace(FULL, start=9.5), record(1))
    smaller = dataclasses.replace(FULL, time=again.time, unpacked=5, visible=4, owners=())
    history.add((smaller,))
    assert history.records()[0] == dataclasses.replace(smaller, time=FULL.time)


def test_a_check_that_is_made_again_replaces_what_it_found_and_nothing_else(place: Place) -> None:
    history = History(place)
    lint, scan = ("lint", (("error", 1), ("warning", 0))), ("scan", (("error", 2), ("warning", 3)))
    history.add((dataclasses.replace(FULL, checks=(lint, scan), findings=(("error", 3), ("warning", 3))),))
    mended = ("lint", (("error", 0), ("warning", 0)))
    history.add((dataclasses.replace(FULL, checks=(mended,), findings=mended[1]),))
    (found,) = history.records()
    assert found.checks == (mended, scan)
    assert found.findings == (("error", 2), ("warning", 3))


def test_without_a_commit_every_run_is_a_record(place: Place) -> None:
    history = History(place)
    history.add((NOTHING,))
    history.add((NOTHING,))
    assert history.records() == (NOTHING, NOTHING)


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS) + 1))
def test_every_version_is_brought_up_with_what_is_in_it(place: Place, version: int) -> None:
    history = History(place)
    if place.file is not None:
        place.file.parent.mkdir()
    with history._connection(writing=True) as connection:  # noqa: SLF001  # as an earlier one would have done
        schema.migrate(connection, schema.MIGRATIONS[:version])
        connection.execute(sa.text(FIRST), {"revision": "a" * 40})
    assert history.records() == (dataclasses.replace(FULL, update=None),)
    history.add((FULL,))
    assert history.records() == (FULL,)
    with history._connection(writing=False) as connection:  # noqa: SLF001  # to look at what is there
        assert schema.version_of(connection) == len(schema.MIGRATIONS)
        there = {each["name"] for each in sa.inspect(connection).get_columns(schema.RECORDS.name)}
    assert there == {each.name for each in schema.RECORDS.columns}


def test_what_a_newer_one_made_is_left_alone(place: Place) -> None:
    history = History(place)
    history.add((FULL,))
    with history._connection(writing=True) as connection:  # noqa: SLF001  # as a later one would have done
        connection.execute(sa.update(schema.VERSION).values(version=99))
    for use in (history.records, lambda: history.add((FULL,))):
        with pytest.raises(
            Unavailable, match=r"newer hullmark: its version is 99, and this one knows \d"
        ) as error:
            use()
        assert error.value.exit_code == 3


WRITER = """
import json, sys
from pathlib import Path
from hullmark._history.place import Place
from hullmark._history.store import History
from tests.history.conftest import record
given = json.load(sys.stdin)
file = Path(given["file"]) if given["file"] else None
history = History(Place(project="shop", file=file, url=given["url"], password=given["password"]))
for at in range(5):
    # One that is its own, and one that all of them write.
    history.add((record(at, service=given["service"]), record(at, service="shared")))
"""


def test_several_processes_begin_a_history_and_write_to_it_at_once(place: Place) -> None:
    given = {"file": str(place.file or ""), "url": place.url, "password": place.password}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    for number, writer in enumerate(writers):
        assert writer.stdin is not None
        writer.stdin.write(json.dumps({**given, "service": f"own{number}"}))
        writer.stdin.close()
        writer.stdin = None
    for writer in writers:
        _, said = writer.communicate()
        assert (writer.returncode, said) == (0, "")
    found = sorted((each.service, each.time) for each in History(place).records())
    services = ("own0", "own1", "own2", "own3", "shared")
    assert found == sorted((service, record(at).time) for at in range(5) for service in services)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    file.write_bytes(b"no database at all\n" * 100)
    history = History(Place(project="shop", file=file))
    for use in (history.records, lambda: history.add((FULL,))):
        with pytest.raises(Unavailable, match="cannot be used: file is not a database") as error:
            use()
        assert "move the file away" in str(error.value.hint)
    assert file.read_bytes().startswith(b"no database")


def test_a_damaged_record_is_told_and_not_guessed(place: Place) -> None:
    history = History(place)
    history.add((FULL,))
    with history._connection(writing=True) as connection:  # noqa: SLF001  # what nobody else would write
        connection.execute(sa.update(schema.RECORDS).values(owners="{"))
    with pytest.raises(Unavailable, match="cannot be used: "):
        history.records()


@pytest.mark.parametrize("directory", ["/proc", "/dev/null"])
def test_a_directory_that_cannot_be_written_to_is_told(directory: str) -> None:
    place = Place(project="shop", file=Path(directory) / "history" / "a.sqlite")
    with pytest.raises(Unavailable, match=f"the history at {directory}/history/a.sqlite cannot be used: "):
        History(place).add((FULL,))


def test_who_may_not_in_gets_no_password_told(postgresql: Place, server: int) -> None:
    wrong = "not/it@all"
    refused = [
        dataclasses.replace(postgresql, password=wrong),
        dataclasses.replace(
            postgresql, url=f"postgresql://hullmark:{wrong}@127.0.0.1:{server}/a", password=wrong
        ),
        dataclasses.replace(postgresql, url=f"postgresql://hullmark@127.0.0.1:{server}/absent"),
        dataclasses.replace(postgresql, url="postgresql://hullmark@127.0.0.1:1/history"),
        dataclasses.replace(postgresql, url="postgresql://hullmark@127.0.0.1:port/history"),
    ]
    expected = [
        "password authentication",
        "cannot be used",
        '"absent" does not exist',
        "refused",
        "cannot be used",
    ]
    for place, said in zip(refused, expected, strict=True):
        with pytest.raises(Unavailable, match=said) as error:
            History(place).add((FULL,))
        for text in (str(error.value), repr(place), repr(error.value), str(error.value.hint)):
            assert wrong not in text
            assert PASSWORD not in text
        assert error.value.__cause__ is None
