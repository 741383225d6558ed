"""Bytes that nobody chose: whatever is fed, there is a result or one error that says what is wrong.

Where atheris is installed, it looks for such bytes by what the code does with them, for a bounded time; else Hypothesis
makes them up.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._images.blob import BlobReader
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Limits, Request
from hullmark._images.manifests import parse_manifest
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.table import Entry, Kind
from hullmark.testing import compress, layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
        assert len(reader.finish().table) <= SMALL.limits.entries


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


TARGETS: dict[str, Callable[[bytes], None]] = {
    "layer": fuzz_layer,
    "manifest": fuzz_manifest,
    "configuration": fuzz_configuration,
}
TAR = layer_tar(
    [
        Entry(path="/d", kind=Kind.DIRECTORY),
        Entry(path="/" + "n" * 120, kind=Kind.FILE, size=600),
        Entry(path="/x", kind=Kind.FILE, size=1, xattrs=(("user.a", b"b"),)),
    ]
)[:5120]
SEEDS = {
    "layer": [TAR, gzip.compress(TAR), compress(TAR, "zstd"), b""],
    "manifest": [
        b'{"schemaVersion": 2, "manifests": []}',
        b'{"config": {"digest": "", "size": 1}, "layers": []}',
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
