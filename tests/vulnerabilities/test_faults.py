"""Whatever goes wrong with an update: what was stored is still there, and what went wrong is said."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities.bucket import Bucket
from tests.vulnerabilities.conftest import archive, record
from tests.vulnerabilities.test_update import PATIENCE, fill, found, update

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory, open_feed
from hullmark._vulnerabilities.store import about, place_of, stored
from hullmark._vulnerabilities.update import Outcome, Updating
from hullmark.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.vulnerabilities.bucket import Answer

    from hullmark.errors import Unavailable

ZIP = "PyPI/all.zip"
LIST = "PyPI/modified_id.csv"


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    """A bucket whose records were stored once, below `tmp_path`, and have changed since."""
    with Bucket() as made:
        fill(made, record("PYSEC-1"))
        assert update(made, tmp_path).outcome is Outcome.NEW
        fill(made, record("PYSEC-1"), record("PYSEC-2"))
        del made.files[LIST]
        yield made


def refused(bucket: Bucket, directory: Path) -> Unavailable:
    """Why an update failed; what was there is kept, and the next one succeeds."""
    before = place_of(directory, "PyPI").read_bytes()
    done = update(bucket, directory)
    assert done.outcome is Outcome.KEPT
    assert done.about == about(place_of(directory, "PyPI"))
    assert place_of(directory, "PyPI").read_bytes() == before
    assert found(directory) == {"PYSEC-1"}
    bucket.misbehave.clear()
    fill(bucket, record("PYSEC-1"), record("PYSEC-2"))
    assert update(bucket, directory).outcome is Outcome.CHANGED
    assert found(directory) == {"PYSEC-1", "PYSEC-2"}
    assert done.error is not None
    return done.error


def always(status: int, body: bytes = b"", **headers: str) -> Callable[[int], Answer]:
    """The same answer every time."""
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(bucket: Bucket, tmp_path: Path, share: float) -> None:
    content = archive([record(f"PYSEC-{number}", summary=os.urandom(90).hex()) for number in range(40)])
    bucket.files[ZIP] = content[: int(len(content) * share)]
    error = refused(bucket, tmp_path)
    assert f"what came from {bucket.url}/{ZIP} is no zip archive that is whole" in error.message
    assert error.hint == "the store stays as it was"


def test_a_byte_that_flipped_on_the_way_is_noticed(bucket: Bucket, tmp_path: Path) -> None:
    content = bytearray(archive([record("PYSEC-1", summary=os.urandom(2000).hex())]))
    content[900] ^= 0x10
    bucket.files[ZIP] = bytes(content)
    assert "no zip archive that is whole" in refused(bucket, tmp_path).message


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "PYSEC-1", "affected": []}, "missing required field `modified`"),
        (record("PYSEC-1", schema_version="2.0.0"), "version 2.0.0 of the format; version 1 can be read"),
        (record("PYSEC-1", aliases="CVE-2026-1"), "Expected `array | null`, got `str` - at `$.aliases`"),
        (record("PYSEC-1", modified="yesterday"), "Invalid isoformat string"),
        ([1, 2], "Expected `object`, got `array`"),
        ("<html>please log in</html>", "JSON is malformed"),
        (
            record("PYSEC-1") | {"affected": [{"ranges": [{"type": "BANANA", "events": []}]}]},
            "`BANANA` is no type of range",
        ),
        (
            record("PYSEC-1")
            | {
                "affected": [
                    {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0", "fixed": "1"}]}]}
                ]
            },
            "several things at once",
        ),
    ],
)
def test_records_in_another_format_are_refused(bucket: Bucket, tmp_path: Path, wrong: Any, told: str) -> None:
    bucket.files[ZIP] = archive({"PYSEC-1.json": wrong, "PYSEC-2.json": record("PYSEC-2")})
    error = refused(bucket, tmp_path)
    assert "is not what the format of OSV has. PYSEC-1.json: " in error.message
    assert told in error.message


def test_one_bad_record_among_thousands_does_not_keep_everybody_from_the_others(
    bucket: Bucket, tmp_path: Path
) -> None:
    good = {f"PYSEC-{number}.json": record(f"PYSEC-{number}") for number in range(1999)}
    bucket.files[ZIP] = archive({**good, "PYSEC-X.json": "{"})
    done = update(bucket, tmp_path)
    assert done.outcome is Outcome.NEW
    assert done.about is not None
    assert (done.about.records, done.about.unread) == (1999, 1)
    assert done.note == "of all records, 1 could not be read and will not be found"


def test_an_archive_of_another_ecosystem_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files[ZIP] = archive([record("GO-1", ecosystem="Go")])
    assert refused(bucket, tmp_path).message.endswith("is without any record of PyPI")


def test_an_archive_that_lost_most_of_its_records_is_refused(tmp_path: Path) -> None:
    with Bucket() as bucket:
        fill(bucket, *(record(f"PYSEC-{number}") for number in range(9)))
        update(bucket, tmp_path)
        bucket.files[ZIP] = archive([record("PYSEC-1")])
        del bucket.files[LIST]
        done = update(bucket, tmp_path)
        assert done.outcome is Outcome.KEPT
        assert done.error is not None
        assert "has 1 records of PyPI, the store has 9" in done.error.message
        assert "hullmark db clear PyPI" in str(done.error.hint)
        updating = Updating(directory=tmp_path, feed=Directory(path=tmp_path), cancelled=threading.Event())
        assert [each.ecosystem for each in updating.clear(["PyPI"])] == ["PyPI"]
        assert update(bucket, tmp_path).outcome is Outcome.NEW


def test_404_names_the_address(bucket: Bucket, tmp_path: Path) -> None:
    del bucket.files[ZIP]
    error = refused(bucket, tmp_path)
    assert f"has no records of PyPI: it answered 404 for {bucket.url}/{ZIP}" in error.message
    assert "--db-url" in str(error.hint)


def test_429_is_waited_for_and_then_told(bucket: Bucket, tmp_path: Path) -> None:
    bucket.misbehave[ZIP] = always(429, Retry_After="0")
    error = refused(bucket, tmp_path)
    assert "answered 429: it has been asked too often" in error.message
    assert "log in" not in str(error.hint)
    assert "mirror" in str(error.hint)
    assert bucket.answered.count(429) == PATIENCE.attempts


def test_429_once_is_no_failure(bucket: Bucket, tmp_path: Path) -> None:
    bucket.misbehave[ZIP] = lambda before: (429, {"Retry-After": "0"}, b"") if before < 2 else None
    assert update(bucket, tmp_path).outcome is Outcome.NEW


def test_a_server_that_asks_for_an_hour_is_not_waited_for(bucket: Bucket, tmp_path: Path) -> None:
    bucket.misbehave[ZIP] = always(429, Retry_After="3600")
    error = refused(bucket, tmp_path)
    assert "asks to be left alone for 3600 s" in error.message
    assert "docker login" not in str(error.hint)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_other_answers_are_told(bucket: Bucket, tmp_path: Path, status: int) -> None:
    bucket.misbehave[ZIP] = always(status)
    assert f"answered {status}" in refused(bucket, tmp_path).message


def test_a_download_that_breaks_off_is_taken_up_where_it_broke_off(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files[ZIP] = archive(
        [record(f"PYSEC-{number}", summary=os.urandom(150).hex()) for number in range(300)]
    )
    bucket.misbehave[ZIP] = lambda before: 50_000 if before < 3 else None
    bucket.asked.clear()
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    ranges = [headers.get("range") for path, headers in bucket.asked if path == ZIP]
    assert len(found(tmp_path)) == 300
    assert ranges[0] is None
    assert ranges[1:] == ["bytes=50000-", "bytes=100000-", "bytes=150000-"][: len(ranges) - 1]


def test_a_download_that_was_replaced_meanwhile_begins_anew(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files[ZIP] = archive(
        [record(f"PYSEC-{number}", summary=os.urandom(150).hex()) for number in range(99)]
    )

    def replaced(before: int) -> int | None:
        if not before:
            return 9_000
        bucket.files[ZIP] = archive([record("PYSEC-7"), record("PYSEC-8")])
        return None

    bucket.misbehave[ZIP] = replaced
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-7", "PYSEC-8"}


def test_a_download_that_always_breaks_off_is_given_up(bucket: Bucket, tmp_path: Path) -> None:
    bucket.misbehave[ZIP] = lambda _: 10
    assert "the records of PyPI could not be fetched" in refused(bucket, tmp_path).message


def test_nobody_there_is_told(bucket: Bucket, tmp_path: Path) -> None:
    place = place_of(tmp_path, "PyPI")
    before = place.read_bytes()
    done = update("http://127.0.0.1:9", tmp_path)
    assert (done.outcome, place.read_bytes()) == (Outcome.KEPT, before)
    assert done.error is not None
    assert "127.0.0.1:9 cannot be reached: connection refused" in done.error.message
    assert bucket.answered


def test_without_anything_stored_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with Bucket() as bucket:
        done = update(bucket, tmp_path)
    assert (done.outcome, done.about) == (Outcome.MISSING, None)
    assert not stored(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [always(429, Retry_After="0"), always(503), always(403), lambda _: 10],
    ids=["429", "503", "403", "breaks off"],
)
def test_a_change_that_cannot_be_fetched_takes_none_of_the_others_over(
    bucket: Bucket, tmp_path: Path, fault: Callable[[int], Answer | int | None]
) -> None:
    new = record("PYSEC-2", modified="2026-10-02T00:00:00Z")
    fill(bucket, record("PYSEC-1"), new, record("PYSEC-3", modified="2026-10-03T00:00:00Z"))
    bucket.misbehave["PyPI/PYSEC-2.json"] = fault
    before = place_of(tmp_path, "PyPI").read_bytes()
    bucket.asked.clear()
    done = update(bucket, tmp_path)
    assert (done.outcome, place_of(tmp_path, "PyPI").read_bytes()) == (Outcome.KEPT, before)
    assert done.error is not None
    assert ZIP not in bucket.paths()
    bucket.misbehave.clear()
    assert update(bucket, tmp_path).changed == 2
    assert found(tmp_path) == {"PYSEC-1", "PYSEC-2", "PYSEC-3"}


def test_a_change_in_another_format_makes_it_fetch_the_archive(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"), record("PYSEC-2", modified="2026-10-02T00:00:00Z"))
    bucket.files["PyPI/PYSEC-2.json"] = b"<html>please log in</html>"
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-1", "PYSEC-2"}


def test_one_ecosystem_that_fails_does_not_keep_the_others_from_being_updated(
    bucket: Bucket, tmp_path: Path
) -> None:
    cancelled = threading.Event()
    with open_feed(bucket.url, tmp_path, {}, cancelled, PATIENCE) as feed:
        updating = Updating(directory=tmp_path, feed=feed, cancelled=cancelled)
        done = list(updating.update([ECOSYSTEMS["npm"], ECOSYSTEMS["PyPI"]]))
    assert [each.outcome for each in done] == [Outcome.MISSING, Outcome.NEW]


def test_being_asked_to_stop_ends_a_download_and_keeps_what_there_was(bucket: Bucket, tmp_path: Path) -> None:
    cancelled = threading.Event()

    def stopped(_: int) -> int:
        cancelled.set()
        return 10

    bucket.misbehave[ZIP] = stopped
    with open_feed(bucket.url, tmp_path, {}, cancelled, PATIENCE) as feed:
        updating = Updating(directory=tmp_path, feed=feed, cancelled=cancelled)
        with pytest.raises(Interrupted):
            list(updating.update([ECOSYSTEMS["PyPI"]]))
    assert found(tmp_path) == {"PYSEC-1"}
    assert [path.name for path in tmp_path.glob(".*")] == [".lock"]
