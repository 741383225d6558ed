"""Bytes that nobody chose: whatever is fed, there is a result or one error that says what is wrong.

Where atheris is installed, it looks for such bytes by what the code does with them, for a bounded time; else Hypothesis
makes them up.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import sqlite3
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import PackageCapture
from hullmark._contents.summary import by_owner
from hullmark._images.blob import BlobReader
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Limits, Request, Walked
from hullmark._images.manifests import parse_manifest
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.testing import compress, layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hullmark.model.owner import Ownership

SMALL = Request(
    contents=True,
    limits=Limits(unpacked=1 << 24, free=1 << 20, ratio=100, entries=1000, header=1 << 16, captured=1 << 16),
)
SECONDS = 20


def fuzz_layer(data: bytes) -> None:
    """A layer, plain or compressed, in two pieces."""
    reader = BlobReader(SMALL, "layer")
    with contextlib.suppress(DamagedImage):
        reader.feed(data[: len(data) // 2])
        reader.feed(data[len(data) // 2 :])
        found = reader.finish()
        if isinstance(found, Walked):
            assert len(found.table) <= SMALL.limits.entries
        else:
            assert found.transfer == len(data)


def fuzz_manifest(data: bytes) -> None:
    """A manifest or an index."""
    with contextlib.suppress(DamagedImage, Unavailable):
        parse_manifest(data, "image")


def fuzz_configuration(data: bytes) -> None:
    """A configuration."""
    with contextlib.suppress(DamagedImage):
        document = parse_configuration(data, "image")
        document.diff_ids("image")
        document.steps()


def fuzz_packages(data: bytes) -> None:
    """What a package manager wrote down: the first byte says which one, and zeros are between several files."""
    owned_by(data)


def owned_by(data: bytes) -> Ownership:
    """Whose the files of an image are that has `data` for databases."""
    capture = PackageCapture()
    places = DATABASES[data[0] % len(DATABASES)] if data else DATABASES[0]
    files = dict(zip(places, data[1:].split(b"\0\0\0\0", len(places) - 1), strict=False))
    if len(places) == 1:
        files = {places[0]: data[1:]}
    entries = [Entry(path=path, kind=Kind.FILE, size=len(content)) for path, content in files.items()]
    entries.append(Entry(path="/usr/bin/tool", kind=Kind.FILE, size=9))
    captured = {
        path: kept
        for path, content in files.items()
        if capture.wants(path, len(content), 0o644)
        and (kept := capture.take(path, memoryview(content))) is not None
    }
    assert captured.keys() == files.keys()
    layer = Layer(diff_id=DiffId.parse(f"sha256:{1:064x}"), table=FileTable.of(entries), captured=captured)
    system = overlay((layer,))
    ownership = find_owners(system)
    assert sum(each.bytes for each in by_owner(system, ownership)) == system.visible_bytes
    return ownership


TARGETS: dict[str, Callable[[bytes], None]] = {
    "layer": fuzz_layer,
    "manifest": fuzz_manifest,
    "configuration": fuzz_configuration,
    "packages": fuzz_packages,
}
_SITE = "/usr/lib/python3/dist-packages/it-1.0.dist-info"
DATABASES = (
    ("/var/lib/dpkg/status", "/var/lib/dpkg/info/it.list"),
    ("/var/lib/dpkg/status.d/it",),
    ("/lib/apk/db/installed",),
    # One file, since it holds zeros itself.
    ("/var/lib/rpm/rpmdb.sqlite",),
    (f"{_SITE}/METADATA", f"{_SITE}/RECORD", f"{_SITE}/top_level.txt"),
    ("/app/package.json", "/app/node_modules/it/package.json"),
)
"""The files of each package manager."""
TAR = layer_tar(
    [
        Entry(path="/d", kind=Kind.DIRECTORY),
        Entry(path="/" + "n" * 120, kind=Kind.FILE, size=600),
        Entry(path="/x", kind=Kind.FILE, size=1, xattrs=(("user.a", b"b"),)),
    ]
)[:5120]


def _rpm() -> bytes:
    """A database of rpm with one package that owns a file."""
    values = (
        (1000, 6, b"it\0"),
        (1001, 6, b"1\0"),
        (1002, 6, b"2\0"),
        (1117, 8, b"tool\0"),
        (1118, 8, b"/usr/bin/\0"),
    )
    index = b"".join(
        struct.pack(">4I", tag, type_, sum(len(each) for _, _, each in values[:row]), 1)
        for row, (tag, type_, _) in enumerate(values)
    )
    store = b"".join(each for _, _, each in values)
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("pragma page_size = 512")
        database.execute("create table Packages (hnum integer primary key, blob blob not null)")
        blob = struct.pack(">2I", len(values), len(store)) + index + store
        database.execute("insert into Packages values (1, ?)", (blob,))
        database.commit()
        return bytes(database.serialize())


SEEDS = {
    "layer": [TAR, gzip.compress(TAR), compress(TAR, "zstd"), b""],
    "manifest": [
        b'{"schemaVersion": 2, "manifests": []}',
        b'{"config": {"digest": "", "size": 1}, "layers": []}',
    ],
    "packages": [
        b"\0Package: it\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: all\n\0\0\0\0/.\n/usr/bin/tool\n",
        b"\1Package: it\nVersion: 1\n",
        b"\2P:it\nV:1-r0\nA:x86_64\nF:usr/bin\nR:tool\nZ:Q1abc=\n\n",
        b"\3" + _rpm(),
        (
            b"\4Name: it\nVersion: 1.0\nRequires-Dist: other[x]>=2; python_version > '3'\n\0\0\0\0"
            b"../../../../bin/tool,sha256=a,9\nit/__init__.py,,\n\0\0\0\0it\n"
        ),
        b'\5{"name": "app", "dependencies": {"it": "^1"}}\0\0\0\0{"name": "it", "version": "1.0.0"}',
    ],
    "configuration": [b'{"rootfs": {"diff_ids": []}, "history": [{}], "config": {"Env": []}}'],
}
DRIVER = """
import importlib.util, sys
import atheris
with atheris.instrument_imports(include=["hullmark"]):
    spec = importlib.util.spec_from_file_location("targets", sys.argv[1])
    targets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(targets)
atheris.Setup([sys.argv[0], *sys.argv[3:]], targets.TARGETS[sys.argv[2]])
atheris.Fuzz()
"""


@st.composite
def mutated(draw: Callable[[st.SearchStrategy[int]], int], seeds: list[bytes]) -> bytes:
    """One of `seeds` with some bytes changed, left out or put in."""
    content = bytearray(seeds[draw(st.integers(0, len(seeds) - 1))])
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(content)))
        match draw(st.integers(0, 2)):
            case 0:
                content[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del content[place : place + draw(st.integers(1, 700))]
            case _:
                content[place:place] = bytes(draw(st.integers(1, 700)))
    return bytes(content)


@pytest.mark.parametrize("seed", SEEDS["packages"], ids=["dpkg", "distroless", "apk", "rpm", "python", "npm"])
def test_the_databases_that_bytes_are_changed_of_are_some(seed: bytes) -> None:
    assert "it" in [package.owner.name for package in owned_by(seed).packages]


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_that_nobody_chose_are_read_or_refused(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:

        @settings(max_examples=400)
        @given(st.one_of(mutated(SEEDS[name]), st.binary(max_size=1500)))
        def run(data: bytes) -> None:
            TARGETS[name](data)

        run()
        return
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    arguments = [
        f"-max_total_time={SECONDS}",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={tmp_path}/",
        str(corpus),
    ]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, __file__, name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS * 10,
    )
    assert done.returncode == 0, done.stderr[-4000:]
