"""A stack of which nothing is real but a port, and servers behind it that do as they are told."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.probe import HttpProbe, Variable
from hullmark.model.project import Project, Service, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = SourceSpan(path="hullmark.toml", line=1)
GOOD = "HTTP/1.1 200 OK\nConnection: close\n\nhello there"


@dataclass
class Engine:
    """What a probe asks of an engine."""

    cancelled: threading.Event = field(default_factory=threading.Event)


def project(
    *variables: tuple[str, str],
    services: tuple[str, ...] = ("web",),
    published: tuple[int, int] | None = None,
) -> Project:
    """One with these variables of the environment and services; `published` is a port of the host and of `web`."""
    ports = [{"published": str(published[0]), "target": published[1]}] if published else []
    return Project(
        name="p",
        root=Path("/p"),
        services=tuple(Service(name=name, image=name, build=None, span=HERE) for name in services),
        settings=Settings(variables=tuple(Variable(name=name, value=value) for name, value in variables)),
        resolved=json.dumps({"services": {"web": {"ports": ports}}}),
    )


@dataclass
class Stack:
    """A stack of which only the address of its one port is real."""

    port: int = 0
    engine: Engine = field(default_factory=Engine)
    project: Project = field(default_factory=project)
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Service and container port of each address that was wanted."""

    def address(self, service: str, port: int) -> tuple[str, int]:
        self.asked.append((service, port))
        if not self.port:
            raise Unavailable(f"port {port} of service `{service}` is not published")
        return "127.0.0.1", self.port

    def inner_addresses(self, service: str) -> list[str]:
        """None: as where the engine is behind a virtual machine."""
        del service
        return []


@contextmanager
def served(answer: Callable[[socket.socket], object], **more: Any) -> Iterator[Any]:
    """A stack whose port hands every connection to `answer`."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    try:
                        answer(connection)
                    except OSError:
                        continue  # who probes hangs up when it has seen enough

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Stack(port=server.getsockname()[1], **more)
        finally:
            over.set()
            thread.join()


def http(**more: Any) -> HttpProbe:
    """An HTTP probe that does not wait long."""
    given: dict[str, Any] = {"path": "/x", "port": 80, "origin": HERE, "timeout": 1.0}
    return HttpProbe(**(given | more))


def saying(
    text: str, then: Callable[[socket.socket], object] | None = None
) -> Callable[[socket.socket], object]:
    """Answers with `text`, whose lines end as HTTP wants it, whatever is asked."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(text.replace("\n", "\r\n").encode())
        if then is not None:
            then(connection)

    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in small letters."""
    body: str


def answering(
    respond: Callable[[Request], tuple[int, dict[str, str], str]], heard: list[Request] | None = None
) -> Callable[[socket.socket], object]:
    """Answers with the status, headers and body that `respond` gives; what was asked is added to `heard`."""

    def answer(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(1 << 16)
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
        while len(rest) < int(headers.get("content-length", "0")):
            rest += connection.recv(1 << 16)
        method, path, _ = first.split(" ")
        request = Request(method=method, path=path, headers=headers, body=rest.decode())
        if heard is not None:
            heard.append(request)
        status, more, body = respond(request)
        text = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        sent = b"" if method == "HEAD" else body.encode()
        length = f"Content-Length: {len(body.encode())}\r\n"
        connection.sendall(f"HTTP/1.1 {status} X\r\n{length}Connection: close\r\n{text}\r\n".encode() + sent)

    return answer
