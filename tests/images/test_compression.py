"""How large a blob becomes is measured as engines compress, and once for each layer."""

from __future__ import annotations

import gzip
import random
import threading
from typing import TYPE_CHECKING

import pytest

from hullmark._images.cache import Cache
from hullmark._images.compression import Measured
from hullmark._images.interface import Core, Request, Stored, Walked
from hullmark._images.reader import read_layers
from hullmark._images.reference import open_image
from hullmark.model.digest import DiffId
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar, oci_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

CHANCE = random.Random(3)  # noqa: S311  # the same bytes every time
NOISE = CHANCE.randbytes(1 << 16)
WORDS = b"".join(CHANCE.choice([b"one ", b"two ", b"three\n", NOISE[:9]]) for _ in range(900_000))


@pytest.mark.parametrize(
    "content",
    [b"", b"x", bytes(3 << 20), NOISE * 40, WORDS, NOISE + WORDS[: 1 << 20]],
    ids=["nothing", "a byte", "zeros", "noise that repeats", "words", "both"],
)
@pytest.mark.parametrize("step", [1 << 12, 1 << 20, 1 << 26])
def test_the_size_is_that_of_gzip_at_its_usual_level(content: bytes, step: int) -> None:
    measured = Measured()
    for begin in range(0, len(content), step):
        measured.write(memoryview(content)[begin : begin + step])
    size = measured.finish()
    measured.close()
    expected = len(gzip.compress(content, 6))
    assert abs(size - expected) <= 0.02 * expected + 64


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    measured = Measured()
    measured.write(bytes(20 << 20))
    measured.close()
    assert threading.active_count() <= before


def _files() -> ImageFiles:
    layers = [
        layer_tar(
            [Entry(path=f"/{number}", kind=Kind.FILE, size=1 << 20)],
            {f"/{number}": WORDS[number:][: 1 << 20]},
        )
        for number in range(2)
    ]
    return ImageFiles(layers=tuple(layers))


def test_layers_without_a_blob_are_measured_where_that_is_asked_for(tmp_path: Path) -> None:
    files = _files()
    path = tmp_path / "image.tar"
    path.write_bytes(archive_of(docker_files({"it:1": files}, legacy=True)))
    unasked = open_image(f"docker-archive:{path}", environ={}, cache=Cache(None))
    assert (unasked.transfer, unasked.estimated) == (None, False)
    cache = Cache(tmp_path / "cache")
    for known in (0, 2):
        asked = open_image(f"docker-archive:{path}", environ={}, request=Request(transfer=True), cache=cache)
        assert (" 2 of 2 layers known from before" in asked.how) == (known == 2)
        assert asked.estimated
        for layer, tar in zip(asked.layers, files.layers, strict=True):
            assert layer.transfer == pytest.approx(len(gzip.compress(tar, 6)), rel=0.02)


def test_blobs_that_are_there_are_not_measured(tmp_path: Path) -> None:
    write_files(tmp_path, oci_files({"it": _files()}, compression=""))
    asked = open_image(f"oci-dir:{tmp_path}", environ={}, request=Request(transfer=True), cache=Cache(None))
    assert not asked.estimated
    assert asked.transfer == sum(map(len, _files().layers))


@pytest.mark.parametrize("table", [True, False])
def test_what_is_known_of_a_layer_is_not_measured_again(
    tmp_path: Path, cancelled: threading.Event, *, table: bool
) -> None:
    diff_id = DiffId.parse(f"sha256:{1:064x}")
    cache = Cache(tmp_path)
    seen: list[bool] = []

    def walk(request: Request) -> Walked:
        seen.append(request.transfer)
        return Walked(
            diff_id=diff_id,
            table=FileTable.of([]),
            captured={},
            estimated=7 if request.transfer else None,
        )

    core = Core(reference="it", how="", manifest=None, config=b"", layers=(Stored(walk=walk),))
    if table:
        read_layers(core, (diff_id,), Request(), cache, cancelled)
    else:
        cache.put_transfer(diff_id, 7)
    (layer,), _ = read_layers(core, (diff_id,), Request(transfer=True), cache, cancelled)
    assert layer.estimated == 7
    assert seen == ([False, True] if table else [False])
    (again,), cached = read_layers(core, (diff_id,), Request(transfer=True), cache, cancelled)
    assert (again.estimated, cached, len(seen)) == (7, 1, 2 if table else 1)
