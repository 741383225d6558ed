"""Links against clients that say this and that, name servers that are odd, and servers that behave badly; no engine."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.smoke.probing import saying, served

from hullmark._smoke.links import attempts, clients, run_link
from hullmark._smoke.links.answers import judge
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.project import Link
from hullmark.model.stack import LinkRun, Unlinkable

HERE = SourceSpan(path="hullmark.toml", line=1)
Answers = list[tuple[int | None, str]]


@dataclass
class _Engine:
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Stack:
    """A stack that is only there to be handed on."""

    engine: _Engine = field(default_factory=_Engine)


@pytest.fixture
def stack() -> Any:
    return _Stack()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What commands in the container answer, one after another; the last one goes on answering."""
    script: Answers = []

    def run_inside(*_: Any) -> tuple[int | None, str]:
        return script.pop(0) if len(script) > 1 else script[0]

    monkeypatch.setattr(attempts, "run_inside", run_inside)
    for other in ("from_this_process", "from_a_companion"):
        monkeypatch.setattr(attempts, other, lambda *_: None)
    return script


def _link(to: str, **more: Any) -> Link:
    given: dict[str, Any] = {"from_service": "web", "to": to, "origin": HERE, "timeout": 0.3}
    return Link(**(given | more))


MISSING = (126, 'OCI runtime exec failed: exec failed: exec: "curl": executable file not found in $PATH')


@pytest.mark.parametrize(
    ("script", "passed", "seen"),
    [
        ([(0, "HTTP/1.1 200")], True, "status 200 (by curl)"),
        ([(0, "HTTP/1.1 500")], False, "status 500 (by curl)"),
        ([MISSING, (0, "HTTP/1.1 204\n")], True, "status 204 (by python3)"),
        ([MISSING, MISSING, (0, "HTTP/1.1 301")], True, "status 301 (by node)"),
        (
            [MISSING, MISSING, MISSING, (0, "  HTTP/1.1 302 Found\n  HTTP/1.1 500 Oh")],
            True,
            "status 302 (by wget)",
        ),
        (
            [MISSING, MISSING, MISSING, (8, "  HTTP/1.0 404 Not Found\nwget: error")],
            False,
            "status 404 (by wget)",
        ),
        ([(139, ""), (0, "HTTP/1.1 200")], True, "status 200 (by python3)"),
        ([(2, "curl: option -w: unknown option"), (0, "HTTP/1.1 200")], True, "status 200 (by python3)"),
        ([(7, "")], False, "exit code 7 (by curl)"),
        ([(None, "")], False, "no answer in time (by curl)"),
    ],
)
def test_a_link_is_tried_with_what_the_image_holds(
    stack: Any,
    answers: Answers,
    script: Answers,
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    answers[:] = script
    run = run_link(stack, _link("http://rag:8001/", timeout=0.1))
    assert isinstance(run, LinkRun)
    assert (run.passed, run.seen) == (passed, seen)


@pytest.mark.parametrize(
    ("script", "passed", "seen"),
    [
        ([(0, "")], True, "connected (by python3)"),
        (
            [MISSING, MISSING, (1, "nc: invalid option -- 'z'\nUsage: nc [-l]"), (0, "")],
            True,
            "connected (by nc)",
        ),
        ([MISSING, MISSING, MISSING, MISSING, (0, "")], True, "connected (by bash)"),
    ],
)
def test_a_plain_connection_is_tried_with_what_the_image_holds(
    stack: Any,
    answers: Answers,
    script: Answers,
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    answers[:] = script
    run = run_link(stack, _link("tcp://db:5432", timeout=0.1))
    assert isinstance(run, LinkRun)
    assert (run.passed, run.seen) == (passed, seen)


def test_where_no_program_can_connect_the_link_is_untried(stack: Any, answers: Answers) -> None:
    answers[:] = [MISSING]
    run = run_link(stack, _link("http://rag:8001/"))
    assert isinstance(run, Unlinkable)
    assert run.reason == (
        "neither the image of `web` nor one that runs beside it holds a program to connect with (curl, python3, "
        "node, wget, busybox), and its network can be entered only by root on the machine of the engine"
    )


@pytest.mark.parametrize(
    "said",
    [
        (1, 'curl: (1) Protocol "https" not supported\nHTTP/1.1 000'),
        (1, "curl: (1) Protocol https not supported or disabled in libcurl"),
        (1, 'curl: (1) Protocol "https" disabled'),
        (1, "wget: not an http or ftp url: https://rag:8001/"),
        (1, "https://rag:8001/: HTTPS support not compiled in."),
        (1, "Traceback ...\nModuleNotFoundError: No module named '_ssl'"),
        (1, "Error [ERR_NO_CRYPTO]: Node.js is not compiled with OpenSSL crypto support"),
        (0, "wget: note: TLS certificate validation not implemented\n  HTTP/1.0 200 OK"),
    ],
)
def test_what_cannot_verify_a_certificate_decides_nothing_about_a_link_that_asks_for_it(
    stack: Any, answers: Answers, said: tuple[int, str]
) -> None:
    answers[:] = [said, (0, "HTTP/1.1 200")]
    run = run_link(stack, _link("https://rag:8001/"))
    assert isinstance(run, LinkRun)
    assert run.seen == "status 200 (by python3)"
    assert run.secured
    answers[:] = [said]
    run = run_link(stack, _link("https://rag:8001/"))
    assert isinstance(run, Unlinkable)
    assert "holds a program to connect with that verifies certificates (curl, python3" in run.reason


def test_a_link_that_takes_any_certificate_may_be_tried_with_what_verifies_none(
    stack: Any, answers: Answers
) -> None:
    note = "wget: note: TLS certificate validation not implemented\n"
    answers[:] = [MISSING, MISSING, MISSING, MISSING, (0, f"{note}  HTTP/1.0 200 OK")]
    run = run_link(stack, _link("https://rag:8001/", tls="insecure"))
    assert isinstance(run, LinkRun)
    assert run.seen == "status 200 (by busybox)"


def test_a_link_is_tried_again_until_it_holds(stack: Any, answers: Answers) -> None:
    answers[:] = [(7, "refused"), (7, "refused"), (0, "HTTP/1.1 200")]
    run = run_link(stack, _link("http://rag:8001/", timeout=60.0))
    assert isinstance(run, LinkRun)
    assert run.passed
    assert run.seconds > 0.4


def test_asked_to_stop_a_link_stops(stack: Any, answers: Answers) -> None:
    answers[:] = [(7, "refused")]
    stack.engine.cancelled.set()
    with pytest.raises(Interrupted):
        run_link(stack, _link("http://rag:8001/", timeout=60.0))


def test_a_caller_that_is_gone_is_a_link_that_fails(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise Unavailable("service `web` is not running")

    monkeypatch.setattr(attempts, "run_inside", gone)
    run = run_link(stack, _link("http://rag:8001/"))
    assert isinstance(run, LinkRun)
    assert (run.passed, run.seen, run.resolved) == (False, "service `web` is not running", None)


def test_what_cannot_be_tried_from_the_caller_is_tried_from_its_network_and_not_asked_of_it_again(
    stack: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers[:] = [MISSING] * 5 + [(0, "HTTP/1.1 200")]
    runs = [LinkRun(link=_link("http://rag/"), passed=passed, seen="x", by="y") for passed in (False, True)]
    monkeypatch.setattr(attempts, "from_a_companion", lambda *_: runs.pop(0))
    run = run_link(stack, _link("http://rag:8001/", timeout=5.0))
    assert isinstance(run, LinkRun)
    assert (run.passed, run.by) == (True, "y")
    assert runs == []


CURL_REFUSED = """\
* Host rag:8001 was resolved.
*   Trying 172.18.0.3:8001...
* connect to 172.18.0.3 port 8001 from 172.18.0.2 port 40330 failed: Connection refused
* Failed to connect to rag port 8001 after 0 ms: Couldn't connect to server
curl: (7) Failed to connect to rag port 8001 after 0 ms: Couldn't connect to server

HTTP/1.1 000"""
CURL_EMPTY = """\
*   Trying 172.18.0.3:8001...
* Connected to rag (172.18.0.3) port 8001 (#0)
> GET / HTTP/1.1
> Host: rag:8001
* Empty reply from server
curl: (52) Empty reply from server

HTTP/1.1 000"""
CURL_CERTIFICATE = """\
*   Trying 172.18.0.3:8443...
* Connected to rag (172.18.0.3) port 8443 (#0)
* TLSv1.3 (OUT), TLS handshake, Client hello (1):
* TLSv1.3 (OUT), TLS alert, unknown CA (560):
* SSL certificate problem: self-signed certificate
curl: (60) SSL certificate problem: self-signed certificate
More details here: https://curl.se/docs/sslcerts.html

HTTP/1.1 000"""
CURL_LATE = """\
*   Trying 172.18.0.3:8001...
* Connected to rag (172.18.0.3) port 8001 (#0)
> GET / HTTP/1.1
* Operation timed out after 10001 milliseconds with 0 bytes received
curl: (28) Operation timed out after 10001 milliseconds with 0 bytes received
HTTP/1.1 000"""
CURL_HTTP2 = """\
*   Trying 172.18.0.3:8443...
* Connected to rag (172.18.0.3) port 8443 (#0)
< HTTP/2 503
< via: HTTP/1.1 200
HTTP/1.1 503"""
WGET_REFUSED = """\
--2026-11-24 16:10:22--  http://rag:8001/
Resolving rag (rag)... 172.18.0.3
Connecting to rag (rag)|172.18.0.3|:8001... failed: Connection refused."""
WGET_CLOSED = """\
--2026-11-24 16:10:22--  http://rag:8001/
Resolving rag (rag)... 172.18.0.3
Connecting to rag (rag)|172.18.0.3|:8001... connected.
HTTP request sent, awaiting response... No data received."""
RAG = "172.18.0.3"


@pytest.mark.parametrize(
    ("to", "code", "output", "seen", "met"),
    [
        # The name.
        ("http", 6, "* Could not resolve host: rag\ncurl: (6) Could not resolve host: rag\nHTTP/1.1 000", "N", "N"),
        ("http", 1, "gaierror: [Errno -2] Name or service not known", "N", "N"),
        ("http", 1, "gaierror: [Errno -3] Temporary failure in name resolution", "N", "N"),
        ("http", 1, "getaddrinfo ENOTFOUND rag", "N", "N"),
        ("http", 4, "Resolving rag (rag)... failed: Name or service not known.\nwget: unable to resolve", "N", "N"),
        ("http", 1, "wget: bad address 'rag:8001'", "N", "N"),
        ("tcp", 1, "nc: bad address 'rag'", "N", "N"),
        ("tcp", 1, 'nc: getaddrinfo for host "rag" port 8001: Name or service not known', "N", "N"),
        ("tcp", 1, "bash: line 1: rag: Name or service not known", "N", "N"),
        # The connection.
        ("http", 7, CURL_REFUSED, "R", "R"),
        ("http", 1, f"ADDRESS {RAG}\nConnectionRefusedError: [Errno 111] Connection refused", "R", "R"),
        ("http", 1, f"connect ECONNREFUSED {RAG}:8001", "R", "R"),
        ("http", 4, WGET_REFUSED, "R", "R"),
        ("http", 1, f"Connecting to rag:8001 ({RAG}:8001)\nwget: can't connect to remote host ({RAG}): Connection refused", "R", "R"),
        ("tcp", 1, f"nc: connect to rag ({RAG}) port 8001 (tcp) failed: Connection refused", "R", "R"),
        ("tcp", 1, "bash: connect: Connection refused", "connection refused", ("", True, False, None)),
        ("tcp", 1, f"ADDRESS {RAG}\nOSError: [Errno 113] No route to host", f"resolves to {RAG}, no way there", "R"),
        ("tcp", 1, f"ADDRESS {RAG}\nTimeoutError: timed out", f"resolves to {RAG}, timed out", "R"),
        ("tcp", 1, "timed out", "timed out", ("", None, None, None)),
        # TLS.
        ("https", 60, CURL_CERTIFICATE, "TLS: curl: (60) SSL certificate problem: self-signed certificate", "T"),
        (
            "https",
            1,
            f"ADDRESS {RAG}\nCONNECTED\nSSLCertVerificationError: certificate verify failed: Hostname mismatch",
            "TLS: SSLCertVerificationError: certificate verify failed: Hostname mismatch",
            "T",
        ),
        ("https", 1, f"ADDRESS {RAG}\nCONNECTED\nunable to verify the first certificate", "TLS: unable to verify the first certificate", "T"),
        # The answer.
        ("http", 52, CURL_EMPTY, "connected, no answer in HTTP", "C"),
        ("http", 28, CURL_LATE, "connected, no answer in time", "C"),
        ("http", 4, WGET_CLOSED, "connected, no answer in HTTP", "C"),
        ("http", 1, f"ADDRESS {RAG}\nCONNECTED\nsocket hang up", "connected, no answer in HTTP", "C"),
        ("http", 1, f"ADDRESS {RAG}\nCONNECTED\nBadStatusLine: 220 mail ready", "connected, no answer in HTTP", "C"),
        ("https", 0, CURL_HTTP2, "status 503", (RAG, True, True, True)),
        ("http", 3, "something else", "something else", ("", None, None, None)),
    ],
)  # fmt: skip
def test_what_a_client_says_tells_how_far_the_link_holds(
    to: str, code: int, output: str, seen: str, met: Any
) -> None:
    run = judge(_link(f"{to}://rag:8001"), "it", code, output)
    assert run is not None
    assert not run.passed
    words = {"N": "`rag` does not resolve", "R": f"resolves to {RAG}, connection refused"}
    assert run.seen == f"{words.get(seen, seen)} (by it)"
    known = {
        "N": ("", False, None, None),
        "R": (RAG, True, False, None),
        "T": (RAG, True, True, False),
        "C": (RAG, True, True, None),
    }
    expected = known[met] if isinstance(met, str) else met
    assert (run.address, run.resolved, run.connected, run.secured) == expected
    assert run.status == (503 if "503" in seen else None)


def test_the_programs_of_this_machine_understand_what_they_are_asked() -> None:
    """Python's and bash's ways to connect, run here as they would be in a container."""
    known = {client.name: client for client in clients.CLIENTS}
    python, bash = known["python3"], known["bash"]
    assert python.http is not None
    assert python.tcp is not None
    assert bash.tcp is not None
    with served(saying("HTTP/1.1 418 Teapot\nContent-Length: 0\n\n")) as stack:
        port = stack.port
        url = f"http://127.0.0.1:{port}/tea?pot=1"
        argv = (sys.executable, *python.http(url, False, 5)[1:])  # noqa: FBT003  # a column of a table
        printed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        assert printed == "ADDRESS 127.0.0.1\nCONNECTED\nHTTP/1.1 418\n"
        tcp = (sys.executable, *python.tcp("127.0.0.1", port, 5)[1:])
        assert subprocess.run(tcp, check=True, capture_output=True).stdout == b"ADDRESS 127.0.0.1\n"
        subprocess.run(bash.tcp("127.0.0.1", port, 5), check=True)
    for again in (argv, tcp, bash.tcp("127.0.0.1", port, 5)):
        ended = subprocess.run(again, check=False, capture_output=True, text=True)
        run = judge(_link(f"tcp://rag:{port}"), "it", ended.returncode, ended.stdout + ended.stderr)
        assert run is not None
        assert run.connected is False
        assert "connection refused" in run.seen


def test_a_name_that_is_none_is_told_by_the_programs_of_this_machine() -> None:
    known = {client.name: client for client in clients.CLIENTS}
    for name in ("python3", "bash"):
        tcp = known[name].tcp
        assert tcp is not None
        program, *words = tcp("rag.invalid", 80, 5)
        argv = (sys.executable if name == "python3" else program, *words)
        ended = subprocess.run(argv, check=False, capture_output=True, text=True)
        run = judge(_link("tcp://rag.invalid:80"), name, ended.returncode, ended.stdout + ended.stderr)
        assert run is not None
        assert (run.resolved, run.seen) == (False, f"`rag.invalid` does not resolve (by {name})")
