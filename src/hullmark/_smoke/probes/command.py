"""A command inside of a container: whether it succeeds, and what it prints."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from hullmark._smoke.probes.attempt import PAUSE, Answer
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._smoke.probes.filling import Filling
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import ExecProbe

_LAST = 3
"""Lines of the output that are quoted."""


def execute(stack: Stack, service: str, probe: ExecProbe, filling: Filling, left: float) -> Answer | None:
    """Whether the command exits with 0 and prints what is expected; `None` when it takes longer than `left` seconds."""
    command = tuple(filling.captures(word) for word in probe.command)
    code, output = run_inside(stack, service, command, left)
    if code is None:
        return None
    tail = filling.quote(" / ".join(output.strip().splitlines()[-_LAST:]))
    seen = f"exit code {code}: {tail}" if tail else f"exit code {code}"
    if code == 0 and probe.text is not None and (wanted := filling.captures(probe.text)) not in output:
        missing = filling.quote(wanted)
        return Answer(passed=False, seen=f"{seen} (without `{missing}`)", body=output)
    return Answer(passed=code == 0, seen=seen, body=output)


def run_inside(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float
) -> tuple[int | None, str]:
    """Exit code and output of `command` run in the container of `service`; `None` when it took too long.

    A program that is not there, or cannot be run, is exit code 126 or 127, as in a shell. Raises `Unavailable` when
    the container is not running.
    """
    code, output, _ = _run(stack, service, command, timeout, {}, apart=False)
    return code, output


def run_apart(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float, environment: Mapping[str, str]
) -> tuple[int | None, str, str]:
    """The same with what it wrote to standard output and to standard error apart, and `environment` added to its own."""
    return _run(stack, service, command, timeout, environment, apart=True)


def _run(
    stack: Stack,
    service: str,
    command: tuple[str, ...],
    timeout: float,
    environment: Mapping[str, str],
    *,
    apart: bool,
) -> tuple[int | None, str, str]:
    from threading import Thread  # noqa: PLC0415

    from docker.errors import APIError, DockerException  # noqa: PLC0415  # loaded with the engine
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    container = stack.container(service)
    api = stack.engine.client.api
    try:
        made = api.exec_create(container.id, list(command), environment=dict(environment))
    except APIError as error:
        # A conflict: it has exited, or is being started again.
        raise Unavailable(f"service `{service}` is not running: {error.explanation or error}") from error
    result: list[tuple[int | None, str, str]] = []

    def work() -> None:
        # Whatever ends the connection, the engine or its time limit, ends the attempt without an answer.
        with contextlib.suppress(DockerException, OSError, HTTPError):
            output: Any = api.exec_start(made["Id"], demux=apart)
            code = api.exec_inspect(made["Id"])["ExitCode"]
            written, told = output if apart else (output, b"")
            result.append((code, _text(written), _text(told)))

    thread = Thread(target=work, daemon=True)
    thread.start()
    deadline = time.monotonic() + timeout
    while thread.is_alive() and time.monotonic() < deadline:
        thread.join(PAUSE)
        if stack.engine.cancelled.is_set():
            raise Interrupted
    return result[0] if result else (None, "", "")


def _text(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "replace")
