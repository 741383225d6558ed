"""A copy of this process that computes while this one does something else.

Python runs one thread at a time, so what is all Python is done sooner by two processes only. A copy costs a few
milliseconds where a new process would load every module again, but it has no other thread than the one that made it:
whoever waits for something that another one holds would wait forever. So it is made where there is only one.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK = 0.5
"""Seconds after which a copy looks whether the process that made it is still there."""
_AT_ONCE = 1 << 20
"""Bytes that are taken out of the pipe at once."""
_SIZE = 8
"""Bytes of the size of an answer."""


def processors() -> int:
    """How many copies of this process could compute at once, itself included; 1 where none is to be made."""
    if not sys.platform.startswith("linux"):
        return 1
    try:
        alone = len(list(Path("/proc/self/task").iterdir())) == 1
        return len(os.sched_getaffinity(0)) if alone else 1
    except OSError:
        return 1


class Forked:
    """Does `work` in a copy of this process, and hands over the bytes that it makes.

    Whatever goes wrong there is as if the copy had never been made. It is ended by `end`, at the latest where the
    `with` of it ends, and soon after this process where that is killed.
    """

    def __init__(self, work: Callable[[], bytes]) -> None:
        self._read, write = os.pipe2(os.O_CLOEXEC)
        self._child: int | None = None
        here = os.getpid()
        try:
            # No handler of this process may run in the copy, where it would take the way out of all that is there.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                child = os.fork()
                if not child:
                    _compute(work, self._read, write, here)
                self._child = child
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except OSError:
            pass  # no room for another process
        finally:
            os.close(write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        os.close(self._read)

    def answer(self) -> bytearray | None:
        """What the copy made, once it is there, or `None`; to be asked once, from any thread."""
        made = bytearray()
        with contextlib.suppress(OSError):
            while piece := os.read(self._read, _AT_ONCE):
                made += piece
        # Its size, which is written last, tells what is whole from what a copy left that was killed.
        size = len(made) - _SIZE
        whole = size >= 0 and made[size:] == size.to_bytes(_SIZE, "big")
        if not whole:
            return None
        del made[size:]
        return made

    def end(self) -> None:
        """Ends the copy, if it goes on; who waits for the answer has none then."""
        if self._child is None:
            return
        child, self._child = self._child, None
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _compute(work: Callable[[], bytes], read: int, write: int, parent: int) -> None:
    """All that a copy does; never returns."""
    try:
        os.close(read)

        def look(*_: object) -> None:
            if os.getppid() != parent:
                os._exit(1)

        signal.signal(signal.SIGALRM, look)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
        # It ends soon, and to collect what it leaves would touch, and so copy, all that it shares.
        gc.disable()
        made = memoryview(work())
        for part in (made, memoryview(len(made).to_bytes(_SIZE, "big"))):
            while part:
                part = part[os.write(write, part) :]  # noqa: PLW2901  # what is left of it
        os._exit(0)
    finally:
        # Whatever it was: nobody but the process that made it is told, and nothing else of it may run.
        os._exit(1)
