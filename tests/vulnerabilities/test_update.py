"""An update fetches what has changed and no more, and stores what was there."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import pytest
from tests.vulnerabilities.bucket import Bucket
from tests.vulnerabilities.conftest import archive, inventory, python, record

from hullmark._images.transport import Patience
from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import open_feed
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store
from hullmark._vulnerabilities.update import Outcome, Updating

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from hullmark._vulnerabilities.update import Updated

PATIENCE = Patience(attempts=3, first_delay=0.001, longest_delay=0.01, connect=10, answer=20, piece=20)
DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """A bucket with nothing in it."""
    with Bucket() as made:
        yield made


def fill(bucket: Bucket, *records: dict[str, Any], ecosystem: str = "PyPI") -> None:
    """Puts exactly these records of an ecosystem into the bucket, with the list of changes."""
    for path in [path for path in bucket.files if path.startswith(f"{ecosystem}/")]:
        del bucket.files[path]
    bucket.files[f"{ecosystem}/all.zip"] = archive(list(records))
    latest = sorted(records, key=lambda each: str(each["modified"]), reverse=True)
    lines = "".join(f"{each['modified']},{each['id']}\n" for each in latest)
    bucket.files[f"{ecosystem}/modified_id.csv"] = lines.encode()
    for path, content in archive_of(records).items():
        bucket.files[f"{ecosystem}/{path}"] = content


def archive_of(records: tuple[dict[str, Any], ...]) -> dict[str, bytes]:
    """Each record as a file of its own."""
    import msgspec

    return {f"{each['id']}.json": msgspec.json.encode(each) for each in records}


def update(
    bucket: Bucket | str,
    directory: Path,
    *,
    ecosystem: str = "PyPI",
    now: dt.datetime = NOW,
    whole: bool = False,
) -> Updated:
    """What an update of one ecosystem makes of it."""
    cancelled = threading.Event()
    place = bucket if isinstance(bucket, str) else bucket.url
    with open_feed(place, directory, {}, cancelled, PATIENCE) as feed:
        updating = Updating(directory=directory, feed=feed, cancelled=cancelled, now=lambda: now)
        (done,) = updating.update([ECOSYSTEMS[ecosystem]], whole=whole)
    assert not [path.name for path in directory.glob(".*") if path.name != ".lock"]
    return done


def found(directory: Path, version: str = "1.0", package: str = "shop") -> set[str]:
    """The vulnerabilities of a package of Python."""
    with Store(directory) as store:
        return {each.id for each in match(inventory(python(package, version)), store).matches}


def test_all_records_are_fetched_the_first_time(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"), record("PYSEC-2", fixed="0.5"))
    done = update(bucket, tmp_path)
    assert done.outcome is Outcome.NEW
    assert done.about is not None
    assert (done.about.records, done.about.source) == (2, f"{bucket.url}/PyPI/all.zip")
    assert done.about.fetched == "2026-11-01T00:00:00+00:00"
    assert found(tmp_path) == {"PYSEC-1"}


def test_nothing_is_fetched_where_nothing_has_changed(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"))
    update(bucket, tmp_path)
    bucket.asked.clear()
    done = update(bucket, tmp_path, now=NOW + DAY)
    assert done.outcome is Outcome.SAME
    assert done.about is not None
    assert done.about.fetched == "2026-11-02T00:00:00+00:00"
    assert bucket.paths() == ["PyPI/modified_id.csv"]
    assert found(tmp_path) == {"PYSEC-1"}


def test_a_few_changes_are_fetched_one_by_one(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"), record("PYSEC-2"), record("PYSEC-3"))
    update(bucket, tmp_path)
    withdrawn = record("PYSEC-2", modified="2026-10-02T00:00:00Z", withdrawn="2026-10-02T00:00:00Z")
    changed = record("PYSEC-3", fixed="0.1", modified="2026-10-03T00:00:00.5Z")
    fill(bucket, record("PYSEC-1"), withdrawn, changed, record("PYSEC-4", modified="2026-10-04T00:00:00Z"))
    bucket.asked.clear()
    done = update(bucket, tmp_path)
    assert (done.outcome, done.changed) == (Outcome.CHANGED, 3)
    assert "PyPI/all.zip" not in bucket.paths()
    assert found(tmp_path) == {"PYSEC-1", "PYSEC-4"}
    assert found(tmp_path, "0.0.5") == {"PYSEC-1", "PYSEC-3", "PYSEC-4"}
    bucket.asked.clear()
    assert update(bucket, tmp_path).outcome is Outcome.SAME
    assert bucket.paths() == ["PyPI/modified_id.csv"]


def test_what_one_by_one_gives_is_what_the_archive_gives(bucket: Bucket, tmp_path: Path) -> None:
    before = [record(f"PYSEC-{number}", f"shop-{number % 7}", fixed=f"{number}.0") for number in range(150)]
    fill(bucket, *before)
    update(bucket, tmp_path / "singly")
    for number in range(0, 150, 11):
        before[number] = record(
            f"PYSEC-{number}", f"shop-{number % 5}", fixed="3.0", modified="2026-10-01T00:00:00Z"
        )
    fill(bucket, *before)
    assert update(bucket, tmp_path / "singly").outcome is Outcome.CHANGED
    assert update(bucket, tmp_path / "whole").outcome is Outcome.NEW
    for number in range(7):
        here, there = (found(tmp_path / name, "2.5", f"shop-{number}") for name in ("singly", "whole"))
        assert here == there != set()


def test_many_changes_are_fetched_at_once(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"))
    update(bucket, tmp_path)
    fill(bucket, *(record(f"PYSEC-{each}", modified="2026-10-02T00:00:00Z") for each in range(300)))
    bucket.asked.clear()
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert bucket.paths() == ["PyPI/modified_id.csv", "PyPI/all.zip"]
    assert len(found(tmp_path)) == 300


def test_everything_is_fetched_again_after_two_weeks_for_what_was_removed(
    bucket: Bucket, tmp_path: Path
) -> None:
    fill(bucket, record("PYSEC-1"), record("PYSEC-2"))
    update(bucket, tmp_path)
    fill(bucket, record("PYSEC-1"))
    assert update(bucket, tmp_path, now=NOW + 13 * DAY).outcome is Outcome.SAME
    assert update(bucket, tmp_path, now=NOW + 15 * DAY).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-1"}


def test_everything_is_fetched_when_it_is_asked_for_or_comes_from_elsewhere(
    bucket: Bucket, tmp_path: Path
) -> None:
    fill(bucket, record("PYSEC-1"))
    update(bucket, tmp_path / "stored")
    assert update(bucket, tmp_path / "stored", whole=True).outcome is Outcome.NEW
    (tmp_path / "mirror/PyPI").mkdir(parents=True)
    (tmp_path / "mirror/PyPI/all.zip").write_bytes(archive([record("PYSEC-9")]))
    done = update(str(tmp_path / "mirror"), tmp_path / "stored")
    assert done.outcome is Outcome.NEW
    assert found(tmp_path / "stored") == {"PYSEC-9"}
    assert update(str(tmp_path / "mirror"), tmp_path / "stored").outcome is Outcome.SAME


def test_a_mirror_without_a_list_of_changes_is_asked_whether_the_archive_has_changed(
    bucket: Bucket, tmp_path: Path
) -> None:
    bucket.files["PyPI/all.zip"] = archive([record("PYSEC-1")])
    update(bucket, tmp_path)
    assert update(bucket, tmp_path).outcome is Outcome.SAME
    assert bucket.answered[-1] == 304
    bucket.files["PyPI/all.zip"] = archive([record("PYSEC-2")])
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-2"}


def test_the_names_of_ecosystems_are_written_as_urls_have_them(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("RHSA-1", ecosystem="Red Hat:enterprise_linux:9::baseos"), ecosystem="Red Hat")
    done = update(bucket, tmp_path, ecosystem="Red Hat")
    assert done.outcome is Outcome.NEW
    assert done.about is not None
    assert done.about.source.endswith("/Red%20Hat/all.zip")


def test_a_directory_may_have_its_archives_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "PyPI-all.zip").write_bytes(archive([record("PYSEC-1")]))
    assert update(f"file://{tmp_path}", tmp_path / "stored").outcome is Outcome.NEW
    assert found(tmp_path / "stored") == {"PYSEC-1"}


def test_a_list_of_changes_that_is_none_is_not_believed(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, record("PYSEC-1"))
    update(bucket, tmp_path)
    fill(bucket, record("PYSEC-1"), record("PYSEC-2"))
    bucket.files["PyPI/modified_id.csv"] = b"<html>not what you think</html>\n"
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-1", "PYSEC-2"}


def test_a_record_that_is_listed_and_not_there_makes_it_fetch_the_archive(
    bucket: Bucket, tmp_path: Path
) -> None:
    fill(bucket, record("PYSEC-1"))
    update(bucket, tmp_path)
    fill(bucket, record("PYSEC-1"), record("PYSEC-2", modified="2026-10-02T00:00:00Z"))
    del bucket.files["PyPI/PYSEC-2.json"]
    assert update(bucket, tmp_path).outcome is Outcome.NEW
    assert found(tmp_path) == {"PYSEC-1", "PYSEC-2"}
