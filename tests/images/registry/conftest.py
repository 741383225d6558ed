"""A way to pull whole images, and registries to pull them from: one that behaves badly, and a real one."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import json
import shutil
import ssl
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, create_server
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from hullmark._images.interface import Blob, Limits, Request
from hullmark._images.registry import Registry
from hullmark._images.transport import Patience
from hullmark.testing import FaultyRegistry

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from hullmark._images.interface import Core
    from hullmark._images.push import Push
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
def push_to(pull: Puller) -> Callable[[str], AbstractContextManager[Push]]:
    """Opens the repository of a reference to push to it, as whoever pulls."""

    @contextmanager
    def opened(reference: str) -> Iterator[Push]:
        source = Registry(commands=pull.commands, environ=pull.environ, patience=pull.patience)
        with source.pushing(reference, pull.cancelled) as push:
            yield push

    return opened


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

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.tls = tls
        self.targets: dict[int, str] = {}
        self.asked: list[str] = []
        self.wanted: str | None = None
        self.links: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """As an environment variable names it."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the connection."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

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


@pytest.fixture
def secure_proxy(authority: Authority) -> Iterator[Proxy]:
    """A proxy that speaks TLS itself."""
    running = Proxy(authority.server("proxy.example"))
    yield running
    running.close()


USER, PASSWORD, IDENTITY = "ada", "engine#7", "identity-7"
# The password by bcrypt, which is what the registry reads; Python has none.
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuudb6EGawbfuDSXZ9POmb78a3Wx0U/Kbu\n"
SERVICE, ISSUER = "a registry of the tests", "an issuer of the tests"
SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


class Issuer(ThreadingHTTPServer):
    """Gives tokens for what is asked to whoever knows the password, and tokens for nothing to everybody else."""

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Issue)
        self.lifetime = 300
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = _named(ISSUER)
        certificate = _unsigned(name, name, key.public_key()).sign(key, hashes.SHA256())
        self._key = key
        self._chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        self.bundle = directory / "issuer.pem"
        self.bundle.write_bytes(_pem(certificate))
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def realm(self) -> str:
        """Where tokens are given."""
        return f"http://127.0.0.1:{self.server_address[1]}/token"

    def token(self, *scopes: str) -> str:
        """A token for what `scopes` ask for, signed by RS256."""
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": USER,
            "aud": SERVICE,
            "exp": now + self.lifetime,
            "nbf": now - 600,
            "iat": now - 600,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain]}
        signed = f"{_url_safe(json.dumps(header).encode())}.{_url_safe(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_url_safe(signature)}"

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()
        self._thread.join()


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class _Issue(BaseHTTPRequestHandler):
    server: Issuer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Look at the password, where there is one."""
        known = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        shown = self.headers.get("Authorization")
        asked = parse_qs(urlsplit(self.path).query)
        self._give(asked.get("scope", []) if shown else [], good=shown in {None, known})

    def do_POST(self) -> None:
        """Look at the identity token."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = asked["grant_type"] == ["refresh_token"] and asked["refresh_token"] == [IDENTITY]
        self._give(asked["scope"], good=good)

    def _give(self, scopes: list[str], *, good: bool) -> None:
        body = json.dumps({"token": self.server.token(*scopes)} if good else {}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass(kw_only=True)
class RealRegistry:
    """Debian's docker-registry on a free port of the loopback interface."""

    program: str
    directory: Path
    auth: dict[str, Any] = field(default_factory=dict)
    issuer: Issuer | None = None
    user: str = USER
    password: str = PASSWORD
    identity: str = IDENTITY
    host: str = ""
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, at the port that it had before, or at a free one, which somebody else may take meanwhile."""
        for _ in range(5):
            if not self.host or not self._process:
                with create_server(("127.0.0.1", 0)) as free:
                    self.host = f"127.0.0.1:{free.getsockname()[1]}"
            configuration = {
                "version": "0.1",
                "log": {"level": "error"},
                "storage": {"filesystem": {"rootdirectory": str(self.directory / "store")}},
                "http": {"addr": self.host, "secret": "of the tests"},
                **({"auth": self.auth} if self.auth else {}),
            }
            file = self.directory / "config.yml"
            # What is JSON is YAML, too.
            file.write_text(json.dumps(configuration), encoding="utf-8")
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [self.program, "serve", str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            if self._answers():
                return
            self.stop()
            self._process = None
        pytest.fail(f"docker-registry does not start:\n{self.log.read_text('utf-8')}")

    def _answers(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(urllib3.exceptions.HTTPError):
                return urllib3.request("GET", f"http://{self.host}/v2/", retries=False).status in {200, 401}
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """Stop it at once, as a machine that loses power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Break everything that goes on, and go on."""
        self.stop()
        self.start()

    @property
    def log(self) -> Path:
        """What it has printed, with one line for each request."""
        return self.directory / "log"

    def stored(self, digest: str) -> Path:
        """The file of a blob."""
        digits = digest.removeprefix("sha256:")
        blobs = self.directory / "store/docker/registry/v2/blobs/sha256"
        return blobs / digits[:2] / digits / "data"

    def push_blob(self, repository: str, content: bytes) -> str:
        """Hand over a blob; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        begun = self._send(repository, "POST", f"/v2/{repository}/blobs/uploads/", b"", "")
        assert begun.status == 202, begun.data
        place = urlsplit(begun.headers["Location"])
        path = place._replace(scheme="", netloc="", query=f"{place.query}&digest={digest}").geturl()
        done = self._send(repository, "PUT", path, content, "application/octet-stream")
        assert done.status == 201, done.data
        return digest

    def push_manifest(self, repository: str, which: str, media_type: str, content: bytes) -> str:
        """Hand over a manifest or an index by a tag or its digest; its digest."""
        done = self._send(repository, "PUT", f"/v2/{repository}/manifests/{which}", content, media_type)
        assert done.status == 201, done.data
        return str(done.headers["Docker-Content-Digest"])

    def _send(self, repository: str, method: str, path: str, body: bytes, media_type: str) -> Any:
        headers = {"Content-Type": media_type}
        if self.issuer is not None:
            headers["Authorization"] = f"Bearer {self.issuer.token(f'repository:{repository}:pull,push')}"
        elif self.auth:
            headers |= urllib3.make_headers(basic_auth=f"{self.user}:{self.password}")
        return urllib3.request(method, f"http://{self.host}{path}", body=body, headers=headers, retries=False)


@pytest.fixture(scope="session")
def registry_program() -> str:
    """Debian's registry; tests that need it fail where it cannot be had."""
    ran = subprocess.run([SCRIPTS / "registry"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@contextmanager
def _running(registry: RealRegistry) -> Iterator[RealRegistry]:
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()
        shutil.rmtree(registry.directory)


@pytest.fixture(scope="session")
def anonymous_registry(
    registry_program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealRegistry]:
    """A real registry for everybody."""
    with _running(
        RealRegistry(program=registry_program, directory=tmp_path_factory.mktemp("registry"))
    ) as registry:
        yield registry


@pytest.fixture(scope="session")
def htpasswd_registry(
    registry_program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealRegistry]:
    """A real registry that wants a password."""
    directory = tmp_path_factory.mktemp("registry")
    (directory / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
    auth = {"htpasswd": {"realm": "tests", "path": str(directory / "htpasswd")}}
    with _running(RealRegistry(program=registry_program, directory=directory, auth=auth)) as registry:
        yield registry


@pytest.fixture(scope="session")
def token_registry(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A real registry that wants tokens, and someone who gives them."""
    directory = tmp_path_factory.mktemp("registry")
    issuer = Issuer(directory)
    told = {"realm": issuer.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(issuer.bundle)}
    try:
        with _running(
            RealRegistry(program=registry_program, directory=directory, auth={"token": told}, issuer=issuer)
        ) as registry:
            yield registry
    finally:
        issuer.close()


@pytest.fixture
def name() -> str:
    """A repository of its own for each test."""
    return f"hullmark-test-{uuid.uuid4().hex[:12]}"
