"""A store that cannot be written to, or that somebody else has written: nothing is lost, and it is said."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.vulnerabilities.conftest import archive, inventory, python, record

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.packed import SCHEMA
from hullmark._vulnerabilities.store import Store, about, place_of, stored
from hullmark._vulnerabilities.update import Outcome, Updated, Updating
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

PYPI = ECOSYSTEMS["PyPI"]
_UPDATE = """\
import sys, threading
from pathlib import Path
from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.update import Updating
from hullmark.errors import Unavailable
feed, stored = map(Path, sys.argv[1:3])
updating = Updating(directory=stored, feed=Directory(path=feed), cancelled=threading.Event())
try:
    (done,) = updating.update([ECOSYSTEMS["PyPI"]], whole=True)
except Unavailable as error:
    print("refused", error.message)
else:
    print(done.outcome, done.error.message if done.error else "")
"""


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A directory with records of PyPI."""
    return fill(tmp_path / "feed", 1)


def fill(directory: Path, records: int, *, length: int = 0) -> Path:
    """Puts so many records into a directory, all about one package, with summaries that cannot be compressed."""
    (directory / "PyPI").mkdir(parents=True, exist_ok=True)
    made = [record(f"PYSEC-{number}", summary=os.urandom(length).hex()) for number in range(records)]
    (directory / "PyPI/all.zip").write_bytes(archive(made))
    return directory


def update(feed: Path, directory: Path, **options: object) -> Updated:
    """What an update of PyPI makes of it."""
    (done,) = updating(feed, directory).update([PYPI], **options)  # type: ignore[arg-type]
    return done


def updating(feed: Path, directory: Path) -> Updating:
    """An update that was not begun yet."""
    return Updating(directory=directory, feed=Directory(path=feed), cancelled=threading.Event(), patience=20)


def count(directory: Path) -> int:
    """How many vulnerabilities are found."""
    with Store(directory) as store:
        return len(match(inventory(python("shop", "1.0")), store).matches)


@pytest.fixture
def small(tmp_path: Path) -> tuple[str, ...]:
    """How to run something that sees `tmp_path / "small"` as a disk of 64 kB, or whose files may not be larger."""
    (tmp_path / "small").mkdir()
    mount = f"mount -t tmpfs -o size=64k tmpfs {tmp_path}/small"
    inside = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
    may = subprocess.run((*inside, "true"), capture_output=True, check=False).returncode == 0
    # Who may not mount sees the same error of writing, under another number.
    return inside if may else ("sh", "-c", 'ulimit -f 64 && exec "$@"', "sh")


def test_a_full_disk_is_told_and_the_store_stays(tmp_path: Path, small: tuple[str, ...]) -> None:
    few, many = fill(tmp_path / "few", 1), fill(tmp_path / "many", 2000, length=140)
    directory = tmp_path / "small/stored"
    script = (
        "import runpy, sys\n"
        f"code = {_UPDATE!r}\n"
        "for feed in sys.argv[1:3]:\n"
        "    sys.argv[1] = feed\n"
        f"    sys.argv[2] = {str(directory)!r}\n"
        "    exec(code)\n"
        "from hullmark._vulnerabilities.store import stored\n"
        f"print([(each.records, each.usable) for each in stored(Path({str(directory)!r}))])\n"
        f"print(sorted(path.name for path in Path({str(directory)!r}).iterdir()))\n"
    )
    run = subprocess.run(
        (*small, sys.executable, "-c", script, str(few), str(many)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    first, second, kept, files = run.stdout.splitlines()
    assert first.strip() == "new"
    assert second.startswith(f"kept vulnerabilities cannot be stored in {directory}: ")
    assert "full" in second or "large" in second or "I/O" in second
    assert kept == "[(1, True)]"
    assert files == "['.lock', 'PyPI.sqlite']"


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A directory with a store in which this process may not write."""
    root = Path(tempfile.mkdtemp(prefix="hullmark-"))
    try:
        root.chmod(0o755)
        update(fill(root / "feed", 1), root / "stored")
        (root / "stored").chmod(0o555)
        (root / "stored/.lock").chmod(0o444)
        (root / "stored/PyPI.sqlite").chmod(0o444)
        if os.geteuid() == 0:
            os.seteuid(65534)
        yield root
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (root / "stored").chmod(0o755)
        shutil.rmtree(root)


def test_a_cache_that_is_read_only_is_told_and_can_still_be_read(read_only: Path) -> None:
    with pytest.raises(
        Unavailable, match=r"vulnerabilities cannot be stored in .*: Permission denied"
    ) as caught:
        update(read_only / "feed", read_only / "stored")
    assert "HULLMARK_CACHE_DIR" in str(caught.value.hint)
    assert count(read_only / "stored") == 1
    assert [each.records for each in stored(read_only / "stored")] == [1]


def test_a_cache_below_a_file_is_told(tmp_path: Path, feed: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"cannot be stored in .*: Not a directory"):
        update(feed, tmp_path / "file/stored")


def test_two_updates_at_once_take_turns(tmp_path: Path, feed: Path) -> None:
    command = (sys.executable, "-c", _UPDATE, str(feed), str(tmp_path / "stored"))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["new"] * 4
    assert count(tmp_path / "stored") == 1
    assert sorted(path.name for path in (tmp_path / "stored").iterdir()) == [".lock", "PyPI.sqlite"]


def test_an_update_waits_for_another_one_and_says_so(tmp_path: Path, feed: Path) -> None:
    (tmp_path / "stored").mkdir()
    lock = os.open(tmp_path / "stored/.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    told = list[str]()
    mine = Updating(
        directory=tmp_path / "stored",
        feed=Directory(path=feed),
        cancelled=threading.Event(),
        tell=told.append,
    )
    results = list[Updated]()
    thread = threading.Thread(target=lambda: results.extend(mine.update([PYPI])))
    thread.start()
    deadline = time.monotonic() + 20
    while not told:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert told == ["waiting for another update to end"]
    os.close(lock)
    thread.join(timeout=20)
    assert [each.outcome for each in results] == [Outcome.NEW]


def test_waiting_for_another_update_ends_when_it_takes_too_long_or_is_cancelled(
    tmp_path: Path, feed: Path
) -> None:
    (tmp_path / "stored").mkdir()
    lock = os.open(tmp_path / "stored/.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cancelled = threading.Event()
        mine = Updating(
            directory=tmp_path / "stored", feed=Directory(path=feed), cancelled=cancelled, patience=0.2
        )
        with pytest.raises(Unavailable, match=r"another update of .* has not ended for 0 s"):
            list(mine.update([PYPI]))
        cancelled.set()
        with pytest.raises(Interrupted):
            list(mine.update([PYPI]))
    finally:
        os.close(lock)


def test_who_reads_while_it_is_replaced_reads_what_was_opened(tmp_path: Path, feed: Path) -> None:
    update(feed, tmp_path / "stored")
    with Store(tmp_path / "stored") as store:
        assert len(match(inventory(python("shop", "1.0")), store).matches) == 1
        fill(feed, 500)
        update(feed, tmp_path / "stored")
        assert len(match(inventory(python("shop", "1.0")), store).matches) == 1
    assert count(tmp_path / "stored") == 500


def test_what_a_killed_update_left_is_removed(tmp_path: Path, feed: Path) -> None:
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored/.npm.zip.part").write_bytes(b"half")
    update(feed, tmp_path / "stored")
    assert sorted(path.name for path in (tmp_path / "stored").iterdir()) == [".lock", "PyPI.sqlite"]


def _schema(directory: Path, number: int) -> Path:
    path = place_of(directory, "PyPI")
    database = sqlite3.connect(path)
    database.execute("update about set value = ? where key = 'schema'", (str(number),))
    database.commit()
    database.close()
    return path


def test_a_store_of_another_hullmark_is_not_read_and_built_anew(tmp_path: Path, feed: Path) -> None:
    update(feed, tmp_path / "stored")
    path = _schema(tmp_path / "stored", SCHEMA + 8)
    assert (about(path).usable, about(path).schema) == (False, SCHEMA + 8)
    with Store(tmp_path / "stored") as store, pytest.raises(Unavailable, match="another version") as caught:
        match(inventory(python("shop", "1.0")), store)
    assert "`hullmark db update` builds it anew" in str(caught.value.hint)
    done = update(feed, tmp_path / "stored")
    assert done.outcome is Outcome.NEW
    assert done.note == (
        f"the one that was there had been stored by another version of hullmark (schema {SCHEMA + 8}, now {SCHEMA})"
    )
    assert count(tmp_path / "stored") == 1


def test_a_store_of_another_hullmark_stays_when_nothing_can_be_fetched(tmp_path: Path, feed: Path) -> None:
    update(feed, tmp_path / "stored")
    before = _schema(tmp_path / "stored", SCHEMA + 8).read_bytes()
    (feed / "PyPI/all.zip").unlink()
    assert update(feed, tmp_path / "stored").outcome is Outcome.MISSING
    assert place_of(tmp_path / "stored", "PyPI").read_bytes() == before


@pytest.mark.parametrize("damage", ["empty", "text", "half", "blob", "no records"])
def test_a_damaged_store_is_never_an_empty_one(tmp_path: Path, feed: Path, damage: str) -> None:
    update(feed, tmp_path / "stored")
    path = place_of(tmp_path / "stored", "PyPI")
    _damage(path, damage)
    with Store(tmp_path / "stored") as store, pytest.raises(Unavailable, match="is damaged") as caught:
        match(inventory(python("shop", "1.0")), store)
    assert "`hullmark db update` builds it anew" in str(caught.value.hint)
    done = update(feed, tmp_path / "stored")
    assert (done.outcome, done.note) == (Outcome.NEW, "the one that was there was damaged")
    assert count(tmp_path / "stored") == 1


def _damage(path: Path, damage: str) -> None:
    if damage in {"blob", "no records"}:
        database = sqlite3.connect(path)
        database.execute("update affected set packed = x'00'" if damage == "blob" else "delete from records")
        database.commit()
        database.close()
    else:
        path.write_bytes({"empty": b"", "text": b"nothing\n" * 900, "half": path.read_bytes()[:2000]}[damage])


def test_the_age_of_a_store_is_since_it_last_agreed_with_its_source(tmp_path: Path, feed: Path) -> None:
    began = dt.datetime.now(dt.UTC).replace(microsecond=0)
    (feed / "PyPI/all.zip").write_bytes(archive([record("PYSEC-1", modified=began.isoformat())]))
    update(feed, tmp_path / "stored")
    known = about(place_of(tmp_path / "stored", "PyPI"))
    assert dt.timedelta(0) <= known.age(dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    assert dt.datetime.fromisoformat(known.fetched) >= began
    assert known.age(began + dt.timedelta(days=9)) > dt.timedelta(days=8, hours=23)
