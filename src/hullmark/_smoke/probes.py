"""Probes from this host: a request, a connection, or a command in the container, tried until it succeeds."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

from hullmark.errors import Interrupted, Unavailable
from hullmark.model.duration import format_duration
from hullmark.model.project import ExecProbe, HttpProbe, TcpProbe
from hullmark.model.stack import ProbeRun

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Probe

PAUSE = 0.25
"""Seconds between two attempts."""
ATTEMPT = 10.0
"""Seconds that one attempt may take at most."""
SETTLE = 0.5
"""Seconds after which a connection that is still open counts as accepted.

The engine's own proxy accepts connections on the published port for a container that does not listen, and then
closes them; only a connection that stays open has reached the service.
"""
SHOWN = 200
"""Characters of an answer that are quoted."""
LARGEST_BODY = 1 << 20
"""Bytes of an answer that are looked at; some answers never end."""


def run_probe(stack: Stack, service: str, probe: Probe) -> ProbeRun:
    """Tries `probe` until it passes or its time is over; what the last attempt saw is in the result."""
    started = time.monotonic()
    deadline = started + probe.timeout
    passed, seen = False, f"did not end within {format_duration(probe.timeout)}"
    while True:
        left = deadline - time.monotonic()
        # An attempt that the end of the time cut short says less than the one before it.
        passed, seen = _attempt(stack, service, probe, max(left, PAUSE)) or (False, seen)
        if passed or time.monotonic() + PAUSE > deadline:
            return ProbeRun(
                service=service, probe=probe, passed=passed, seen=seen, seconds=time.monotonic() - started
            )
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def _attempt(stack: Stack, service: str, probe: Probe, left: float) -> tuple[bool, str] | None:
    try:
        match probe:
            case HttpProbe():
                return _http(*stack.address(service, probe.port), probe, min(ATTEMPT, left))
            case TcpProbe():
                return _tcp(stack, service, probe.port, min(ATTEMPT, left))
            case ExecProbe():
                # Ending it in the middle to try again would be no help: it gets all the time there is.
                return execute(stack, service, probe.command, left)
    except Unavailable as error:
        return False, error.message


def _http(host: str, port: int, probe: HttpProbe, timeout: float) -> tuple[bool, str]:
    import urllib3  # noqa: PLC0415  # loaded only where a stack is probed

    headers = {"Host": f"localhost:{port}", "User-Agent": "hullmark"}
    limits = urllib3.Timeout(total=timeout)
    pool: urllib3.HTTPConnectionPool
    if probe.tls == "off":
        pool = urllib3.HTTPConnectionPool(host, port, timeout=limits)
    else:
        # Named like the loopback address it is reached at: a certificate is for names, and TLS sends one.
        insecure = probe.tls == "insecure"
        pool = urllib3.HTTPSConnectionPool(
            host,
            port,
            timeout=limits,
            server_hostname="localhost",
            cert_reqs="CERT_NONE" if insecure else "CERT_REQUIRED",
            assert_hostname=False if insecure else None,
        )
    import warnings  # noqa: PLC0415

    with pool, warnings.catch_warnings():
        # The configuration says `insecure`; urllib3 need not say it again.
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        deadline = time.monotonic() + timeout
        try:
            answer = pool.request(
                probe.method,
                probe.path,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            body = _body(answer, probe, deadline)
        except urllib3.exceptions.HTTPError as error:
            return False, _why(error)
    if not status_fits(answer.status, probe.status):
        return (
            False,
            f"status {answer.status}: {shorten(body)}" if body.strip() else f"status {answer.status}",
        )
    if probe.body_contains is not None and probe.body_contains not in body:
        return False, f"status {answer.status} and a body without `{probe.body_contains}`: {shorten(body)}"
    return True, f"status {answer.status}"


def _body(answer: BaseHTTPResponse, probe: HttpProbe, deadline: float) -> str:
    """The beginning of the answer's body, as far as it comes before `deadline` and is worth looking at.

    An answer may go on for ever, such as a stream of events; its beginning says whether it is the right one.
    """
    data = b""
    with contextlib.closing(answer):
        while len(data) < LARGEST_BODY and time.monotonic() < deadline:
            chunk = answer.read1(1 << 16)
            if not chunk:
                break
            data += chunk
            wanted = probe.body_contains
            if status_fits(answer.status, probe.status) and (wanted is None or wanted.encode() in data):
                break
    return data.decode("utf-8", "replace")


def status_fits(status: int, expected: int | None) -> bool:
    """Whether an HTTP status is the expected one; any success or redirection when none is."""
    return status == expected if expected is not None else 200 <= status < 400  # noqa: PLR2004  # RFC 9110


def _why(error: Exception) -> str:
    text = str(error)
    for sign, meaning in (
        ("Connection refused", "connection refused"),
        ("timed out", "no answer in time"),
        ("RemoteDisconnected", "connection closed without an answer"),
        ("Connection reset", "connection reset"),
        ("CERTIFICATE_VERIFY_FAILED", 'the certificate is not trusted (`tls = "insecure"` accepts any)'),
        ("WRONG_VERSION_NUMBER", "the port does not speak TLS"),
    ):
        if sign in text:
            return meaning
    return shorten(text)


def _tcp(stack: Stack, service: str, port: int, timeout: float) -> tuple[bool, str]:
    try:
        with socket.create_connection(stack.address(service, port), timeout=timeout) as connection:
            connection.settimeout(SETTLE)
            try:
                greeting = connection.recv(1)
            except TimeoutError:
                return True, "connection accepted"
            except ConnectionResetError:
                greeting = b""
    except TimeoutError:
        return False, "no answer in time"
    except OSError as error:
        return False, (error.strerror or str(error)).lower()
    return (True, "connection accepted") if greeting else _past_the_proxy(stack, service, port, timeout)


def _past_the_proxy(stack: Stack, service: str, port: int, timeout: float) -> tuple[bool, str]:
    """Who closed a connection at once: the engine's proxy, for a container that refuses it, or the service itself."""
    for address in stack.inner_addresses(service):
        try:
            socket.create_connection((address, port), timeout=min(SETTLE, timeout)).close()
        except ConnectionRefusedError:
            return False, "connection refused"
        except OSError:  # no way from here into that network
            continue
        return True, "connection accepted, and closed at once by the service"
    return False, "connection closed at once: nothing listens at the port, or what does closes it"


def execute(stack: Stack, service: str, command: tuple[str, ...], timeout: float) -> tuple[bool, str] | None:
    """Runs `command` in the container of `service`: whether it exited with 0, and the end of what it printed.

    `None` when it takes longer than `timeout` seconds.
    """
    code, output = run_inside(stack, service, command, timeout)
    tail = shorten(" / ".join(output.strip().splitlines()[-3:]))
    if code is None:
        return None
    return code == 0, f"exit code {code}: {tail}" if tail else f"exit code {code}"


def run_inside(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float
) -> tuple[int | None, str]:
    """Exit code and output of `command` run in the container of `service`; `None` when it took too long.

    A program that is not there, or cannot be run, is exit code 126 or 127, as in a shell. Raises `Unavailable` when the container is not
    running.
    """
    from threading import Thread  # noqa: PLC0415

    from docker.errors import APIError, DockerException  # noqa: PLC0415  # loaded with the engine
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    container = stack.container(service)
    api = stack.engine.client.api
    try:
        made = api.exec_create(container.id, list(command))
    except APIError as error:
        # A conflict: it has exited, or is being started again.
        raise Unavailable(f"service `{service}` is not running: {error.explanation or error}") from error
    result: list[tuple[int | None, str]] = []

    def work() -> None:
        # Whatever ends the connection, the engine or its time limit, ends the attempt without an answer.
        with contextlib.suppress(DockerException, OSError, HTTPError):
            output: bytes = api.exec_start(made["Id"])
            code = api.exec_inspect(made["Id"])["ExitCode"]
            result.append((code, output.decode("utf-8", "replace")))

    thread = Thread(target=work, daemon=True)
    thread.start()
    deadline = time.monotonic() + timeout
    while thread.is_alive() and time.monotonic() < deadline:
        thread.join(PAUSE)
        if stack.engine.cancelled.is_set():
            raise Interrupted
    return result[0] if result else (None, "")


def shorten(text: str) -> str:
    """`text` on one line, cut where it becomes too long to quote."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
