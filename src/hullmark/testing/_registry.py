"""A registry in this process that can be told to behave badly."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from hullmark.model.digest import Digest
from hullmark.testing._behind import Tokens, ask
from hullmark.testing._uploads import Uploads

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from hullmark.testing._uploads import Reply

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PIECE = 1 << 16
_RANGE = re.compile(r"bytes=(\d+)-")
_QUICK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one request is answered otherwise than well; what is not said stays as it is."""

    status: int | None = None
    """Another status, with an empty body."""
    body: bytes | None = None
    """Another body."""
    headers: tuple[tuple[str, str], ...] = ()
    """Added, or put in the place of headers of the same name; an empty value takes one away."""
    stop_after: int | None = None
    """Bytes of the body after which the connection ends, although more was promised."""
    reset: bool = False
    """Whether it ends as a broken one does, and not in order."""
    flip: int | None = None
    """Offset of a byte that is changed on the way."""
    ignore_range: bool = False
    """Whether a request for a part is answered with the whole."""
    every: float = 0.0
    """Seconds between one byte of the answer, headers included, and the next."""
    pad: int = 0
    """Zeros sent behind the body, and promised."""
    take_only: int | None = None
    """Bytes of the request's body after which the connection ends without an answer."""
    silent: bool = False
    """Whether it is done as asked for, and the connection breaks before anybody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    path: re.Pattern[str]
    method: str | None
    fault: Fault
    spared: list[int]
    left: list[int]


@dataclass(kw_only=True)
class FaultyRegistry:
    """A registry on a free port of the loopback interface, while its context is entered.

    It holds what `blob`, `manifest` and `image` put into it and what clients push, and does as `fault` says.
    """

    behind: str | None = None
    """Another registry, by its host, that answers in its place; then it holds nothing itself."""

    tls: ssl.SSLContext | None = None
    """Speaks TLS where it is given."""
    seen: list[Seen] = field(default_factory=list, init=False)
    """Every request, in the order in which they came."""
    connections: list[tuple[str, int]] = field(default_factory=list, init=False)
    """The address of every client that sent one, once for each connection."""
    faults: int = field(default=0, init=False)
    """Requests that were answered as `fault` says."""
    tokens: Tokens = field(default_factory=Tokens, init=False)
    """What clients have to bring with them."""
    uploads: Uploads = field(init=False)
    """What clients are pushing."""
    _blobs: dict[str, bytes] = field(default_factory=dict, init=False)
    _manifests: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict, init=False)
    _rules: list[_Rule] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self.uploads = Uploads(blobs=self._blobs, keep_blob=self.blob, keep_manifest=self._keep)

    def _keep(self, repository: str, which: str, content: bytes, media_type: str) -> None:
        self.manifest(repository, content, which, media_type=media_type)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _QUICK}, name="faulty-registry"
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Where it is, as a reference begins."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def stored(self, path: str) -> bytes:
        """What a registry that behaves well answers to a request for `path`."""
        return self._stored(path)[1]

    def blob(self, content: bytes) -> Digest:
        """Holds a blob from now on, in every repository; its digest."""
        digest = _digest(content)
        self._blobs[str(digest)] = content
        return digest

    def manifest(
        self, repository: str, content: Mapping[str, Any] | bytes, *tags: str, media_type: str | None = None
    ) -> Digest:
        """Holds a manifest or an index from now on, by its digest and by `tags`; its digest."""
        document = content if isinstance(content, bytes) else json.dumps(content).encode()
        if media_type is None:
            media_type = _MANIFEST if isinstance(content, bytes) else str(content.get("mediaType", _MANIFEST))
        digest = _digest(document)
        for name in (str(digest), *tags):
            self._manifests[repository, name] = (document, media_type)
        return digest

    def image(
        self,
        repository: str,
        *tags: str,
        layers: Sequence[bytes] = (),
        platform: str = "linux/amd64",
        diff_ids: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Holds an image of those blobs from now on; the descriptor by which an index lists it.

        `diff_ids` are the layers' uncompressed digests where the blobs are compressed.
        """
        system, architecture, *variant = platform.split("/")
        named = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        digests = [str(self.blob(layer)) for layer in layers]
        rootfs = {"type": "layers", "diff_ids": list(diff_ids if diff_ids is not None else digests)}
        config = json.dumps({**named, "config": {}, "rootfs": rootfs}).encode()
        document = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": str(self.blob(config)), "size": len(config)},
            "layers": [
                {"mediaType": _LAYER, "digest": digest, "size": len(layer)}
                for digest, layer in zip(digests, layers, strict=True)
            ],
        }
        digest = self.manifest(repository, document, *tags)
        size = len(self._manifests[repository, str(digest)][0])
        return {"mediaType": _MANIFEST, "digest": str(digest), "size": size, "platform": named}

    def index(self, repository: str, *tags: str, manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Holds an index of those descriptors from now on; the descriptor by which another index lists it."""
        document = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": list(manifests)}
        digest = self.manifest(repository, document, *tags)
        size = len(self._manifests[repository, str(digest)][0])
        return {"mediaType": _INDEX, "digest": str(digest), "size": size}

    def fault(
        self, path: str, fault: Fault, *, times: int = 1 << 30, method: str | None = None, after: int = 0
    ) -> None:
        """Answers so the next `times` requests, of `method` or of any, whose path matches the expression `path`.

        The first `after` of them are spared. What was told first counts first.
        """
        rule = _Rule(path=re.compile(path), method=method, fault=fault, spared=[after], left=[times])
        with self._lock:
            self._rules.append(rule)

    def behave(self) -> None:
        """Forgets every fault, wants no token, and counts anew."""
        with self._lock:
            self._rules.clear()
            self.faults = 0
            self.tokens = Tokens()

    def _fault_for(self, method: str, path: str) -> Fault:
        with self._lock:
            for rule in self._rules:
                if rule.left[0] > 0 and rule.method in {None, method} and rule.path.search(path):
                    if rule.spared[0] > 0:
                        rule.spared[0] -= 1
                        return Fault()
                    rule.left[0] -= 1
                    self.faults += 1
                    return rule.fault
        return Fault()

    def _stored(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers by which a registry that behaves well answers."""
        path = path.partition("?")[0]
        if path == "/v2/":
            return HTTPStatus.OK, b"{}", {"Content-Type": "application/json"}
        if found := re.fullmatch(r"/v2/(.+)/blobs/(.+)", path):
            if (content := self._blobs.get(found[2])) is not None:
                return HTTPStatus.OK, content, {"Docker-Content-Digest": found[2]}
            return _refusal("BLOB_UNKNOWN", "blob unknown to registry")
        if self.uploads.knows_subjects and (found := re.fullmatch(r"/v2/(.+)/referrers/(.+)", path)):
            manifests = self.uploads.referring.get((found[1], found[2]), [])
            document = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}
            return HTTPStatus.OK, json.dumps(document).encode(), {"Content-Type": _INDEX}
        if found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", path):
            if kept := self._manifests.get((found[1], found[2])):
                content, media_type = kept
                return (
                    HTTPStatus.OK,
                    content,
                    {"Content-Type": media_type, "Docker-Content-Digest": str(_digest(content))},
                )
            if any(repository == found[1] for repository, _ in self._manifests):
                return _refusal("MANIFEST_UNKNOWN", "manifest unknown")
            return _refusal("NAME_UNKNOWN", "repository name not known to registry")
        return HTTPStatus.NOT_FOUND, b"", {}


def _digest(content: bytes) -> Digest:
    return Digest.parse(f"sha256:{hashlib.sha256(content).hexdigest()}")


def _refusal(code: str, message: str) -> tuple[int, bytes, dict[str, str]]:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return HTTPStatus.NOT_FOUND, body, {"Content-Type": "application/json"}


class _Server(ThreadingHTTPServer):
    block_on_close = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, registry: FaultyRegistry) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.registry = registry
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the thread of the connection, so that a client that never shakes hands keeps nobody else waiting.
        if self.registry.tls is not None:
            self._open.discard(request)
            request = self.registry.tls.wrap_socket(request, server_side=True)
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self._open.discard(request)
            if self.registry.tls is not None:
                request.close()

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what the tests are about."""

    def hang_up(self) -> None:
        """Ends every connection that a client keeps."""
        for connection in list(self._open):
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                self._open.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing is printed; `FaultyRegistry.seen` has it."""

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base class's names

    def _answer(self) -> None:
        registry = self.server.registry
        fault = registry._fault_for(self.command, self.path)  # noqa: SLF001  # the two are one thing
        length = int(self.headers.get("Content-Length") or 0)
        asked = self.rfile.read(length if fault.take_only is None else min(length, fault.take_only))
        cut = len(asked) < length or fault.take_only is not None
        if cut:
            registry.uploads.take(self.path, asked)
            self.close_connection = True
        registry.seen.append(
            Seen(
                method=self.command,
                path=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=asked,
            )
        )
        if self.client_address not in registry.connections:
            registry.connections.append(self.client_address)
        if cut:
            return
        reply = self._reply(asked) if fault.status is None else None
        if fault.silent:
            self._break_off()
            return
        status, body, headers = reply or registry._stored(self.path)  # noqa: SLF001
        if fault.status is not None:
            status, body, headers = fault.status, b"", {}
        if fault.body is not None:
            body = fault.body
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if found and status == HTTPStatus.OK and not fault.ignore_range:
            start = int(found[1])
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
        if self.command != "HEAD" or "Content-Length" not in headers:
            headers["Content-Length"] = str(len(body) + fault.pad)
        for name, value in fault.headers:
            headers[name] = value
        self._send(fault, status, body, {name: value for name, value in headers.items() if value})

    def _reply(self, body: bytes) -> Reply | None:
        """The answer, where it is not of what is held here."""
        registry = self.server.registry
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = registry.tokens.answer(registry.host, self.path, headers)
        if told is not None or registry.behind is None:
            return told or registry.uploads.answer(self.command, self.path, headers, body)
        return ask(registry.behind, self.command, self.path, headers, body)

    def _break_off(self) -> None:
        # Not to linger on close is what sends a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _send(self, fault: Fault, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        if fault.flip is not None:
            body = bytes(byte ^ (index == fault.flip) for index, byte in enumerate(body))
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        cut = len(body) if fault.stop_after is None else fault.stop_after
        if fault.every:
            self._trickle(head + body[:cut], fault.every)
        else:
            self.wfile.write(head)
            if self.command != "HEAD":
                self.wfile.write(body[:cut])
            for start in range(0, fault.pad, _PIECE):
                self.wfile.write(bytes(min(_PIECE, fault.pad - start)))
        if fault.stop_after is not None or fault.reset or "Content-Length" not in headers:
            self.wfile.flush()
            self.close_connection = True
            if fault.reset:
                self._break_off()

    def _trickle(self, content: bytes, every: float) -> None:
        for offset in range(len(content)):
            if self.server.registry._stopping.is_set():  # noqa: SLF001
                break
            self.wfile.write(content[offset : offset + 1])
            self.wfile.flush()
            time.sleep(every)
