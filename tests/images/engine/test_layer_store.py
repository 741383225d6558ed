"""A layer store made by hand, for archives that no engine of today writes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from hullmark._images.cache import Cache
from hullmark._images.interface import Core, DamagedStore, Request
from hullmark._images.layer_store import LayerStore
from hullmark._images.reader import read_layers
from hullmark._images.tar import TarWalk
from hullmark.model.digest import DiffId
from hullmark.model.table import Entry, Kind
from hullmark.testing import layer_tar

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from hullmark.model.image import Capture


def _split(tar: bytes) -> bytes:
    """What an engine keeps of a layer besides its files: everything in its archive but their contents."""
    lines = []
    at = 0
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            header = base64.b64encode(tar[at : member.offset_data]).decode()
            lines += [{"type": 2, "payload": header}, {"type": 1, "name": member.name, "size": member.size}]
            at = member.offset_data + member.size
    lines.append({"type": 2, "payload": base64.b64encode(tar[at:]).decode()})
    return gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())


def _store(root: Path, tar: bytes, files: dict[str, bytes]) -> tuple[LayerStore, DiffId]:
    diff_id = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    database = root / "image/overlay2/layerdb/sha256" / diff_id.removeprefix("sha256:")
    database.mkdir(parents=True)
    (database / "diff").write_text(diff_id)
    (database / "cache-id").write_text("files")
    (database / "tar-split.json.gz").write_bytes(_split(tar))
    content = root / "overlay2" / "files" / "diff"
    content.mkdir(parents=True)
    for name, data in files.items():
        (content / name).write_bytes(data)
    return LayerStore(root=root), DiffId.parse(diff_id)


class Short:
    """Keeps short files."""

    name = "short/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether it is one."""
        return size < 4

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        """All of it."""
        return bytes(content)


@pytest.mark.parametrize(
    ("second", "content", "held"),
    [
        (Entry(path="/a", kind=Kind.FILE, size=2), {"/a": b"22"}, b"22"),
        (Entry(path="/a", kind=Kind.FILE, size=5), {"/a": b"55555"}, b"55555"),
        (Entry(path="/a", kind=Kind.WHITEOUT), {}, b"1"),
        (Entry(path="/a", kind=Kind.HARDLINK, link="/b"), {}, b"bb"),
        (Entry(path="/other", kind=Kind.FILE), {"/other": b""}, b"1"),
    ],
    ids=["shorter", "longer", "whiteout", "hard link", "another"],
)
def test_of_a_path_that_comes_twice_the_same_is_kept_as_of_the_archive(
    tmp_path: Path,
    cancelled: threading.Event,
    second: Entry,
    content: dict[str, bytes],
    held: bytes,
) -> None:
    first = [Entry(path="/b", kind=Kind.FILE, size=2), Entry(path="/a", kind=Kind.FILE, size=1)]
    before = layer_tar(first, {"/b": b"bb", "/a": b"1"})
    # One archive after the other, without the end of the first.
    tar = before[: 4 * 512] + layer_tar([second], content)
    capture: Capture = Short()
    request = Request(capture=capture, verify=False)
    store, diff_id = _store(tmp_path, tar, {"a": held, "b": b"bb", "other": b""})
    layers = store.layers((diff_id,), "it", cancelled)
    assert layers is not None
    found = layers[0].walk(request)
    walk = TarWalk(request, "it")
    walk.feed(tar)
    table, captured = walk.finish()
    assert list(found.table) == list(table)
    assert dict(found.captured) == dict(captured)


@pytest.mark.parametrize(("size", "content"), [(1, b"2"), (2, b"22")], ids=["of the same size", "of another"])
def test_a_layer_with_a_path_twice_cannot_be_made_again_and_is_not_verified(
    tmp_path: Path, cancelled: threading.Event, size: int, content: bytes
) -> None:
    first = layer_tar([Entry(path="/a", kind=Kind.FILE, size=1)], {"/a": b"1"})
    tar = first[: 2 * 512] + layer_tar([Entry(path="/a", kind=Kind.FILE, size=size)], {"/a": content})
    store, diff_id = _store(tmp_path, tar, {"a": content})
    layers = store.layers((diff_id,), "it", cancelled)
    assert layers is not None
    core = Core(reference="it", how="", manifest=None, config=b"", layers=layers)
    (layer,), _ = read_layers(core, (diff_id,), Request(verify=False), Cache(None), cancelled)
    assert [(entry.path, entry.size) for entry in layer.table] == [("/a", 1), ("/a", size)]
    assert not layer.verified
    with pytest.raises(DamagedStore, match=r"and its tar has sha256:|expected a file of 1 bytes, found 2"):
        read_layers(core, (diff_id,), Request(), Cache(None), cancelled)
