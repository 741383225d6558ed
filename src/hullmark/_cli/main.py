"""From arguments to an exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING

from hullmark._cli.affecting import answered
from hullmark._cli.session import Session
from hullmark.errors import HullmarkError, Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType


def run() -> None:
    """The console script."""
    cancelled = threading.Event()
    stdout, stderr = (_writable(stream) for stream in (sys.stdout, sys.stderr))
    with _signals(cancelled):
        code = main(sys.argv[1:], stdout=stdout, stderr=stderr, environ=os.environ, cancelled=cancelled)
    with contextlib.suppress(OSError):
        stderr.flush()
    os._exit(code)  # without waiting for threads that may hang on a dead engine


def _writable(stream: IO[str] | None) -> IO[str]:
    """`stream`, with a stand-in for what its encoding has not got; nowhere, where the caller has closed it."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  # a stream for the whole process
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def main(
    argv: Sequence[str],
    *,
    stdout: IO[str],
    stderr: IO[str],
    environ: Mapping[str, str],
    cancelled: threading.Event | None = None,
) -> int:
    """Runs the command that `argv` (without the program's name) asks for; the exit code, as docs/cli.md lists them.

    The report goes to `stdout`, everything else to `stderr`. When `cancelled` is set, what was started is removed
    and the exit code is 130.
    """
    session = Session(
        stdout=stdout, stderr=stderr, environ=dict(environ), cancelled=cancelled or threading.Event()
    )
    try:
        return _run(argv, session)
    except OSError as error:
        # The reader has seen enough, as `head` does.
        if isinstance(error, BrokenPipeError):
            return 128 + signal.SIGPIPE
        # Standard output or standard error is full; nothing can be told, but how it ended.
        with contextlib.suppress(OSError):
            _say(session, Unavailable(f"standard output cannot be written to: {error.strerror}"))
        return Unavailable.exit_code


def _run(argv: Sequence[str], session: Session) -> int:
    stdout, stderr = session.stdout, session.stderr
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code = answered(argv, session)
            if code is None:
                code = _parsed(argv, session)
            stdout.flush()
        except KeyboardInterrupt:
            _say(session, Interrupted())
            return Interrupted.exit_code
        except HullmarkError as error:
            _say(session, error)
            return error.exit_code
        except Exception as error:  # the last resort
            # An operation on a file says which; what is left is writing to a stream.
            if isinstance(error, OSError) and error.filename is None:
                raise
            import traceback  # noqa: PLC0415

            traceback.print_exc(file=stderr)
            session.tell("error: this is a defect of hullmark; please report it with the lines above")
            return HullmarkError.exit_code
    return code


def _parsed(argv: Sequence[str], session: Session) -> int:
    """Runs whatever command it is; the exit code."""
    import click  # noqa: PLC0415  # takes long to load, as does the next

    from hullmark._cli.app import app  # noqa: PLC0415

    try:
        # Not `app.main`, which ends the process when the reader has gone.
        with app.make_context("hullmark", list(argv), obj=session) as context:
            result = app.invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show(file=session.stderr)
        # Options of `hullmark` itself are not repeated by commands.
        if isinstance(error, click.NoSuchOption) and any(
            error.option_name in each.opts for each in app.params
        ):
            option, command = error.option_name, error.ctx.info_name if error.ctx else None
            session.tell(f"Put it before the command: `hullmark {option} {command or 'COMMAND'}`")
        return 2
    except click.Abort:
        raise Interrupted from None
    return result if isinstance(result, int) else 0


def _say(session: Session, error: HullmarkError) -> None:
    first, *more = error.message.splitlines() or [""]
    session.tell(f"{session.paint('error:', fg='red', bold=True)} {first}")
    for line in more:
        session.tell(line)
    if error.hint:
        session.tell(f"{session.paint('help:', fg='cyan', bold=True)} {error.hint}")


@contextlib.contextmanager
def _signals(cancelled: threading.Event) -> Iterator[None]:
    """While this lasts, being asked to stop sets `cancelled` instead of ending the process in the middle."""

    def stop(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if cancelled.is_set():
            _say_to_terminal(f"\nhullmark: {name} again, leaving at once{_left()}\n")
            os._exit(Interrupted.exit_code)
        _say_to_terminal(f"\nhullmark: {name}, ending what was started; once more to leave at once\n")
        cancelled.set()

    # What is ignored from the start (`nohup`, a shell's `&`) is to stay so.
    before = {
        number: signal.signal(number, stop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_to_terminal(text: str) -> None:
    # Not through a stream: the signal may have come in the middle of writing to it.
    with contextlib.suppress(OSError, ValueError):
        os.write(2, text.encode())


def _left() -> str:
    """What is left of runs that do not get the time to remove what they started, and how to remove it."""
    owner = sys.modules.get("hullmark._smoke.owner")
    runs: tuple[str, ...] = () if owner is None else owner.runs_under_way()
    if not runs:
        return ""
    return (
        f"; containers, networks and volumes of {', '.join(runs)} may be left: `hullmark smoke --reap` removes them, "
        "and so does the next run"
    )
