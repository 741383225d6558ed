"""Copies of a process: each test makes them in a process of its own, as the one that runs tests has other threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from hullmark._forked import processors

BEGIN = """
import os, signal, threading, time
from hullmark._forked import Forked, processors

def gone():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
"""


def _run(script: str) -> str:
    """What `script` prints in a process of one thread."""
    argv = (sys.executable, "-W", "error", "-c", BEGIN + script)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_a_copy_makes_comes_back_whole() -> None:
    script = """
made = os.urandom(3_000_001)
with Forked(lambda: made) as copy, Forked(lambda: b"") as empty:
    assert copy.answer() == made
    assert empty.answer() == b""
assert gone()
"""
    assert not _run(script)


@pytest.mark.parametrize(
    "work",
    [
        "1 / 0",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "raise_(KeyboardInterrupt)",
        "raise_(SystemExit(0))",
    ],
)
def test_a_copy_that_fails_has_no_answer_and_says_nothing(work: str) -> None:
    script = f"""
def raise_(error):
    raise error
with Forked(lambda: {work}) as copy:
    assert copy.answer() is None
assert gone()
print("only once")
"""
    assert _run(script) == "only once\n"


def test_half_an_answer_is_none() -> None:
    script = """
seen, read = [], os.read
def looked(*wanted):
    seen.append(read(*wanted))
    return seen[-1]
def half():
    for each in os.listdir("/proc/self/fd"):
        try:
            pipe = int(each) > 2 and os.readlink(f"/proc/self/fd/{each}").startswith("pipe:")
        except FileNotFoundError:
            continue
        if pipe:
            os.write(int(each), b"half")
    os._exit(0)
os.read = looked
with Forked(half) as copy:
    assert copy.answer() is None
assert b"".join(seen) == b"half", seen
assert gone()
"""
    assert not _run(script)


def test_what_waits_for_a_copy_that_is_ended_has_no_answer() -> None:
    script = """
with Forked(signal.pause) as copy:
    found = []
    waiting = threading.Thread(target=lambda: found.append(copy.answer()))
    waiting.start()
    copy.end()
    waiting.join()
    assert found == [None]
assert gone()
"""
    assert not _run(script)


def test_handlers_of_the_process_do_not_run_in_a_copy() -> None:
    script = """
def handler(*_):
    print("interrupted", flush=True)
signal.signal(signal.SIGINT, handler)
def work():
    os.kill(os.getpid(), signal.SIGINT)
    return b"done"
with Forked(work) as copy:
    assert copy.answer() == b"done"
os.kill(os.getpid(), signal.SIGINT)
"""
    assert _run(script) == "interrupted\n"


def test_a_copy_does_not_outlive_the_process_that_made_it() -> None:
    script = """
def work():
    print(os.getpid(), flush=True)
    while True:
        time.sleep(60)
with Forked(work) as copy:
    copy.answer()
"""
    with subprocess.Popen((sys.executable, "-c", BEGIN + script), stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        copy = int(made.stdout.readline())
        try:
            made.kill()
            # The copy holds the other end as long as it is there.
            reading = threading.Thread(target=made.stdout.read, daemon=True)
            reading.start()
            reading.join(timeout=60)
            assert not reading.is_alive()
        finally:
            if _there(copy):
                os.kill(copy, signal.SIGKILL)


def _there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_with_other_threads_makes_no_copies() -> None:
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.start()
    try:
        assert processors() == 1
    finally:
        event.set()
        thread.join()
    assert _run("print(processors() == len(os.sched_getaffinity(0)))") == "True\n"


def test_where_there_is_no_room_for_another_process_there_is_no_answer() -> None:
    script = """
def fork():
    raise BlockingIOError("no room")
os.fork = fork
before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
with Forked(lambda: b"done") as copy:
    assert copy.answer() is None
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
"""
    assert not _run(script)
