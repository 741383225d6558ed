"""Images of the local engine: the same by every way, as the archive that the engine saves, and nothing else believed."""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.images.test_tar import END, SPARSE, header, sparse_archives

from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Request
from hullmark._images.layer_store import LayerStore
from hullmark._images.local_engine import LocalEngine
from hullmark.errors import DamagedImage, Unavailable
from hullmark.testing import ImageFiles, archive_of, docker_files

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from hullmark._engines import Engine
    from hullmark.model.image import Capture

pytestmark = pytest.mark.docker


def test_every_way_to_the_engine_gives_the_same_as_the_archive(
    engine: Engine, loaded: Any, open_whole: Any, same: Callable[..., None], elsewhere: Any
) -> None:
    expected = open_whole(f"docker-archive:{loaded.archive}")
    same(open_whole(f"docker:{loaded.name}", verify=False), expected)
    same(open_whole(loaded.name), expected)
    same(open_whole(loaded.id, contents=True), open_whole(f"docker-archive:{loaded.archive}", contents=True))
    with elsewhere(engine.host.removeprefix("unix://")) as host:
        streamed = open_whole(f"docker:{loaded.name}", {**os.environ, "DOCKER_HOST": host})
    same(streamed, expected)
    assert streamed.how == "streamed by the engine, because it is not on this machine"


def test_what_would_be_pulled_of_an_image_that_nobody_has_pushed_is_measured_in_the_store_too(
    loaded: Any, open_whole: Any
) -> None:
    found = open_whole(f"docker:{loaded.name}", verify=False, transfer=True)
    expected = open_whole(f"docker-archive:{loaded.archive}", transfer=True)
    assert found.estimated
    assert [layer.transfer for layer in found.layers] == [layer.transfer for layer in expected.layers]
    # It holds 3 MB that cannot be compressed.
    assert 3_000_000 < found.transfer < 3_100_000


def test_what_the_engine_saves_is_the_same(
    engine: Engine, loaded: Any, open_whole: Any, same: Callable[..., None], tmp_path: Path
) -> None:
    saved = tmp_path / "saved.tar"
    with saved.open("wb") as file:
        file.writelines(engine.client.api.get_image(loaded.name))
    same(open_whole(f"docker-archive:{saved}"), open_whole(f"docker:{loaded.name}"))


def test_the_store_is_read_where_it_can_be(engine: Engine, loaded: Any, open_whole: Any) -> None:
    found = open_whole(f"docker:{loaded.name}")
    info = engine.client.info()
    if info["Driver"] == "overlay2" and os.access(Path(info["DockerRootDir"]) / "image", os.R_OK):
        assert found.how == "read from the engine's layer store"
    else:
        assert found.how.startswith("streamed by the engine, because ")


@pytest.mark.usefixtures("engine")
def test_an_image_that_is_not_there_is_told_with_what_to_do(open_whole: Any) -> None:
    with pytest.raises(Unavailable, match="the engine has no image `hullmark-test-none`") as caught:
        open_whole("docker:hullmark-test-none")
    assert "hullmark build" in (caught.value.hint or "")


def test_names_that_are_like_one_that_is_not_there_are_shown(loaded: Any, open_whole: Any) -> None:
    repository = loaded.name.rpartition(":")[0] or loaded.name
    with pytest.raises(Unavailable, match=f"there is .*`{loaded.name}`") as caught:
        open_whole(f"docker:{repository}:none")
    assert f"docker pull {repository}:none" in (caught.value.hint or "")
    with pytest.raises(Unavailable, match="the engine has no image `0123456789ab`") as caught:
        open_whole("docker:0123456789ab")
    assert caught.value.hint == "`docker image ls` lists what there is"


def test_an_image_for_another_platform_is_not_given(loaded: Any, open_whole: Any) -> None:
    with pytest.raises(Unavailable, match="the engine has it for linux/amd64"):
        open_whole(f"docker:{loaded.name}", platform="linux/s390x")


@pytest.fixture
def store(engine: Engine, loaded: Any, tmp_path: Path) -> tuple[LayerStore, Path, bytes]:
    """A copy of what the engine's store has of the image: the store, the first layer's files, the configuration."""
    root = Path(engine.client.info()["DockerRootDir"])
    original = LayerStore(root=root)
    config = original.config(loaded.id)
    assert config is not None
    copy = tmp_path / "store"
    database = "image/overlay2/layerdb/sha256"
    first = Path()
    chain = ""
    for diff_id in parse_configuration(config, "it").diff_ids("it"):
        chain = (
            str(diff_id)
            if not chain
            else f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
        )
        directory = chain.removeprefix("sha256:")
        shutil.copytree(root / database / directory, copy / database / directory)
        cache_id = (root / database / directory / "cache-id").read_text("ascii")
        target = copy / "overlay2" / cache_id / "diff"
        target.parent.mkdir(parents=True)
        source = root / "overlay2" / cache_id / "diff"
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # devices and attributes too
        first = first if first != Path() else target
    return LayerStore(root=copy), first, config


def _walked(
    store: LayerStore, config: bytes, capture: Capture, cancelled: threading.Event, *, verify: bool
) -> None:
    layers = store.layers(parse_configuration(config, "it").diff_ids("it"), "it", cancelled)
    assert layers is not None
    for layer in layers:
        layer.walk(Request(capture=capture, verify=verify))


@pytest.mark.parametrize("verify", [True, False])
def test_a_copy_of_the_store_is_as_good(
    store: tuple[LayerStore, Path, bytes], everything: Capture, cancelled: threading.Event, *, verify: bool
) -> None:
    _walked(store[0], store[2], everything, cancelled, verify=verify)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("how", ["gone", "fifo", "link", "parent"])
def test_what_the_store_has_lost_is_damage_and_no_link_is_followed(
    store: tuple[LayerStore, Path, bytes],
    tmp_path: Path,
    everything: Capture,
    cancelled: threading.Event,
    how: str,
    *,
    verify: bool,
) -> None:
    layers, files, config = store
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "conf").write_bytes(b"a secret.")
    victim = files / "etc" / "conf"
    match how:
        case "gone":
            victim.unlink()
        case "fifo":
            victim.unlink()
            os.mkfifo(victim)
        case "link":
            victim.unlink()
            victim.symlink_to(secret / "conf")
        case _:
            shutil.rmtree(files / "etc")
            (files / "etc").symlink_to(secret)
    with pytest.raises(DamagedImage, match="the engine's store has lost `/etc/conf`"):
        _walked(layers, config, everything, cancelled, verify=verify)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("size", [0, 1, 3_000_001])
def test_a_file_of_another_size_is_damage(
    store: tuple[LayerStore, Path, bytes],
    everything: Capture,
    cancelled: threading.Event,
    size: int,
    *,
    verify: bool,
) -> None:
    layers, files, config = store
    (files / "large").write_bytes(b"x" * size)
    with pytest.raises(DamagedImage, match=f"expected a file of 3000000 bytes, found {size}"):
        _walked(layers, config, everything, cancelled, verify=verify)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"])
def test_headers_that_cannot_be_read_are_damage(
    store: tuple[LayerStore, Path, bytes], everything: Capture, cancelled: threading.Event, content: bytes
) -> None:
    layers, _, config = store
    for split in layers.root.glob("image/overlay2/layerdb/sha256/*/tar-split.json.gz"):
        split.write_bytes(content)
    with pytest.raises(DamagedImage):
        _walked(layers, config, everything, cancelled, verify=True)


def test_a_store_that_holds_another_layer_is_not_used(
    store: tuple[LayerStore, Path, bytes], cancelled: threading.Event
) -> None:
    layers, _, config = store
    for diff in layers.root.glob("image/overlay2/layerdb/sha256/*/diff"):
        diff.write_text("sha256:" + "0" * 64)
    assert layers.layers(parse_configuration(config, "it").diff_ids("it"), "it", cancelled) is None
    assert layers.config("sha256:" + "0" * 64) is None
    assert "storage driver is btrfs" in (layers.why_not("btrfs") or "")


@pytest.fixture
def of_the_copy(
    store: tuple[LayerStore, Path, bytes], loaded: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[LayerStore, Path]:
    """Has the engine say that its store is the copy: the store, and the first layer's files."""
    layers, files, config = store
    images = layers.root / "image/overlay2/imagedb/content/sha256"
    images.mkdir(parents=True)
    (images / loaded.id.removeprefix("sha256:")).write_bytes(config)
    info = {"DockerRootDir": str(layers.root), "Driver": "overlay2"}
    monkeypatch.setattr(LocalEngine, "info", lambda _: info)
    return layers, files


@pytest.mark.parametrize(
    ("how", "verify", "told"),
    [
        ("file", True, "the engine's store has lost `/etc/conf`"),
        ("file", False, "the engine's store has lost `/etc/conf`"),
        ("content", True, "the configuration says that its diff ID is"),
        ("files", True, "No such file or directory"),
        ("headers", False, "tar-split.json.gz cannot be read"),
        ("header", False, "is no readable tar archive"),
    ],
)
def test_where_the_store_is_damaged_the_engine_streams_the_image(
    of_the_copy: tuple[LayerStore, Path],
    loaded: Any,
    open_whole: Any,
    same: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    told: str,
    *,
    verify: bool,
) -> None:
    layers, files = of_the_copy
    splits = layers.root.glob("image/overlay2/layerdb/sha256/*/tar-split.json.gz")
    match how:
        case "file":
            (files / "etc" / "conf").unlink()
        case "content":
            (files / "etc" / "conf").write_bytes(b"otherwise")
        case "files":
            # Gone after the store was found to be complete.
            whole = Path.is_dir
            monkeypatch.setattr(Path, "is_dir", lambda path: path == files or whole(path))
            shutil.rmtree(files)
        case "headers":
            for split in splits:
                split.write_bytes(split.read_bytes()[:-20])
        case _:
            for split in splits:
                lines = gzip.decompress(split.read_bytes()).split(b"\n")
                lines[0] = b'{"type":2,"payload":"' + b"QUFB" * 200 + b'"}'
                split.write_bytes(gzip.compress(b"\n".join(lines)))
    found = open_whole(f"docker:{loaded.name}", verify=verify)
    assert found.how.startswith("streamed by the engine, because its layer store is damaged: ")
    assert told in found.how
    same(found, open_whole(f"docker-archive:{loaded.archive}"))


def test_where_the_engine_cannot_stream_a_damaged_image_either_both_are_told(
    of_the_copy: tuple[LayerStore, Path],
    loaded: Any,
    open_whole: Any,
    scripted: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, files = of_the_copy
    (files / "etc" / "conf").unlink()
    monkeypatch.setattr(LocalEngine, "image", lambda *_: {"Id": loaded.id})
    scripted.names[loaded.name] = {"digest": loaded.id}
    scripted.refuses = "a file is missing"
    with pytest.raises(
        DamagedImage, match=r"has lost `/etc/conf`.*; and the engine could not hand .*is missing"
    ):
        open_whole(f"docker:{loaded.name}", scripted.environ)


@pytest.mark.parametrize("form", ["0.0", "1.0"])
def test_a_sparse_file_is_read_and_its_layer_which_no_engine_can_make_again_is_not_verified(
    engine: Engine, open_whole: Any, form: str
) -> None:
    name = f"hullmark-test-{secrets.token_hex(6)}:1"
    tar = sparse_archives()[form] + header(b"next") + END
    engine.client.images.load(archive_of(docker_files({name: ImageFiles(layers=(tar,))}, legacy=True)))
    try:
        (layer,) = open_whole(f"docker:{name}", verify=False).layers
        assert [(entry.path, entry.size) for entry in layer.table] == [("/sparse", 5000), ("/next", 0)]
        assert layer.captured["/sparse"] == SPARSE
        # Not even when the engine itself is asked to.
        with pytest.raises(DamagedImage, match=r"holds a sparse file.*; and the engine could not hand over"):
            open_whole(f"docker:{name}", verify=True)
    finally:
        engine.client.images.remove(name, force=True)
