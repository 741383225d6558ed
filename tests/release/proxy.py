"""A proxy in front of a real registry that does harm to what passes it."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

_BETWEEN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
"""Headers that are about one connection."""
_PIECE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What is done to requests of `method` whose path matches `path`: to `times` of them, once `spared` have passed."""

    method: str = "PUT"
    path: str = "/manifests/"
    spared: int = 0
    times: int = 1 << 30
    status: int | None = None
    """The answer, instead of the registry's."""
    headers: tuple[tuple[str, str], ...] = ()
    reset_in_body: bool = False
    """The connection breaks off in what the client sends."""
    lose_answer: bool = False
    """The registry does what it is asked to, and the connection breaks off before anybody is told."""
    other_bytes: bool = False
    """The answer has as many bytes, and not the same."""
    pause: float = 0.0
    """Seconds between two pieces of the answer."""
    token_uses: int | None = None
    """A token is wanted of everybody, and expires after that many requests."""


@dataclass(kw_only=True)
class Proxy:
    """On a free port of the loopback interface, in front of the registry at `behind`, while its context is entered."""

    behind: str
    harm: Harm | None = None
    done: int = 0
    """Requests that were harmed."""
    passed: int = 0
    """Requests that would have been, and were spared."""
    lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    tokens: dict[str, int] = field(default_factory=dict, init=False)
    """How often each of them has been used."""
    numbers: Any = field(default_factory=itertools.count, init=False, repr=False)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="proxy")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Where it is, as a reference begins."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def begin(self, harm: Harm | None) -> None:
        """Does that from now on, or nothing."""
        with self.lock:
            self.harm, self.done, self.passed = harm, 0, 0
            self.tokens.clear()

    def harm_to(self, method: str, path: str) -> Harm | None:
        """What happens to this request."""
        with self.lock:
            harm = self.harm
            if harm is None or harm.token_uses is not None:
                return None
            if harm.method != method or not re.search(harm.path, path):
                return None
            if self.passed < harm.spared:
                self.passed += 1
                return None
            if self.done >= harm.times:
                return None
            self.done += 1
            return harm

    def admits(self, authorization: str) -> bool:
        """Whether the request has a token that is still good, where one is wanted."""
        with self.lock:
            if self.harm is None or self.harm.token_uses is None:
                return True
            token = authorization.removeprefix("Bearer ")
            if token not in self.tokens or self.tokens[token] >= self.harm.token_uses:
                self.done += 1
                return False
            self.tokens[token] += 1
            return True

    def token(self) -> str:
        """A new token."""
        with self.lock:
            token = f"token-{next(self.numbers)}"
            self.tokens[token] = 0
            return token


class _Server(ThreadingHTTPServer):
    block_on_close = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is what the proxy is for."""

    def hang_up(self) -> None:
        """Ends every connection that a client keeps."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing is printed."""

    def do_GET(self) -> None:
        proxy = self.server.proxy
        if self.path.startswith("/token"):
            self._send(
                200, {"Content-Type": "application/json"}, json.dumps({"token": proxy.token()}).encode()
            )
            return
        harm = proxy.harm_to(self.command, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if harm is not None and harm.reset_in_body:
            self.rfile.read(length // 2)
            self._break_off()
            return
        body = self.rfile.read(length)
        if not proxy.admits(self.headers.get("Authorization", "")):
            where = f'Bearer realm="http://{proxy.host}/token",service="tests"'
            self._send(401, {"WWW-Authenticate": where}, b"")
            return
        if harm is not None and harm.status is not None:
            self._send(harm.status, dict(harm.headers), b"")
            return
        status, headers, answer = self._pass_on(body)
        if harm is not None and harm.lose_answer:
            self._break_off()
            return
        if harm is not None and harm.other_bytes:
            answer = answer[:-1] + bytes([answer[-1] ^ 1])
        self._send(status, headers, answer, pause=0.0 if harm is None else harm.pause)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base class's names

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.proxy.behind, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _BETWEEN}
            headers.pop("Authorization", None)
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _BETWEEN}
            if self.command == "HEAD":
                kept["Content-Length"] = answer.getheader("Content-Length", "0")
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes, *, pause: float = 0.0) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for start in range(0, len(body), _PIECE):
                time.sleep(pause)
                self.wfile.write(body[start : start + _PIECE])

    def _break_off(self) -> None:
        # Not to linger on close is what sends a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
