"""Whatever bytes a server sends, it is one error of ours, or an image."""

from __future__ import annotations

import gc
import json
import os
import socket
import socketserver
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hullmark._images.interface import Request
from hullmark._images.registry import Registry
from hullmark._images.transport import Patience
from hullmark._process import SystemCommands
from hullmark.errors import HullmarkError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ONCE = Patience(attempts=1, transfers=1, connect=5, answer=5, piece=5)


class Parrot(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes, and hangs up."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Say)
        self.said = b""
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may have heard enough."""

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Say(socketserver.BaseRequestHandler):
    server: Parrot

    def handle(self) -> None:
        """Take one request, and say the same as always."""
        self.request.recv(1 << 16)
        self.request.sendall(self.server.said)


@pytest.fixture(scope="module")
def parrot() -> Iterator[Parrot]:
    """A server that says what it is told."""
    running = Parrot()
    yield running
    running.close()


def pull(parrot: Parrot) -> None:
    cancelled = threading.Event()
    source = Registry(commands=SystemCommands(os.environ, cancelled), environ={}, patience=ONCE)
    with source.open(f"{parrot.host}/app:1", None, Request(), cancelled) as core:
        for layer in core.layers:
            with layer.open() as pieces:  # type: ignore[union-attr]
                list(pieces)


LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 7",
            b"Content-Length: -1",
            b"Content-Length: 99999999999999999999",
            b"Content-Length: x",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Location: /v2/",
            b"Location: //[::1",
            b"Location: http://\xff\xfe/",
            b"Location: http://127.0.0.1:1\x00/",
            b"Location: http://127.0.0.1:x/",
            b"Location: https://a.invalid.:99999/",
            b'WWW-Authenticate: Bearer realm="http://127.0.0.1:1/\xe9"',
            b'WWW-Authenticate: Bearer realm="http://[/"',
            b"WWW-Authenticate: Basic",
            b"Docker-Content-Digest: sha256:x",
            b"Content-Type: \xff",
            b"Retry-After: -7",
            b"Connection: close",
            b": nothing",
            b"no colon",
            b" folded",
        ]
    ),
    max_size=5,
)
STATUS = st.sampled_from(
    [b"200 OK", b"206 Partial", b"302 Found", b"401 Who", b"403 No", b"404 None", b"999", b"1", b""]
)
BODY = st.sampled_from(
    [b"{}", b"", b'7\r\n{"a":1\r\n', b"zz\r\n", b"0\r\n\r\n", b"\x1f\x8b\x00"]
) | st.binary(max_size=40)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 " + draw(STATUS), *draw(LINES)])
    return head + b"\r\n\r\n" + draw(BODY)


@given(said=answers() | st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_bytes_are_one_error(parrot: Parrot, said: bytes) -> None:
    parrot.said = said
    with pytest.raises(HullmarkError) as caught:
        pull(parrot)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)
PART = st.sampled_from(["config", "layers", "manifests", "rootfs", "os", "architecture", "schemaVersion"])


@given(document=st.dictionaries(PART, JSON | st.just({"digest": "sha256:0", "size": 1}), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_document_is_one_error(parrot: Parrot, document: Any) -> None:
    body = json.dumps(document).encode()
    parrot.said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
    with pytest.raises(HullmarkError):
        pull(parrot)


def test_a_connection_whose_headers_contradict_each_other_is_closed(parrot: Parrot) -> None:
    parrot.said = b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\nConnection: close\r\n\r\n"
    with pytest.raises(Unavailable, match="unmatching values"):
        pull(parrot)
    # One that is not closed is a warning now, and warnings are errors.
    gc.collect()


def test_a_name_that_nobody_knows_is_said_to_be_unknown(pull: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unavailable, match=r"r\.example cannot be reached: its name cannot be resolved"):
        pull("r.example/app:1")


def test_a_host_that_takes_nobody_in_is_not_waited_for(pull: Any) -> None:
    pull.patience = replace(pull.patience, attempts=1, connect=0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        # One stands in the queue, and nobody takes it out.
        with socket.create_connection(address), pytest.raises(Unavailable, match="nobody answers"):
            pull(f"127.0.0.1:{address[1]}/app:1")
