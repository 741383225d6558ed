"""Images that engines have, and engines that are a test's own."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from hullmark._images.cache import Cache
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from hullmark._engines import Engine
    from hullmark.model.image import Image

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
            Entry(path="/dev/disk", kind=Kind.BLOCK_DEVICE, mode=0o660),
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
    return ImageFiles(layers=(first, empty, second, empty, second), settings={"Env": ["A=1"], "User": "7"})


@pytest.fixture
def odd_image() -> Callable[[str], ImageFiles]:
    """Makes an image with everything that is easily lost on the way."""
    return _odd_image


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


class Open(Protocol):
    """Opens an image, and keeps every file of it."""

    def __call__(
        self,
        reference: str,
        environ: Mapping[str, str] | None = ...,
        *,
        platform: str | None = ...,
        **options: Any,
    ) -> Image: ...


@pytest.fixture
def everything() -> Everything:
    """Keeps every file."""
    return Everything()


@pytest.fixture
def open_whole(cancelled: threading.Event) -> Open:
    """Opens an image without a cache, and keeps every file of it."""

    def opened(
        reference: str,
        environ: Mapping[str, str] | None = None,
        *,
        platform: str | None = None,
        **options: Any,
    ) -> Image:
        return open_image(
            reference,
            platform=platform,
            request=Request(capture=Everything(), **options),
            environ=dict(os.environ) if environ is None else environ,
            cancelled=cancelled,
            cache=Cache(None),
        )

    return opened


@pytest.fixture
def same() -> Callable[[Image, Image], None]:
    """Says where two images differ, in any row of any table."""
    return _same


def _same(found: Image, expected: Image) -> None:
    assert found.config_digest == expected.config_digest
    assert found.configuration == expected.configuration
    assert found.platform == expected.platform
    for layer, other in zip(found.layers, expected.layers, strict=True):
        assert layer.diff_id == other.diff_id
        for column in COLUMNS:
            assert getattr(layer.table, column) == getattr(other.table, column), column
        assert dict(layer.captured) == dict(other.captured)


@pytest.fixture
def elsewhere() -> Callable[[str], AbstractContextManager[str]]:
    """Makes an engine of this machine one that could be anywhere."""
    return _elsewhere


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


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """An engine of a test's own."""

    address: str
    data: Path
    """Where it keeps its images."""

    @property
    def environ(self) -> dict[str, str]:
        """How a user says that it is this engine."""
        return {**os.environ, "DOCKER_HOST": self.address}

    def load(self, files: Mapping[str, bytes]) -> None:
        """Gives it the images of an archive."""
        argv = ("docker", "load", "-q")
        subprocess.run(argv, input=archive_of(files), env=self.environ, check=True, capture_output=True)


@dataclass(kw_only=True)
class ScriptedEngine:
    """Something on a socket that answers as an engine with the image store of containerd does."""

    address: str
    data: Path
    files: dict[str, bytes] = field(default_factory=dict)
    """What it was given, an OCI layout."""
    names: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The descriptor of each image."""
    oldest: str = "1.24"
    """Of the versions of the interface that it speaks, up to 1.52."""
    may_export: threading.Event = field(default_factory=threading.Event)
    """Unset, it waits before it sends an archive."""
    refuses: str = ""
    """What it says instead of sending an archive."""
    sends: int | None = None
    """Bytes of the archive after which it breaks off."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when whoever asked for an archive has gone before its end."""

    @property
    def content(self) -> Path:
        """Its blobs."""
        return self.data / "containerd/daemon/io.containerd.content.v1.content/blobs/sha256"

    @property
    def environ(self) -> dict[str, str]:
        """How a user says that it is this engine."""
        return {"DOCKER_HOST": self.address}

    def load(self, files: Mapping[str, bytes]) -> None:
        """Gives it the images of an OCI layout."""
        self.files.update(files)
        write_files(
            self.content,
            {name.rpartition("/")[2]: each for name, each in files.items() if "blobs/" in name},
        )
        for each in json.loads(files["index.json"])["manifests"]:
            self.names[each["annotations"]["org.opencontainers.image.ref.name"]] = each

    def answer(self, path: str, handler: BaseHTTPRequestHandler) -> None:
        """Answers a request for `path`."""
        version, _, path = path.removeprefix("/").partition("/")
        name = re.fullmatch(r"images/(.+)/(json|get)", path)
        if version == "version":
            self._say(handler, 200, {"ApiVersion": "1.52", "MinAPIVersion": self.oldest, "Version": "29.0.0"})
        elif tuple(map(int, version[1:].split("."))) < tuple(map(int, self.oldest.split("."))):
            self._say(handler, 400, {"message": f"client version {version} is too old"})
        elif path == "info":
            status = [["driver-type", "io.containerd.snapshotter.v1"]]
            said = {"DockerRootDir": str(self.data), "Driver": "overlayfs", "DriverStatus": status}
            self._say(handler, 200, said)
        elif name is not None and name[2] == "json" and name[1] in self.names:
            descriptor = self.names[name[1]]
            self._say(handler, 200, {"Id": descriptor["digest"], "Descriptor": descriptor})
        elif name is not None and name[2] == "get":
            self._send(handler)
        else:
            self._say(handler, 404, {"message": "no such thing"})

    def _say(self, handler: BaseHTTPRequestHandler, status: int, said: Mapping[str, Any]) -> None:
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _send(self, handler: BaseHTTPRequestHandler) -> None:
        self.may_export.wait(60)
        if self.refuses:
            self._say(handler, 500, {"message": self.refuses})
            return
        body = archive_of(self.files)[: self.sends]
        try:
            handler.send_response(200)
            handler.end_headers()
            for begin in range(0, len(body), 1 << 16):
                handler.wfile.write(body[begin : begin + (1 << 16)])
        except OSError:
            self.left.set()


class _Listening(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def _scripted() -> Iterator[ScriptedEngine]:
    with ExitStack() as stack:
        # Short, because a socket lies in it.
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hullmark-")))
        made = ScriptedEngine(address=f"unix://{root}/engine.sock", data=root / "data")
        made.may_export.set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                made.answer(self.path.partition("?")[0], self)

            def log_message(self, *_: Any) -> None:
                pass

        server = stack.enter_context(_Listening(str(root / "engine.sock"), Handler))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        stack.callback(made.may_export.set)
        yield made


@pytest.fixture
def scripted() -> Iterator[ScriptedEngine]:
    """Something that answers as an engine with the image store of containerd does, of the newest version."""
    with _scripted() as made:
        yield made


@pytest.fixture
def containerd() -> Iterator[Daemon | ScriptedEngine]:
    """An engine that keeps its images as containerd does; where none may be started, one that answers as it would."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        with _scripted() as made:
            yield made
        return
    # Short, because sockets lie in it.
    root = Path(tempfile.mkdtemp(prefix="hullmark-"))
    settings = root / "daemon.json"
    settings.write_text(json.dumps({"features": {"containerd-snapshotter": True}}), encoding="utf-8")
    daemon = Daemon(address=f"unix://{root}/engine.sock", data=root / "data")
    # Its network is its own and goes with it; without a bridge of its own it would remove the one there is.
    argv = ("unshare", "--mount", "--net", "dockerd", "--config-file", str(settings), "-H", daemon.address)
    where = ("--data-root", str(daemon.data), "--exec-root", f"{root}/exec", "--pidfile", f"{root}/pid")
    quiet = ("--bridge=none", "--iptables=false", "--ip6tables=false")
    try:
        with _running((*argv, *where, *quiet), root / "engine.sock"):
            yield daemon
    finally:
        shutil.rmtree(root)


@pytest.fixture
def podman(engine: Engine) -> Iterator[str]:
    """The address of a Podman of the test's own; where none can be, of Docker, whose interface Podman's is."""
    if os.geteuid() != 0 or shutil.which("podman") is None:
        yield engine.host
        return
    root = Path(tempfile.mkdtemp(prefix="hullmark-"))
    settings = root / "containers.conf"
    settings.write_text(
        f"""[engine]
lock_type = "file"
tmp_dir = "{root}/tmp"
volume_path = "{root}/volumes"
[network]
network_config_dir = "{root}/networks"
""",
        encoding="utf-8",
    )
    (root / "tmp").mkdir()
    environ = {name: value for name, value in os.environ.items() if name != "CONTAINER_HOST"}
    environ |= {"CONTAINERS_CONF": str(settings), "XDG_RUNTIME_DIR": str(root), "TMPDIR": f"{root}/tmp"}
    address = f"unix://{root}/podman.sock"
    argv = ("podman", "--root", f"{root}/data", "--runroot", f"{root}/run", "--storage-driver", "vfs")
    try:
        with _running((*argv, "system", "service", "-t", "0", address), root / "podman.sock", environ):
            yield address
    finally:
        shutil.rmtree(root)


@contextmanager
def _running(
    argv: tuple[str, ...], listens: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs an engine, from when it answers at the socket `listens`."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=environ)
        try:
            deadline = time.monotonic() + 60
            while not _answers(listens):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    pytest.fail(f"{argv[0]} does not start: {log.read()[-2000:].decode(errors='replace')}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(10)
        with suppress(OSError):
            asking.connect(str(path))
            asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in asking.recv(1 << 10)
        return False
