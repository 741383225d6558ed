"""The only module that starts a process.

Both pipes are drained while the process runs, success is judged by the exit status and never by what was printed,
and a process that outlives its deadline or the user's patience is ended together with its children.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from hullmark.errors import CommandFailed, Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

GRACE = 5.0
"""Seconds between asking a process to end and ending it."""
_TICK = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A process that has ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def check(self, *, hint: str | None = None) -> Completed:
        """This result; raises `CommandFailed` with what was printed when the exit status is not 0."""
        if self.returncode != 0:
            raise CommandFailed(self.argv, self.returncode, self.stderr or self.stdout, hint=hint)
        return self


class Commands(Protocol):
    """Runs programs; `hullmark.testing.ScriptedCommands` is the other implementation."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        on_line: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        exact: bool = False,
    ) -> Completed:
        """Runs `argv` to its end, or until `stop` is set, which ends it early with its own exit status.

        `env` is added to the environment. `on_line` is called with every line of both outputs as it comes, from
        other threads. With `exact`, outputs and `stdin` are left as they are: line ends are kept, and what is not
        UTF-8 becomes lone surrogates, so that names of files survive. Raises `Unavailable` when the program is not
        there or outlives `timeout` seconds, and `Interrupted` when the run was cancelled.
        """
        ...

    def follow(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: str | None = None,
        on_line: Callable[[str], None],
        stop: threading.Event,
    ) -> int:
        """Runs `argv`, whose output may go on for ever, until it ends or `stop` is set; its exit status.

        Every line goes to `on_line`, and none is kept. Raises as `run` does.
        """
        ...


class SystemCommands:
    """Runs programs of this machine, and ends them when `cancelled` is set."""

    def __init__(self, environ: Mapping[str, str], cancelled: threading.Event) -> None:
        self._environ = dict(environ)
        self._cancelled = cancelled

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        on_line: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        exact: bool = False,
    ) -> Completed:
        """See `Commands.run`."""
        argv = tuple(argv)
        process = self._start(argv, cwd, env, piped=stdin is not None)
        return self._wait(process, argv, stdin, timeout, on_line, stop, exact=exact)

    def follow(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: str | None = None,
        on_line: Callable[[str], None],
        stop: threading.Event,
    ) -> int:
        """See `Commands.follow`."""
        argv = tuple(argv)
        process = self._start(argv, cwd, None, piped=stdin is not None)
        return self._wait(process, argv, stdin, None, on_line, stop, exact=False, keep=False).returncode

    def _start(
        self, argv: tuple[str, ...], cwd: Path | None, env: Mapping[str, str] | None, *, piped: bool
    ) -> subprocess.Popen[bytes]:
        if self._cancelled.is_set():
            raise Interrupted
        try:
            return subprocess.Popen(
                argv,
                cwd=cwd,
                env={**self._environ, **(env or {})},
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A group of its own: Ctrl-C reaches hullmark first, which then ends its children in order.
                start_new_session=True,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            if cwd is not None and not cwd.is_dir():
                raise Unavailable(f"`{cwd}` is not a directory") from error
            raise Unavailable(f"`{argv[0]}` is not on PATH", hint=f"install {argv[0]}") from error
        except OSError as error:
            raise Unavailable(f"`{argv[0]}` cannot be run: {error.strerror}") from error

    def _wait(
        self,
        process: subprocess.Popen[bytes],
        argv: tuple[str, ...],
        stdin: str | None,
        timeout: float | None,
        on_line: Callable[[str], None] | None,
        stop: threading.Event | None,
        *,
        exact: bool,
        keep: bool = True,
    ) -> Completed:
        stdout: deque[str] = deque(maxlen=None if keep else 0)
        stderr: deque[str] = deque(maxlen=None if keep else 0)
        failures: list[Exception] = []
        threads = [
            threading.Thread(target=_gather, args=(pipe, into, exact), daemon=True)
            if on_line is None
            else threading.Thread(
                target=_drain, args=(_text(pipe, exact=exact), into, on_line, failures), daemon=True
            )
            for pipe, into in ((process.stdout, stdout), (process.stderr, stderr))
        ]
        if stdin is not None:
            feed = (_text(process.stdin, exact=exact), stdin)
            threads.append(threading.Thread(target=_feed, args=feed, daemon=True))
        for thread in threads:
            thread.start()
        try:
            returncode = self._returncode(process, argv, timeout, stop)
        except BaseException:
            end_group(process)
            _outlive(process, threads)
            raise
        if stop is not None and stop.is_set():
            _outlive(process, threads)
        for thread in threads:
            # A grandchild may hold the pipe open; what it prints is not this program's answer.
            thread.join(timeout=GRACE)
        if failures:
            raise failures[0]
        return Completed(argv=argv, returncode=returncode, stdout="".join(stdout), stderr="".join(stderr))

    def _returncode(
        self,
        process: subprocess.Popen[bytes],
        argv: tuple[str, ...],
        timeout: float | None,
        stop: threading.Event | None,
    ) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        with _end_of(process) as ended:
            while (returncode := process.poll()) is None:
                ended(_TICK)
                if self._cancelled.is_set():
                    raise Interrupted
                if stop is not None and stop.is_set():
                    end_group(process)
                if deadline is not None and time.monotonic() > deadline:
                    shown = " ".join(argv)
                    raise Unavailable(f"`{shown}` did not end within {timeout:g} s")
        return returncode


@contextlib.contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], None]]:
    """A function that waits for the end of the process, up to some seconds."""

    def look(seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)

    try:
        # The kernel says when it ends; looking again and again takes note of it late.
        number = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        yield look
        return

    poll = select.poll()
    poll.register(number, select.POLLIN)

    def wait(seconds: float) -> None:
        poll.poll(seconds * 1000)

    try:
        yield wait
    finally:
        os.close(number)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Asks the process and its children to end, and ends them when they do not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + GRACE
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)
        while _group_lives(process.pid) and time.monotonic() < deadline:
            time.sleep(_TICK)
    process.poll()


def _group_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # some systems say so of children that have ended and that nobody has taken note of yet
    return True


def _outlive(process: subprocess.Popen[bytes], threads: Sequence[threading.Thread]) -> None:
    """Waits for the children of a process that was ended, and ends those that do not end with it.

    A plugin of the Docker CLI is such a child: it goes on for a moment, and may create containers meanwhile. That
    the pipes are closed is the sign that none is left.
    """
    deadline = time.monotonic() + GRACE
    for thread in threads:
        thread.join(timeout=max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(timeout=GRACE)


def _gather(pipe: IO[bytes], into: deque[str], exact: bool) -> None:  # noqa: FBT001  # of a thread
    """Takes what comes as it comes: a line may have megabytes, and is too slow to be put together from pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")(_errors(exact=exact))
    translate = decoder if exact else io.IncrementalNewlineDecoder(decoder, translate=True)
    with pipe:
        while chunk := os.read(pipe.fileno(), _CHUNK):
            into.append(translate.decode(chunk))
        into.append(translate.decode(b"", final=True))


def _drain(
    pipe: IO[str], into: deque[str], on_line: Callable[[str], None], failures: list[Exception]
) -> None:
    with pipe:
        for line in pipe:
            into.append(line)
            if not failures:
                try:
                    on_line(line.rstrip("\n"))
                except Exception as error:  # noqa: BLE001  # for whoever waits; the pipe has to be emptied all the same
                    failures.append(error)


def _text(pipe: IO[bytes] | None, *, exact: bool) -> IO[str]:
    """`pipe` as text; line ends are made equal and what is not UTF-8 is replaced, or all is left as it is."""
    assert pipe is not None
    return io.TextIOWrapper(
        pipe,
        encoding="utf-8",
        errors=_errors(exact=exact),
        newline="\n" if exact else None,
    )


def _errors(*, exact: bool) -> str:
    return "surrogateescape" if exact else "replace"


def _feed(pipe: IO[str], text: str) -> None:
    try:
        with pipe:
            pipe.write(text)
    except BrokenPipeError:
        pass  # the program did not want all of it; its exit status says whether that was right
