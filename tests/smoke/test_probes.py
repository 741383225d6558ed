"""Probes and links against servers and containers that behave badly, without an engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.probing import GOOD, HERE, Stack, http, saying, served

from hullmark._smoke import probes
from hullmark._smoke.probes import command, run_probe
from hullmark.errors import Interrupted
from hullmark.model.probe import ExecProbe, TcpProbe

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from hullmark.model.probe import HttpProbe


def _for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"data: tick\n\n" * 100)
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("probe", "answer", "passed", "seen"),
    [
        (http(), GOOD, True, "status 200"),
        (http(body_contains="there"), GOOD, True, "status 200"),
        (http(status=(range(200, 201),)), GOOD, True, "status 200"),
        (http(method="POST"), GOOD, True, "status 200"),
        (
            http(),
            "HTTP/1.1 302 Found\nLocation: http://127.0.0.1:9/\nContent-Length: 0\n\n",
            True,
            "status 302",
        ),
        (http(), "HTTP/1.1 500 Oh\nConnection: close\n\n  it\n broke", False, "status 500: it broke"),
        (http(), "HTTP/1.1 404 No\nContent-Length: 0\n\n", False, "status 404"),
        (http(status=(range(204, 205),)), GOOD, False, "status 200: hello there"),
        (http(body_contains="bye"), GOOD, False, "status 200 and a body without `bye`: hello there"),
        (http(tls="insecure"), GOOD, False, "the port does not speak TLS"),
        (http(tls="verify"), GOOD, False, "the port does not speak TLS"),
        (http(), "", False, "connection closed without an answer"),
    ],
)
def test_an_answer_passes_or_says_why_not(probe: HttpProbe, answer: str, passed: bool, seen: str) -> None:  # noqa: FBT001
    with served(saying(answer)) as stack:
        run = run_probe(stack, "web", probe)
    assert (run.passed, run.seen) == (passed, seen)
    assert run.probe is probe


def test_an_answer_that_never_ends_is_judged_by_its_beginning() -> None:
    text = "HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n"
    started = time.monotonic()
    with served(saying(text, _for_ever)) as stack:
        assert run_probe(stack, "web", http(timeout=600.0)).passed
        assert run_probe(stack, "web", http(timeout=600.0, body_contains="tick")).passed
        refused = run_probe(stack, "web", http(body_contains="tock"))
    assert not refused.passed
    assert refused.seen.startswith("status 200 and a body without `tock`: data: tick")
    assert time.monotonic() - started < 300


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with served(lambda connection: connection.recv(4096) and connection.recv(4096)) as stack:
        run = run_probe(stack, "web", http(timeout=0.6))
    assert not run.passed
    assert run.seen == "no answer in time"
    assert run.seconds < 300


def test_a_probe_is_tried_until_it_passes() -> None:
    tries: list[int] = []

    def later(connection: socket.socket) -> None:
        tries.append(1)
        saying(GOOD if len(tries) == 3 else "HTTP/1.1 503 Wait\nContent-Length: 0\n\n")(connection)

    with served(later) as stack:
        run = run_probe(stack, "web", http(timeout=120.0))
    assert run.passed
    assert len(tries) == 3
    assert run.seconds >= 2 * probes.PAUSE


@pytest.mark.parametrize(
    ("answer", "passed", "seen"),
    [
        (lambda connection: connection.recv(1), True, "connection accepted"),
        (lambda connection: connection.sendall(b"220 smtp ready\r\n"), True, "connection accepted"),
        (
            lambda _: None,
            False,
            "connection closed at once: nothing listens at the port, or what does closes it",
        ),
    ],
    ids=["waits", "greets", "closed-by-the-engines-proxy"],
)
def test_a_connection_counts_when_it_stays_open_or_is_answered(
    answer: Callable[[socket.socket], object],
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    with served(answer) as stack:
        run = run_probe(stack, "web", TcpProbe(port=80, origin=HERE, timeout=0.8))
    assert (run.passed, run.seen) == (passed, seen)


@pytest.mark.parametrize("probe", [http(timeout=0.3), TcpProbe(port=80, origin=HERE, timeout=0.3)])
def test_a_port_that_is_not_published_is_told(probe: Any) -> None:
    stack: Any = Stack()
    run = run_probe(stack, "web", probe)
    assert not run.passed
    assert run.seen == "port 80 of service `web` is not published"


def test_asked_to_stop_a_probe_stops() -> None:
    stack: Any = Stack()
    stack.engine.cancelled.set()
    with pytest.raises(Interrupted):
        run_probe(stack, "web", http(timeout=60.0))


Answers = list[tuple[int | None, str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What commands in the container answer, one after another; the last one goes on answering."""
    script: Answers = []

    def run_inside(*_: Any) -> tuple[int | None, str]:
        return script.pop(0) if len(script) > 1 else script[0]

    monkeypatch.setattr(command, "run_inside", run_inside)
    return script


@pytest.mark.parametrize(
    ("script", "passed", "seen"),
    [
        ([(0, "")], True, "exit code 0"),
        ([(0, "ready\n")], True, "exit code 0: ready"),
        ([(1, "a\nb\nc\nd\n")], False, "exit code 1: b / c / d"),
        ([(2, "x" * 500)], False, f"exit code 2: {'x' * 199}…"),
        ([(None, "")], False, "did not end within 0.6 s"),
        ([(3, "not yet"), (None, "")], False, "exit code 3: not yet"),
        ([(3, "not yet"), (0, "now")], True, "exit code 0: now"),
    ],
)
def test_a_command_passes_or_says_why_not(
    answers: Answers,
    script: Answers,
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    answers[:] = script
    stack: Any = Stack()
    run = run_probe(stack, "db", ExecProbe(command=("check",), origin=HERE, timeout=0.6))
    assert (run.passed, run.seen) == (passed, seen)
