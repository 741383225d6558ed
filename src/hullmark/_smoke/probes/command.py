"""A command inside of a container: whether it succeeds, and what it prints."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._smoke.ends import MOST, Ends, is_cut
from hullmark._smoke.frames import started
from hullmark._smoke.probes.attempt import PAUSE, Answer
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.size import format_size

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
        where = f" in the first and the last {format_size(MOST // 2)} of its output" if is_cut(output) else ""
        return Answer(passed=False, seen=f"{seen} (without `{missing}`{where})", body=output)
    return Answer(passed=code == 0, seen=seen, body=output)


def run_inside(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float
) -> tuple[int | None, str]:
    """Exit code and output of `command` run in the container of `service`; `None` when it took too long.

    A program that is not there, or cannot be run, is exit code 126 or 127, as in a shell. Raises `Unavailable` when
    the container is not running.
    """
    ran = _run(stack, service, command, timeout, {})
    return (None, "") if ran is None else (ran.code, ran.written.text)


def run_apart(
    stack: Stack, service: str, command: tuple[str, ...], timeout: float, environment: Mapping[str, str]
) -> tuple[int | None, str, str]:
    """The same with what it wrote to standard output and to standard error apart, and `environment` added to its own.

    Raises `Unavailable` also when there is more on standard output than is kept.
    """
    ran = _run(stack, service, command, timeout, environment, apart=True)
    if ran is None:
        return None, "", ""
    if ran.written.left_out:
        raise Unavailable(f"`{command[0]}` in `{service}` prints more than {format_size(MOST)}")
    return ran.code, ran.written.text, ran.told.text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    """A command that has ended."""

    code: int | None
    written: Ends
    told: Ends


def _run(
    stack: Stack,
    service: str,
    command: tuple[str, ...],
    timeout: float,
    environment: Mapping[str, str],
    *,
    apart: bool = False,
) -> _Ran | None:
    from threading import Event, Thread  # noqa: PLC0415

    from docker.errors import APIError, DockerException  # noqa: PLC0415  # loaded with the engine
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    container = stack.container(service)
    api = stack.engine.client.api
    try:
        made = api.exec_create(container.id, list(command), environment=dict(environment))
    except APIError as error:
        # A conflict: it has exited, or is being started again.
        raise Unavailable(f"service `{service}` is not running: {error.explanation or error}") from error
    result: list[_Ran] = []
    over = Event()

    def work() -> None:
        written, told = Ends(most=MOST), Ends(most=MOST)
        # Whatever ends the connection, the engine or its time limit, ends the attempt without an answer.
        with (
            contextlib.suppress(DockerException, OSError, HTTPError),
            started(api, made["Id"], timeout) as stream,
        ):
            for is_error, piece in stream:
                if over.is_set():
                    return  # it may go on for ever
                (told if apart and is_error else written).add(piece)
            result.append(_Ran(code=api.exec_inspect(made["Id"])["ExitCode"], written=written, told=told))

    thread = Thread(target=work, daemon=True)
    thread.start()
    deadline = time.monotonic() + timeout
    try:
        while thread.is_alive() and time.monotonic() < deadline:
            thread.join(PAUSE)
            if stack.engine.cancelled.is_set():
                raise Interrupted
    finally:
        over.set()
    return result[0] if result else None
