"""A cache makes runs faster, and nothing that happens to it makes them fail."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main
from hullmark._files import cache_directory
from hullmark._images import cache as caches
from hullmark._images.cache import Cache
from hullmark._images.interface import Request, Walked
from hullmark.errors import DamagedImage
from hullmark.model.digest import DiffId
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.testing import archive_of, docker_files, oci_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.conftest import Opener, SmallImage

ROWS = [
    Entry(path="/", kind=Kind.DIRECTORY, mode=0o755),
    Entry(path="/a\udcff", kind=Kind.FILE, size=1 << 40, uid=4_000_000_000, gid=7, mtime=-5),
    Entry(path="/link", kind=Kind.SYMLINK, link="somewhere/\udcfe"),
    Entry(path="/ping", kind=Kind.FILE, xattrs=(("security.capability", b"\0\xff"), ("user.x", b""))),
]


def diff_id(number: int) -> DiffId:
    return DiffId.parse(f"sha256:{number:064x}")


def layer(number: int = 1, rows: list[Entry] = ROWS, **more: Any) -> Walked:
    given: dict[str, Any] = {
        "table": FileTable.of(rows, bytes(16 * len(rows))),
        "captured": {"/a\udcff": b"\0\1"},
    }
    return Walked(diff_id=diff_id(number), **(given | more))


class Named:
    """A capture that only has a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        return False

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        return None


@pytest.mark.parametrize("rows", [ROWS, [], [Entry(path="/", kind=Kind.DIRECTORY)]])
def test_a_layer_comes_back_as_it_was_put(tmp_path: Path, rows: list[Entry]) -> None:
    cache = Cache(tmp_path)
    kept = layer(rows=rows)
    cache.put(kept.diff_id, Request(), kept)
    found = Cache(tmp_path).get(kept.diff_id, Request())
    assert found is not None
    table, captured = found
    assert list(table) == rows
    assert table.digests == kept.table.digests
    assert captured == kept.captured


def test_what_was_not_asked_for_is_not_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(contents=True), layer())
    cache.put(diff_id(2), Request(capture=Named("one")), layer(2))
    assert cache.get(diff_id(1), Request()) is None
    assert cache.get(diff_id(1), Request(contents=True)) is not None
    assert cache.get(diff_id(2), Request(capture=Named("two"))) is None
    assert cache.get(diff_id(2), Request(capture=Named("one"))) is not None
    assert cache.get(diff_id(3), Request()) is None


def test_who_wants_no_captured_files_is_content_with_what_others_captured(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(capture=Named("one"), verify=False), layer(verified=False))
    cache.put(diff_id(2), Request(capture=Named("one")), layer(2))
    cache.put(diff_id(3), Request(capture=Named("one"), contents=True), layer(3))
    assert cache.get(diff_id(1), Request(verify=False)) is not None
    assert cache.get(diff_id(2), Request(verify=False)) is not None
    assert cache.get(diff_id(2), Request()) is not None
    assert cache.get(diff_id(1), Request()) is None
    assert cache.get(diff_id(3), Request()) is None


def test_what_was_not_verified_is_there_only_for_those_who_do_not_ask_for_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(verify=False), layer(verified=False))
    assert cache.get(diff_id(1), Request()) is None
    assert cache.get(diff_id(1), Request(verify=False)) is not None
    cache.put(diff_id(2), Request(), layer(2))
    assert cache.get(diff_id(2), Request(verify=False)) is not None


def test_what_was_not_used_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    rows = [Entry(path=f"/{number}/{number * 7919 % 10007}", kind=Kind.FILE) for number in range(3000)]
    probe = Cache(tmp_path / "probe")
    probe.put(diff_id(0), Request(), layer(0, rows))
    one = len(caches._pack(layer(0, rows)))  # noqa: SLF001  # how large one is
    cache = Cache(tmp_path / "real", largest=one * 3 + one // 2)
    for number in (1, 2, 3):
        cache.put(diff_id(number), Request(), layer(number, rows))
        time.sleep(0.01)
    assert cache.get(diff_id(1), Request()) is not None
    time.sleep(0.01)
    cache.put(diff_id(4), Request(), layer(4, rows))
    there = [number for number in (1, 2, 3, 4) if cache.get(diff_id(number), Request()) is not None]
    assert there == [1, 3, 4]
    usage = cache.usage()
    assert usage is not None
    assert usage.entries == 3
    too_large = Cache(tmp_path / "real", largest=one // 2)
    too_large.put(diff_id(5), Request(), layer(5, rows))
    assert too_large.get(diff_id(5), Request()) is None
    assert too_large.get(diff_id(4), Request()) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "update layers set packed = x'00'",
        "update layers set packed = substr(packed, 1, length(packed) - 3)",
        "update layers set version = '0'",
        "update layers set checksum = x'00112233445566778899aabbccddeeff'",
    ],
)
def test_entries_that_are_broken_or_of_another_version_are_dropped_and_made_anew(
    tmp_path: Path, statement: str
) -> None:
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(), layer())
    with sqlite3.connect(tmp_path / "layers.sqlite") as database:
        database.execute(statement)
    database.close()
    assert cache.get(diff_id(1), Request()) is None
    usage = cache.usage()
    assert usage is not None
    assert usage.entries == 0
    cache.put(diff_id(1), Request(), layer())
    assert cache.get(diff_id(1), Request()) is not None


def test_an_entry_whose_columns_do_not_fit_together_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = FileTable.of(ROWS)
    wrong = FileTable(
        **{name: getattr(table, name) for name in FileTable.__slots__ if name != "kinds"}, kinds=b"\1"
    )
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(), layer(table=wrong))
    assert cache.get(diff_id(1), Request()) is None
    del monkeypatch


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "layers.sqlite").write_bytes(content)
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(), layer())
    cache.put(diff_id(1), Request(), layer())
    assert cache.get(diff_id(1), Request()) is not None


def test_a_directory_that_cannot_be_used_is_no_failure(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    (tmp_path / "file").write_text("in the way")
    saved = tmp_path / "saved.tar"
    saved.write_bytes(archive_of(docker_files({"app:1": small_image()})))
    (tmp_path / "taken" / "layers.sqlite").mkdir(parents=True)
    for directory in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "taken"):
        cache = Cache(directory)
        assert len(open_(f"docker-archive:{saved}", cache=cache).layers) == 4
        usage = cache.usage()
        assert usage is None or usage.entries == 0


def test_another_process_that_holds_the_cache_only_makes_it_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "_PATIENCE", 0.05)
    cache = Cache(tmp_path)
    cache.put(diff_id(1), Request(), layer())
    holder = sqlite3.connect(tmp_path / "layers.sqlite", isolation_level=None)
    holder.execute("begin exclusive")
    cache.put(diff_id(2), Request(), layer(2))
    assert cache.get(diff_id(1), Request()) is not None
    holder.execute("rollback")
    holder.close()
    assert cache.get(diff_id(2), Request()) is None


WRITER = """
import sys
from hullmark._images.cache import Cache
from hullmark._images.interface import Request, Walked
from hullmark.model.digest import DiffId
from hullmark.model.table import Entry, FileTable, Kind
from pathlib import Path
cache = Cache(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    table = FileTable.of([Entry(path=f"/{number}", kind=Kind.FILE)])
    diff_id = DiffId.parse(f"sha256:{number:064x}")
    cache.put(diff_id, Request(), Walked(diff_id=diff_id, table=table, captured={}))
"""


def test_several_processes_may_use_it_at_once(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start)]) for start in (0, 100, 200)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    cache = Cache(tmp_path)
    for number in (*range(20), *range(100, 120), *range(200, 220)):
        found = cache.get(diff_id(number), Request())
        assert found is not None
        assert found[0].paths == [f"/{number}"]


def test_threads_share_one_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def work(start: int) -> None:
        for number in range(start, start + 10):
            cache.put(diff_id(number), Request(), layer(number))
            assert cache.get(diff_id(number), Request()) is not None

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    usage = cache.usage()
    assert usage is not None
    assert usage.entries == 30


def test_a_second_reading_takes_the_layers_from_the_cache(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    cache = Cache(tmp_path / "cache")
    layout = write_files(tmp_path / "layout", oci_files({"app": small_image()}))
    first = open_(f"oci-dir:{layout}", cache=cache)
    assert "known from before" not in first.how
    blobs = [layout / "blobs/sha256" / str(each.digest).removeprefix("sha256:") for each in first.layers]
    for path in blobs:
        path.write_bytes(bytes(path.stat().st_size))
    second = open_(f"oci-dir:{layout}", cache=cache)
    assert second.how.endswith("4 of 4 layers known from before")
    assert [(x.diff_id, x.digest, x.transfer, list(x.table)) for x in second.layers] == [
        (x.diff_id, x.digest, x.transfer, list(x.table)) for x in first.layers
    ]
    # What has not even the size of the layer is not taken for it.
    blobs[0].write_bytes(b"garbage")
    with pytest.raises(DamagedImage, match=r"should have \d+ bytes by its manifest, and has 7$"):
        open_(f"oci-dir:{layout}", cache=cache)


def test_the_directory_is_the_users_and_says_so_nowhere_else(tmp_path: Path) -> None:
    assert cache_directory({"HULLMARK_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}) is not None
    places = [
        cache_directory(environ)
        for environ in (
            {"HULLMARK_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"},
            {"XDG_CACHE_HOME": "/x", "HOME": "/h"},
            {"XDG_CACHE_HOME": "relative", "HOME": "/h"},
            {},
        )
    ]
    assert [str(each) for each in places] == ["/c", "/x/hullmark", "/h/.cache/hullmark", "None"]
    cache = Cache(tmp_path / "mine")
    cache.put(diff_id(1), Request(), layer())
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
    assert Cache.at({"HULLMARK_NO_CACHE": "1", "HOME": str(tmp_path)}).directory is None
    assert Cache.at({"HULLMARK_NO_CACHE": "0", "HOME": str(tmp_path)}).directory is not None


def call(*argv: str, **environ: str) -> str:
    """What the command line says."""
    out, err = io.StringIO(), io.StringIO()
    code = main(["cache", *argv], stdout=out, stderr=err, environ=environ)
    assert (code, err.getvalue()) == (0, "")
    return out.getvalue()


def test_the_command_shows_and_clears(tmp_path: Path) -> None:
    where = {"HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    assert call("show", **where) == f"{tmp_path / 'cache'}: 0 layers, 0 B\n"
    assert call("clear", **where) == f"{tmp_path / 'cache'}: removed 0 layers, 0 B\n"
    cache = Cache(tmp_path / "cache")
    cache.put(diff_id(1), Request(), layer())
    assert call("show", **where).startswith(f"{tmp_path / 'cache'}: 1 layer, ")
    assert call("clear", **where).startswith(f"{tmp_path / 'cache'}: removed 1 layer, ")
    assert list((tmp_path / "cache").iterdir()) == []
    assert cache.get(diff_id(1), Request()) is None
    assert "nothing is kept" in call("show", HULLMARK_NO_CACHE="1")
    assert "nothing is kept" in call("clear")
