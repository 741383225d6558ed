"""Layers of a store shared out to a copy of the process, which is one of its own here, as the one that tests is not alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.images.engine.test_layer_store import Short, _split

from hullmark._images.cache import Cache
from hullmark._images.interface import Core, DamagedStore, Request, Stored
from hullmark._images.layer_store import LayerStore
from hullmark._images.packed import packed_layers
from hullmark._images.reader import read_layers
from hullmark.model.digest import DiffId
from hullmark.model.table import Entry, Kind
from hullmark.testing import layer_tar

if TYPE_CHECKING:
    import threading

ROOT = Path(__file__).resolve().parents[3]
LAYERS = 5
READ = """
import hashlib, os, signal, sys, threading
from functools import partial
from pathlib import Path
from hullmark._images import reader
from hullmark._images.cache import Cache
from hullmark._images.interface import Core, Request
from hullmark._images.layer_store import LayerStore
from hullmark._images.packed import packed_layers
from hullmark.errors import HullmarkError
from hullmark.model.digest import DiffId
from tests.images.engine.test_layer_store import Short

cancelled = threading.Event()
made = []
class Forked(reader.Forked):
    def __init__(self, work):
        made.append(self)
        super().__init__(work)
reader.Forked = Forked
reader.processors = lambda: 2
plain = reader.shared_out
reader.shared_out = partial(plain, worth=1)
root, cache, *diff_ids = sys.argv[1:]
diff_ids = [DiffId.parse(each) for each in diff_ids]
layers = LayerStore(root=Path(root)).layers(diff_ids, "it", cancelled)
core = Core(reference="it", how="", manifest=None, config=b"", layers=layers)

def read(**wanted):
    request = Request(**{"verify": False, "capture": Short()} | wanted)
    return reader.read_layers(core, diff_ids, request, Cache(Path(cache)), cancelled)

def show(found):
    print(len(made), found[1], hashlib.sha256(packed_layers(found[0])).hexdigest())
"""


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, tuple[DiffId, ...]]:
    """A store with some layers, the first of which has the most entries."""
    diff_ids: list[str] = []
    chain = ""
    for number in range(LAYERS):
        contents = {f"/part-{number}/{each}": b"x" * (each % 7) for each in range(400 if number == 0 else 90)}
        entries = [Entry(path=path, kind=Kind.FILE, size=len(data)) for path, data in contents.items()]
        tar = layer_tar(entries, contents)
        diff_ids.append(f"sha256:{hashlib.sha256(tar).hexdigest()}")
        chain = (
            f"sha256:{hashlib.sha256(f'{chain} {diff_ids[-1]}'.encode()).hexdigest()}"
            if chain
            else diff_ids[-1]
        )
        database = tmp_path / "image/overlay2/layerdb/sha256" / chain.removeprefix("sha256:")
        database.mkdir(parents=True)
        (database / "diff").write_text(diff_ids[-1])
        (database / "cache-id").write_text(f"files-{number}")
        (database / "tar-split.json.gz").write_bytes(_split(tar))
        directory = tmp_path / "overlay2" / f"files-{number}" / "diff" / f"part-{number}"
        directory.mkdir(parents=True)
        for path, data in contents.items():
            (directory / path.rpartition("/")[2]).write_bytes(data)
    return tmp_path, tuple(DiffId.parse(each) for each in diff_ids)


def _here(store: tuple[Path, tuple[DiffId, ...]], cancelled: threading.Event) -> str:
    """What the threads of this process find."""
    root, diff_ids = store
    layers = LayerStore(root=root).layers(diff_ids, "it", cancelled)
    assert layers is not None
    # Nothing is worth a process.
    plain = tuple(Stored(walk=each.walk) for each in layers)
    core = Core(reference="it", how="", manifest=None, config=b"", layers=plain)
    found, _ = read_layers(core, diff_ids, Request(verify=False, capture=Short()), Cache(None), cancelled)
    assert [len(each.captured) for each in found] == [229, *[52] * (LAYERS - 1)]
    return hashlib.sha256(packed_layers(found)).hexdigest()


def _there(store: tuple[Path, tuple[DiffId, ...]], script: str) -> str:
    root, diff_ids = store
    argv = (sys.executable, "-W", "error", "-c", READ + script, str(root), str(root / "cache"))
    done = subprocess.run(
        (*argv, *map(str, diff_ids)), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_copy_finds_what_a_thread_finds_and_the_cache_has_it_then(
    store: tuple[Path, tuple[DiffId, ...]], cancelled: threading.Event
) -> None:
    found = _here(store, cancelled)
    assert _there(store, "show(read()); show(read())") == f"1 0 {found}\n1 {LAYERS} {found}\n"


def test_a_few_headers_are_not_worth_a_copy(
    store: tuple[Path, tuple[DiffId, ...]], cancelled: threading.Event
) -> None:
    assert _there(store, "reader.shared_out = plain; show(read())") == f"0 0 {_here(store, cancelled)}\n"


def test_where_all_bytes_are_wanted_no_copy_reads_them(store: tuple[Path, tuple[DiffId, ...]]) -> None:
    # A copy hands over tables alone, and neither digests nor sizes.
    script = """
for wanted in ({"verify": True}, {"contents": True}, {"transfer": True}):
    found, _ = read(**wanted)
    print(len(made), *wanted, all(each.verified for each in found))
"""
    assert _there(store, script).splitlines() == ["0 verify True", "0 contents True", "0 transfer True"]


def test_what_a_copy_does_not_bring_is_read_without_it(
    store: tuple[Path, tuple[DiffId, ...]], cancelled: threading.Event
) -> None:
    script = """
reader._Work._packed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
show(read())
"""
    assert _there(store, script) == f"1 0 {_here(store, cancelled)}\n"


def test_who_wants_no_more_waits_for_no_copy(store: tuple[Path, tuple[DiffId, ...]]) -> None:
    script = """
signal.signal(signal.SIGUSR1, lambda *_: cancelled.set())
def packed(*_):
    os.kill(os.getppid(), signal.SIGUSR1)
    signal.pause()
reader._Work._packed = packed
try:
    read()
except HullmarkError as error:
    print(type(error).__name__)
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("nothing left")
"""
    assert _there(store, script) == "Interrupted\nnothing left\n"


def test_a_damaged_layer_is_told_as_without_a_copy(
    store: tuple[Path, tuple[DiffId, ...]], cancelled: threading.Event
) -> None:
    for split in store[0].glob("image/overlay2/layerdb/sha256/*/tar-split.json.gz"):
        if len(split.read_bytes()) < 10_000:
            split.write_bytes(split.read_bytes()[:-200])
    with pytest.raises(DamagedStore) as caught:
        _here(store, cancelled)
    script = """
try:
    read()
except HullmarkError as error:
    print(type(error).__name__, "it: layer" in error.message, error.message.rpartition(":")[2])
"""
    said = str(caught.value).rpartition(":")[2]
    assert _there(store, script) == f"DamagedStore True {said}\n"
