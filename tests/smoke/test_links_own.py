"""hullmark's own client: names looked up by a container's files, connections, TLS, and another network namespace."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.probing import saying, served

from hullmark._smoke.links.caller import Caller, call
from hullmark._smoke.links.names import Names, answer, question
from hullmark._smoke.links.namespace import inside
from hullmark.errors import Interrupted
from hullmark.model.location import SourceSpan
from hullmark.model.project import Link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTS = "127.0.0.1\tlocalhost # here\n\n::1 localhost ip6-localhost\n172.18.0.2 web web.shop\n"
RESOLV = "# by the engine\nnameserver 127.0.0.11\nsearch example.org .\noptions edns0 trust-ad ndots:0\n"


def _message(query: bytes, *records: tuple[int, bytes], code: int = 0) -> bytes:
    """The answer to `query` with `records` of type and data, each named by a pointer."""
    head = query[:2] + struct.pack("!5H", 0x8180 | code, 1, len(records), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack("!2HIH", kind, 1, 60, len(data)) + data for kind, data in records
    )
    return head + query[12:] + body


def _named(query: bytes) -> str:
    """The name that `query` asks for."""
    parts, at = [], 12
    while query[at]:
        parts.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(parts)


def _kind(query: bytes) -> int:
    return int.from_bytes(query[-4:-2], "big")


def test_the_files_of_a_container_say_how_it_looks_names_up() -> None:
    names = Names.parse(HOSTS, RESOLV)
    assert names.servers == ("127.0.0.11",)
    assert names.search == ("example.org", ".")
    assert names.ndots == 0
    assert dict(names.hosts)["web.shop"] == "172.18.0.2"
    assert Names.parse("", "domain a.b\noptions ndots:x ndots:3\nnameserver\n") == Names(
        search=("a.b",), ndots=3
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("172.18.0.9", ("172.18.0.9",)),
        ("[fd00::9]", ("fd00::9",)),
        ("WEB", ("172.18.0.2",)),
        ("web.shop.", ("172.18.0.2",)),
        ("localhost", ("127.0.0.1", "::1")),
    ],
)
def test_addresses_and_names_of_the_hosts_file_need_no_server(name: str, expected: tuple[str, ...]) -> None:
    def ask(*_: Any) -> bytes:
        raise AssertionError

    assert Names.parse(HOSTS, RESOLV).addresses(name, ask) == expected


@pytest.mark.parametrize(
    ("name", "ndots", "asked"),
    [
        ("db", 0, ["db", "db.example.org"]),
        ("db", 1, ["db.example.org", "db"]),
        ("db.shop", 1, ["db.shop", "db.shop.example.org"]),
        ("db.", 1, ["db"]),
    ],
)
def test_a_name_is_tried_with_the_domains_that_are_searched(name: str, ndots: int, asked: list[str]) -> None:
    seen: list[str] = []

    def ask(_: str, query: bytes) -> bytes:
        seen.append(_named(query))
        return _message(query, code=3)

    names = Names(servers=("s",), search=("example.org", "."), ndots=ndots)
    assert names.addresses(name, ask) == ()
    assert list(dict.fromkeys(seen)) == asked


def test_both_kinds_of_addresses_are_asked_for_and_the_next_server_where_one_is_silent() -> None:
    def ask(server: str, query: bytes) -> bytes:
        if server == "silent":
            raise TimeoutError
        alias = (5, b"\x01x\xc0\x0c")
        data = {1: bytes([172, 18, 0, 5]), 28: bytes(15) + b"\x01"}[_kind(query)]
        return _message(query, alias, (_kind(query), data))

    assert Names(servers=("silent", "s")).addresses("db", ask) == ("172.18.0.5", "::1")
    with pytest.raises(TimeoutError):
        Names(servers=("silent",)).addresses("db", ask)
    with pytest.raises(OSError, match="knows no name server"):
        Names().addresses("db", ask)


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, "ü" * 80, "\udcff"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(OSError, match="is no name"):
        question(name)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"xx" + whole[2:],
        lambda whole: whole[:2] + b"\x81\x82" + whole[4:],
        lambda whole: whole[:20],
        lambda whole: whole[:5],
        lambda whole: whole[:-3],
        lambda _: b"",
        lambda whole: whole[:12] + b"\x3f" + whole[13:],
    ],
)
def test_an_answer_that_is_none_is_an_error(spoil: Callable[[bytes], bytes]) -> None:
    query = question("db")
    whole = _message(query, (1, bytes([172, 18, 0, 5])))
    assert answer(query, whole) == ("172.18.0.5",)
    with pytest.raises(OSError, match=r"answer|failed"):
        answer(query, spoil(whole))


def test_an_address_that_is_known_is_not_lost_when_the_server_has_no_more_to_say() -> None:
    def ask(_: str, query: bytes) -> bytes:
        if _kind(query) == 28:
            raise TimeoutError
        return _message(query, (1, bytes([172, 18, 0, 5])))

    assert Names(servers=("s", "t")).addresses("db", ask) == ("172.18.0.5",)


def _caller(certificates: str | None = None) -> Caller:
    names = Names(hosts=(("rag", "127.0.0.1"), ("two", "127.0.0.9"), ("two", "127.0.0.1"), ("far", "::1:0")))
    return Caller(names=names, certificates=certificates, by="it")


def _link(to: str, **more: Any) -> Link:
    given: dict[str, Any] = {
        "from_service": "web",
        "to": to,
        "origin": SourceSpan(path="hullmark.toml", line=1),
    }
    return Link(**(given | more))


@pytest.mark.parametrize(
    ("to", "answer", "seen", "met"),
    [
        (
            "http://rag:{}/x?y",
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "status 200",
            (True, True, None, 200),
        ),
        ("http://two:{}", "HTTP/1.1 302 Go\nLocation: http://x/\n\n", "status 302", (True, True, None, 302)),
        ("http://rag:{}/", "HTTP/1.1 503 No\n\n", "status 503", (True, True, None, 503)),
        ("http://rag:{}/", "", "connected, no answer in HTTP", (True, True, None, None)),
        ("http://rag:{}/", "220 mail\n", "connected, no answer in HTTP", (True, True, None, None)),
        ("tcp://rag:{}", "", "connected", (True, True, None, None)),
        ("https://rag:{}/", "HTTP/1.1 400 No\n\n", "TLS: ", (True, True, False, None)),
        ("http://rga:{}/", "", "`rga` does not resolve", (False, None, None, None)),
    ],
)
def test_each_step_is_told_apart(to: str, answer: str, seen: str, met: Any) -> None:
    with served(saying(answer)) as stack:
        run = call(_link(to.format(stack.port), tls="insecure"), _caller(), 3.0)
    assert run.seen.startswith(seen)
    assert run.seen.endswith(" (by it)")
    assert (run.resolved, run.connected, run.secured, run.status) == met
    assert run.address == ("127.0.0.1" if run.resolved else "")
    assert run.passed == (run.status in {200, 302} or run.seen == "connected (by it)")


def test_nobody_who_listens_and_nobody_who_answers_are_two_things() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = call(_link(f"http://rag:{port}/"), _caller(), 0.3)
        assert (run.seen, run.connected) == ("connected, no answer in time (by it)", True)
    run = call(_link(f"http://rag:{port}/"), _caller(), 0.3)
    assert (run.seen, run.connected) == ("resolves to 127.0.0.1, connection refused (by it)", False)
    run = call(_link(f"tcp://127.0.0.1:{port}"), _caller(), 0.3)
    assert run.seen == "connection refused (by it)"


@pytest.fixture
def authority(tmp_path: Path) -> tuple[str, Path]:
    """A certificate for `rag` that is its own authority, as text, and the file with its key."""
    key, certificate, both = (tmp_path / name for name in ("key", "certificate", "both"))
    subprocess.run(
        (
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=rag", "-addext", "subjectAltName=DNS:rag", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate)),
        ),
        check=True,
        capture_output=True,
    )
    both.write_text(key.read_text("ascii") + certificate.read_text("ascii"), encoding="ascii")
    return certificate.read_text("ascii"), both


def test_a_certificate_is_verified_with_the_authorities_of_the_image(authority: tuple[str, Path]) -> None:
    trusted, both = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            saying("HTTP/1.1 204 Good\n\n")(secured)

    def tried(name: str, certificates: str | None, **more: Any) -> tuple[str, bool | None, bool | None]:
        run = call(_link(f"https://{name}:{port}/", **more), _caller(certificates), 3.0)
        return run.seen, run.connected, run.secured

    with served(answer) as stack:
        port = stack.port
        assert tried("rag", trusted) == ("status 204 (by it)", True, True)
        assert tried("rag", None, tls="insecure") == ("status 204 (by it)", True, True)
        wrong = tried("two", trusted)
        none = tried("rag", None)
    assert wrong[0].startswith("TLS: certificate: ")
    assert "two" in wrong[0]
    assert none[0].startswith("TLS: the image holds no certificates of authorities")
    assert wrong[1:] == none[1:] == (True, False)
    strange = call(_link("https://rag:1/"), _caller("-----BEGIN CERTIFICATE-----"), 0.3)
    assert strange.connected is False


def test_what_is_no_network_namespace_is_not_entered(tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError

    file = tmp_path / "file"
    file.touch()
    for path in ("", str(tmp_path / "missing"), str(file), str(tmp_path)):
        assert inside(path, never, timeout=1.0, cancelled=threading.Event()) is None


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that every thread may enter."""
    from hullmark._smoke.links import namespace

    monkeypatch.setattr(namespace, "_enter", lambda _: True)
    return os.devnull


def test_what_is_done_inside_comes_out(entered: str) -> None:
    calm = threading.Event()
    assert inside(entered, lambda: 42, timeout=60.0, cancelled=calm) == (42,)
    with pytest.raises(ZeroDivisionError):
        inside(entered, lambda: 1 // 0, timeout=60.0, cancelled=calm)


def test_what_takes_too_long_inside_is_not_waited_for(entered: str) -> None:
    over = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        inside(entered, lambda: over.wait(600), timeout=0.2, cancelled=threading.Event())
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Interrupted):
        inside(entered, lambda: over.wait(600), timeout=600.0, cancelled=stopped)
    over.set()
    assert time.monotonic() - started < 300
