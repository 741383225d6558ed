"""A bucket of records on the loopback interface, which can be told to behave badly."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[int, dict[str, str], bytes]


@dataclass(kw_only=True)
class Bucket:
    """Serves `files` by their path as a bucket does: entity tags, conditions and ranges."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Paths and headers of all requests, in their order."""
    answered: list[int] = field(default_factory=list)
    misbehave: dict[str, Callable[[int], Answer | int | None]] = field(default_factory=dict)
    """By path what to answer instead, given how often it was asked for before: an answer, after how many bytes to
    break off, or `None` to behave."""
    _server: Any = None

    def __enter__(self) -> Self:
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                bucket.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What stands before the ecosystem."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for path, _ in self.asked]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        path = unquote(request.path).lstrip("/")
        before = self.paths().count(path)
        self.asked.append((path, {name.lower(): value for name, value in request.headers.items()}))
        special = self.misbehave[path](before) if path in self.misbehave else None
        if isinstance(special, tuple):
            self._send(request, *special)
            return
        status, headers, body = self._good(path, self.asked[-1][1])
        self._send(request, status, headers, body, most=special)

    def _good(self, path: str, asked: dict[str, str]) -> Answer:
        content = self.files.get(path)
        if content is None:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if asked.get("if-none-match") == etag:
            return 304, {"ETag": etag}, b""
        begin = re.fullmatch(r"bytes=([0-9]+)-", asked.get("range", ""))
        if begin and asked.get("if-range") == etag:
            first = int(begin[1])
            between = f"bytes {first}-{len(content) - 1}/{len(content)}"
            return 206, {"ETag": etag, "Content-Range": between}, content[first:]
        return 200, {"ETag": etag, "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}, content

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        body: bytes,
        most: int | None = None,
    ) -> None:
        self.answered.append(status)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                if status != 304 or name != "Content-Length":
                    request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body[:most])
            request.wfile.flush()
        if most is not None:
            request.close_connection = True
