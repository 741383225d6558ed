"""Images of the local engine: the same by every way, as the archive that the engine saves, and nothing else believed."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.cache import Cache
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Request
from hullmark._images.layer_store import LayerStore
from hullmark._images.reference import open_image
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._engines import Engine
    from hullmark.model.image import Image

pytestmark = pytest.mark.docker

CAPABILITY = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
COLUMNS = ("paths", "kinds", "sizes", "modes", "uids", "gids", "mtimes", "links", "xattrs", "digests")


class Everything:
    """Keeps every file."""

    name = "everything/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Yes."""
        return True

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        """All of it."""
        return bytes(content)


def _odd_image(marker: str) -> ImageFiles:
    """What an image may hold that is easily lost on the way."""
    long = "/" + "/".join(["a-rather-long-name-of-a-directory"] * 6) + "/file"
    first = layer_tar(
        [
            Entry(path="/etc", kind=Kind.DIRECTORY, mode=0o755, mtime=1_700_000_000),
            Entry(path="/etc/conf", kind=Kind.FILE, size=9, mode=0o640, uid=7, gid=8, mtime=1_700_000_001),
            Entry(path="/etc/other", kind=Kind.HARDLINK, link="/etc/conf", mode=0o640),
            Entry(path="/etc/link", kind=Kind.SYMLINK, link="../../etc/conf"),
            Entry(path="/bin/su", kind=Kind.FILE, size=4, mode=0o4755),
            Entry(
                path="/bin/ping",
                kind=Kind.FILE,
                size=5,
                mode=0o755,
                xattrs=(("security.capability", CAPABILITY),),
            ),
            Entry(path="/dev/null", kind=Kind.CHARACTER_DEVICE, mode=0o666),
            Entry(path="/run/pipe", kind=Kind.FIFO, mode=0o600),
            Entry(path=long, kind=Kind.FILE, size=3),
            Entry(path="/caf\udce9", kind=Kind.FILE, size=2),
            Entry(path="/opt", kind=Kind.DIRECTORY, mode=0o755),
            Entry(path="/opt/gone", kind=Kind.FILE, size=6),
            Entry(path="/empty", kind=Kind.FILE),
            Entry(path="/large", kind=Kind.FILE, size=3_000_000),
        ],
        {
            "/etc/conf": marker.encode().ljust(9)[:9],
            "/bin/su": b"su  ",
            "/bin/ping": b"ping ",
            long: b"abc",
            "/caf\udce9": b"ok",
            "/opt/gone": b"gone..",
            "/empty": b"",
            "/large": os.urandom(3_000_000),
        },
    )
    second = layer_tar(
        [
            Entry(path="/opt", kind=Kind.OPAQUE),
            Entry(path="/etc/conf", kind=Kind.WHITEOUT),
            Entry(path="/new", kind=Kind.FILE, size=1),
        ],
        {"/new": b"n"},
    )
    empty = bytes(1024)
    return ImageFiles(layers=(first, empty, second), settings={"Env": ["A=1"], "User": "7"})


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An image that the engine has, and the archive it came from."""

    name: str
    id: str
    archive: Path


@pytest.fixture
def loaded(engine: Engine, tmp_path: Path) -> Iterator[Loaded]:
    name = f"hullmark-test-{secrets.token_hex(6)}:1"
    files = _odd_image(name)
    archive = tmp_path / "image.tar"
    archive.write_bytes(archive_of(docker_files({name: files}, legacy=True)))
    (image,) = engine.client.images.load(archive.read_bytes())
    yield Loaded(name=name, id=str(image.id), archive=archive)
    engine.client.images.remove(name, force=True)


def _open(
    reference: str, cancelled: threading.Event, environ: dict[str, str] | None = None, **options: Any
) -> Image:
    request = Request(capture=Everything(), **options)
    given = dict(os.environ) if environ is None else environ
    return open_image(reference, request=request, environ=given, cancelled=cancelled, cache=Cache(None))


def _same(found: Image, expected: Image) -> None:
    assert found.config_digest == expected.config_digest
    assert found.configuration == expected.configuration
    assert found.platform == expected.platform
    for layer, other in zip(found.layers, expected.layers, strict=True):
        assert layer.diff_id == other.diff_id
        for column in COLUMNS:
            assert getattr(layer.table, column) == getattr(other.table, column), column
        assert dict(layer.captured) == dict(other.captured)


@contextmanager
def _elsewhere(target: str) -> Iterator[str]:
    """The engine at `target`, a socket of this machine, as one that could be anywhere."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for each, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with suppress(OSError):
                each.shutdown(how)

    def accept() -> None:
        while not ended.is_set():
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            far.connect(target)

            def both(near: socket.socket = near, far: socket.socket = far) -> None:
                with near, far:
                    back = threading.Thread(target=pump, args=(far, near))
                    back.start()
                    pump(near, far)
                    back.join()

            threading.Thread(target=both, daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_every_way_to_the_engine_gives_the_same_as_the_archive(
    engine: Engine, loaded: Loaded, cancelled: threading.Event
) -> None:
    expected = _open(f"docker-archive:{loaded.archive}", cancelled)
    contents = _open(f"docker-archive:{loaded.archive}", cancelled, contents=True)
    _same(_open(f"docker:{loaded.name}", cancelled, verify=False), expected)
    _same(_open(loaded.name, cancelled), expected)
    _same(_open(loaded.id, cancelled, contents=True), contents)
    with _elsewhere(engine.host.removeprefix("unix://")) as host:
        environ = {**os.environ, "DOCKER_HOST": host}
        streamed = _open(f"docker:{loaded.name}", cancelled, environ)
    _same(streamed, expected)
    assert "streamed by the engine, because it is not on this machine" in streamed.how


def test_the_store_is_read_where_it_can_be(
    engine: Engine, loaded: Loaded, cancelled: threading.Event
) -> None:
    found = _open(f"docker:{loaded.name}", cancelled)
    info = engine.client.info()
    if info["Driver"] == "overlay2" and os.access(Path(info["DockerRootDir"]) / "image", os.R_OK):
        assert found.how == "read from the engine's layer store"
    else:
        assert found.how.startswith("streamed by the engine, because ")


def test_an_image_that_is_not_there_is_told_with_what_to_do(
    engine: Engine, cancelled: threading.Event
) -> None:
    assert engine
    with pytest.raises(Unavailable, match="the engine has no image `hullmark-test-none`") as caught:
        _open("docker:hullmark-test-none", cancelled)
    assert "hullmark build" in (caught.value.hint or "")


def test_an_image_for_another_platform_is_not_given(loaded: Loaded, cancelled: threading.Event) -> None:
    with pytest.raises(Unavailable, match="the engine has it for linux/amd64"):
        open_image(
            f"docker:{loaded.name}",
            platform="linux/s390x",
            environ=dict(os.environ),
            cancelled=cancelled,
            cache=Cache(None),
        )


@pytest.fixture
def store(engine: Engine, loaded: Loaded, tmp_path: Path) -> tuple[LayerStore, Path, bytes]:
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


def _walked(store: LayerStore, config: bytes, cancelled: threading.Event, *, verify: bool) -> None:
    layers = store.layers(parse_configuration(config, "it").diff_ids("it"), "it", cancelled)
    assert layers is not None
    for layer in layers:
        layer.walk(Request(capture=Everything(), verify=verify))


@pytest.mark.parametrize("verify", [True, False])
def test_a_copy_of_the_store_is_as_good(
    store: tuple[LayerStore, Path, bytes], cancelled: threading.Event, *, verify: bool
) -> None:
    _walked(store[0], store[2], cancelled, verify=verify)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("how", ["gone", "fifo", "link", "parent"])
def test_what_the_store_has_lost_is_damage_and_no_link_is_followed(
    store: tuple[LayerStore, Path, bytes],
    tmp_path: Path,
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
    if how == "fifo" and not verify:
        # Another file has taken its place, which is not kept; nothing waits for the pipe.
        _walked(layers, config, cancelled, verify=verify)
        return
    with pytest.raises(DamagedImage, match="the engine's store has lost `/etc/conf`"):
        _walked(layers, config, cancelled, verify=verify)


def test_a_file_that_was_shortened_is_damage(
    store: tuple[LayerStore, Path, bytes], cancelled: threading.Event
) -> None:
    layers, files, config = store
    (files / "large").write_bytes(b"x")
    with pytest.raises(DamagedImage, match="expected a file of 3000000 bytes, found 1"):
        _walked(layers, config, cancelled, verify=True)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"])
def test_headers_that_cannot_be_read_are_damage(
    store: tuple[LayerStore, Path, bytes], cancelled: threading.Event, content: bytes
) -> None:
    layers, _, config = store
    for split in layers.root.glob("image/overlay2/layerdb/sha256/*/tar-split.json.gz"):
        split.write_bytes(content)
    with pytest.raises(DamagedImage):
        _walked(layers, config, cancelled, verify=True)


def test_a_store_that_holds_another_layer_is_not_used(
    store: tuple[LayerStore, Path, bytes], cancelled: threading.Event
) -> None:
    layers, _, config = store
    for diff in layers.root.glob("image/overlay2/layerdb/sha256/*/diff"):
        diff.write_text("sha256:" + "0" * 64)
    assert layers.layers(parse_configuration(config, "it").diff_ids("it"), "it", cancelled) is None
    assert layers.config("sha256:" + "0" * 64) is None
    assert "storage driver is btrfs" in (layers.why_not("btrfs") or "")
