"""Probes from this host: a request, a connection, or a command in the container, tried until it succeeds."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from hullmark.errors import Interrupted, Unavailable
from hullmark.model.project import ExecProbe, HttpProbe, TcpProbe
from hullmark.model.stack import ProbeRun

if TYPE_CHECKING:
    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Probe

PAUSE = 0.25
"""Seconds between two attempts."""
ATTEMPT = 10.0
"""Seconds that one attempt may take at most."""
SETTLE = 0.3
"""Seconds after which a connection that is still open counts as accepted.

The engine's own proxy accepts connections on the published port for a container that does not listen, and then
closes them; only a connection that stays open has reached the service.
"""
SHOWN = 200
"""Characters of an answer that are quoted."""


def run_probe(stack: Stack, service: str, probe: Probe) -> ProbeRun:
    """Tries `probe` until it passes or its time is over; what the last attempt saw is in the result."""
    started = time.monotonic()
    deadline = started + probe.timeout
    while True:
        left = deadline - time.monotonic()
        passed, seen = _attempt(stack, service, probe, min(ATTEMPT, max(left, PAUSE)))
        if passed or time.monotonic() + PAUSE > deadline:
            return ProbeRun(
                service=service, probe=probe, passed=passed, seen=seen, seconds=time.monotonic() - started
            )
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def _attempt(stack: Stack, service: str, probe: Probe, timeout: float) -> tuple[bool, str]:
    try:
        match probe:
            case HttpProbe():
                return _http(*stack.address(service, probe.port), probe, timeout)
            case TcpProbe():
                return _tcp(*stack.address(service, probe.port), timeout)
            case ExecProbe():
                return execute(stack, service, probe.command, probe.timeout)
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
        try:
            answer = pool.request(probe.method, probe.path, headers=headers, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return False, _why(error)
    body = answer.data.decode("utf-8", "replace")
    if not status_fits(answer.status, probe.status):
        return (
            False,
            f"status {answer.status}: {shorten(body)}" if body.strip() else f"status {answer.status}",
        )
    if probe.body_contains is not None and probe.body_contains not in body:
        return False, f"status {answer.status} and a body without `{probe.body_contains}`: {shorten(body)}"
    return True, f"status {answer.status}"


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


def _tcp(host: str, port: int, timeout: float) -> tuple[bool, str]:
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.settimeout(SETTLE)
            try:
                greeting = connection.recv(1)
            except TimeoutError:
                return True, "connection accepted"
    except TimeoutError:
        return False, "no answer in time"
    except OSError as error:
        return False, (error.strerror or str(error)).lower()
    return (True, "connection accepted") if greeting else (False, "connection refused")


def execute(stack: Stack, service: str, command: tuple[str, ...], timeout: float) -> tuple[bool, str]:
    """Runs `command` in the container of `service`: whether it exited with 0, and the end of what it printed."""
    code, output = run_inside(stack, service, command, timeout)
    tail = shorten(" / ".join(output.strip().splitlines()[-3:]))
    if code is None:
        return False, f"did not end within {timeout:g} s"
    return code == 0, f"exit code {code}: {tail}" if tail else f"exit code {code}"


def run_inside(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float
) -> tuple[int | None, str]:
    """Exit code and output of `command` run in the container of `service`; `None` when it took too long.

    A program that is not there is exit code 127, as in a shell. Raises `Unavailable` when the container is not
    running.
    """
    from threading import Thread  # noqa: PLC0415

    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    container = stack.container(service)
    api = stack.engine.client.api
    result: list[tuple[int | None, str]] = []

    def work() -> None:
        try:
            made = api.exec_create(container.id, list(command))
            output: bytes = api.exec_start(made["Id"])
            code = api.exec_inspect(made["Id"])["ExitCode"]
        except (APIError, NotFound) as error:
            reason = getattr(error, "explanation", None) or str(error)
            missing = "executable file not found" in reason or "no such file or directory" in reason
            result.append((127 if missing else 126, str(reason)))
        else:
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
