"""A way to pull whole images, and registries to pull them from: one that behaves badly, and a real one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_connection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hullmark._images.interface import Blob, Limits, Request
from hullmark._images.registry import Registry
from hullmark._images.transport import Patience
from hullmark.testing import FaultyRegistry

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hullmark._images.interface import Core
    from hullmark._process import Commands

QUICK = Patience(first_delay=0.001, longest_delay=0.01, connect=10, answer=20, piece=20)


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """An image with the bytes of its layers."""

    core: Core
    layers: tuple[bytes, ...]


@dataclass(kw_only=True)
class Puller:
    """Pulls images with an environment that holds nothing of this machine's user."""

    commands: Commands
    environ: dict[str, str]
    cancelled: threading.Event
    patience: Patience = QUICK
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def open(self, reference: str, platform: str | None = None) -> Iterator[Core]:
        """The core, and whatever of it is read while the context lasts."""
        source = Registry(
            commands=self.commands, environ=self.environ, patience=self.patience, **dict(self.options)
        )
        with source.open(reference, platform, Request(limits=self.limits), self.cancelled) as core:
            yield core
        assert not [thread for thread in threading.enumerate() if thread.name == "hullmark-watch"]

    def __call__(self, reference: str, platform: str | None = None) -> Pulled:
        """The whole image."""
        with self.open(reference, platform) as core:
            return Pulled(core=core, layers=tuple(self.read(layer) for layer in core.layers))

    @staticmethod
    def read(layer: Any) -> bytes:
        """All bytes of one layer."""
        assert isinstance(layer, Blob)
        with layer.open() as pieces:
            return b"".join(bytes(piece) for piece in pieces)


@pytest.fixture
def pull(commands: Commands, cancelled: threading.Event, tmp_path: Path) -> Puller:
    """Pulls images, as nobody."""
    environ = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    return Puller(commands=commands, environ=environ, cancelled=cancelled)


@pytest.fixture
def faulty() -> Iterator[FaultyRegistry]:
    """A registry that behaves well until it is told otherwise."""
    with FaultyRegistry() as registry:
        yield registry


@pytest.fixture
def log_in(tmp_path: Path) -> Callable[..., None]:
    """Writes what `docker login` would have left for the environment of `pull`."""
    import base64
    import json

    def write(host: str, text: str = "ada:engine#7", **entry: str) -> None:
        auth = entry or {"auth": base64.b64encode(text.encode()).decode()}
        (tmp_path / "docker").mkdir(exist_ok=True)
        content = json.dumps({"auths": {host: auth}})
        (tmp_path / "docker" / "config.json").write_text(content, encoding="utf-8")

    return write


@dataclass(kw_only=True)
class Authority:
    """Someone whose certificates are trusted by whoever knows `file`."""

    directory: Path
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        """Sign the authority's own certificate."""
        self.name = _named("an authority of the tests")
        certificate = _unsigned(self.name, self.name, self.key.public_key())
        certificate = certificate.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file.write_bytes(_pem(certificate.sign(self.key, hashes.SHA256())))

    @property
    def file(self) -> Path:
        """The certificate that has to be known."""
        return self.directory / "authority.pem"

    def pair(self, host: str) -> tuple[bytes, bytes]:
        """A certificate for `host`, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = _unsigned(_named(host), self.name, key.public_key())
        certificate = certificate.add_extension(x509.SubjectAlternativeName(names), critical=False)
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(encoding, form, serialization.NoEncryption())
        return _pem(certificate.sign(self.key, hashes.SHA256())), secret

    def server(self, host: str) -> ssl.SSLContext:
        """How a server proves that it is `host`."""
        certificate, key = self.pair(host)
        path = self.directory / f"{host}.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _unsigned(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody knows but by its file."""
    return Authority(directory=tmp_path)


class Proxy(ThreadingHTTPServer):
    """A proxy for whom every host is one of `targets`, by its port."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.targets: dict[int, str] = {}
        self.asked: list[str] = []
        self.wanted: str | None = None
        self.links: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """As an environment variable names it."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away."""

    def close(self) -> None:
        """Stop, and end what goes through."""
        self.shutdown()
        for link in self.links:
            _hang_up(link)
        self.server_close()
        self._thread.join()


def _hang_up(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(2)


class _Relay(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""

    def do_CONNECT(self) -> None:  # the base class's way
        """Become a pipe."""
        self._open(int(self.path.rpartition(":")[2]), b"")

    def do_GET(self) -> None:
        """Pass a request on as it came, without the host in its first line."""
        parts = urlsplit(self.path)
        path = parts._replace(scheme="", netloc="").geturl()
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        self._open(parts.port or 80, "\r\n".join([*lines, "Connection: close", "", ""]).encode())

    def _open(self, port: int, first: bytes) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.close_connection = True
        if self.server.wanted and self.headers.get("Proxy-Authorization") != self.server.wanted:
            self.send_error(407)
            return
        host, _, target = self.server.targets[port].rpartition(":")
        with create_connection((host, int(target))) as there:
            self.server.links += [there, self.connection]
            if first:
                there.sendall(first)
            else:
                self.send_response(200)
                self.end_headers()
            back = threading.Thread(target=_pipe, args=(there, self.connection))
            back.start()
            _pipe(self.connection, there)
            back.join()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    _hang_up(target)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy on a free port."""
    running = Proxy()
    yield running
    running.close()
