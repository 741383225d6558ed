"""Work done inside of another network namespace: a thread of this process enters it and ends there."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from hullmark.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_NETWORK = 0x40000000
"""What `setns` calls a network namespace."""
_TICK = 0.05


def inside(
    namespace: str, work: Callable[[], T], *, timeout: float, cancelled: threading.Event
) -> tuple[T] | None:
    """What `work` gives inside of the network namespace that the file `namespace` stands for, within `timeout` seconds.

    `None` when this process may not enter it, or the file is none of this machine. Raises `TimeoutError`, what
    `work` raises, and `Interrupted`.
    """
    try:
        handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    result: list[T] = []
    errors: list[Exception] = []
    entered = threading.Event()

    def run() -> None:
        try:
            if not _enter(handle):
                return
        finally:
            os.close(handle)
        entered.set()
        try:
            result.append(work())
        except Exception as error:  # noqa: BLE001  # handed over to the thread that waits
            errors.append(error)

    # A namespace belongs to a thread: this one is never used again.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = time.monotonic() + timeout
    while thread.is_alive() and time.monotonic() < deadline:
        thread.join(_TICK)
        if cancelled.is_set():
            raise Interrupted
    if errors:
        raise errors[0]
    if result:
        return (result[0],)
    if entered.is_set():
        raise TimeoutError
    return None


def _enter(handle: int) -> bool:
    """Whether this thread is in the network namespace `handle` from now on."""
    try:
        setns = ctypes.CDLL(None, use_errno=True).setns
    except (AttributeError, OSError, TypeError):
        return False  # not Linux
    return int(setns(handle, _NETWORK)) == 0
