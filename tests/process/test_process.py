"""Programs are run to their end, heard out, and never left behind."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hullmark import _process
from hullmark._process import Completed, SystemCommands
from hullmark.errors import CommandFailed, Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = sys.executable
# A child that will not be asked: it has to be killed, and holds no pipe that would tell of it.
STUBBORN = """
import os, signal, subprocess, sys, time
code = "import signal,time,pathlib,os; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
    "pathlib.Path({file!r}).write_text(str(os.getpid())); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL)
while not os.path.exists({file!r}):
    time.sleep(0.01)
print("ready", flush=True)
time.sleep({seconds})
"""


@pytest.fixture
def run(commands: SystemCommands) -> Iterator[SystemCommands]:
    """Programs of this machine; no thread is left when the test is over."""
    before = set(threading.enumerate())
    yield commands
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little time between asking and ending."""
    monkeypatch.setattr(_process, "GRACE", 0.5)


def _python(code: str) -> tuple[str, ...]:
    return (PYTHON, "-c", code)


def _wait_for(path: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and path.read_text(encoding="utf-8"):
            return int(path.read_text(encoding="utf-8"))
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # An orphan that has ended and that no init has taken note of runs no more.
        with open(f"/proc/{pid}/stat", encoding="utf-8") as status:  # noqa: PTH123  # gone any moment
            if status.read().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


def _children() -> set[int]:
    """The children of this thread that nobody has waited for."""
    with open(f"/proc/self/task/{threading.get_native_id()}/children", encoding="utf-8") as listing:  # noqa: PTH123
        return {int(pid) for pid in listing.read().split()}


def test_what_was_printed_and_how_it_ended_come_back(run: SystemCommands) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    argv = _python(code)
    assert run.run(argv) == Completed(argv=argv, returncode=3, stdout="out\n", stderr="err\n")


def test_check_passes_a_success_on(run: SystemCommands) -> None:
    completed = run.run(_python("pass"))
    assert completed.check() is completed


def test_check_raises_with_the_end_of_what_was_printed() -> None:
    completed = Completed(
        argv=("prog", "x"), returncode=4, stdout="o", stderr="\n".join(map(str, range(100)))
    )
    with pytest.raises(CommandFailed) as caught:
        completed.check(hint="try again")
    assert caught.value.message.startswith("`prog x` failed with exit status 4:\n  80\n")
    assert caught.value.message.endswith("  99")
    assert caught.value.hint == "try again"
    assert caught.value.argv == ("prog", "x")


def test_check_shows_standard_output_when_there_is_no_other() -> None:
    with pytest.raises(CommandFailed, match="only this"):
        Completed(argv=("p",), returncode=1, stdout="only this", stderr="").check()


def test_check_shows_nothing_when_nothing_was_printed() -> None:
    with pytest.raises(CommandFailed) as caught:
        Completed(argv=("p",), returncode=1, stdout="", stderr="").check()
    assert caught.value.message == "`p` failed with exit status 1"


def test_megabytes_on_both_outputs_at_once_are_drained(run: SystemCommands) -> None:
    code = """
import sys, threading
def pour(stream, letter):
    for _ in range(400):
        stream.write((letter * 9999 + "\\n"))
both = [threading.Thread(target=pour, args=a) for a in ((sys.stdout, "o"), (sys.stderr, "e"))]
for thread in both: thread.start()
for thread in both: thread.join()
"""
    completed = run.run(_python(code), timeout=60)
    assert completed.stdout == ("o" * 9999 + "\n") * 400
    assert completed.stderr == ("e" * 9999 + "\n") * 400


def test_megabytes_go_in_while_megabytes_come_out(run: SystemCommands) -> None:
    text = ("x" * 99 + "\n") * 50_000
    assert run.run(("cat",), stdin=text, timeout=60).stdout == text


def test_a_program_that_does_not_read_its_input_is_no_failure(run: SystemCommands) -> None:
    completed = run.run(_python("import os; os.close(0); print('done')"), stdin="x" * 5_000_000, timeout=60)
    assert (completed.returncode, completed.stdout) == (0, "done\n")


def test_without_input_a_program_finds_an_empty_one(run: SystemCommands) -> None:
    assert run.run(_python("import sys; print(len(sys.stdin.read()))"), timeout=60).stdout == "0\n"


def test_output_that_is_no_text_is_replaced_and_loses_nothing_else(run: SystemCommands) -> None:
    code = r"import os; os.write(1, b'a\xff\xc3b\n'); os.write(2, b'\x80 \xe2\x82\xac\n')"
    completed = run.run(_python(code))
    assert completed.stdout == "a\ufffd\ufffdb\n"
    assert completed.stderr == "\ufffd €\n"


def test_every_line_of_both_outputs_is_told_as_it_comes(run: SystemCommands) -> None:
    told: list[tuple[str, float]] = []
    code = """
import sys, time
print("first", file=sys.stderr, flush=True)
time.sleep(1)
print("second", flush=True)
"""
    run.run(_python(code), on_line=lambda line: told.append((line, time.monotonic())))
    assert [line for line, _ in told] == ["first", "second"]
    assert told[1][1] - told[0][1] > 0.2


def test_a_listener_that_fails_does_not_stop_the_program_and_is_heard_of(run: SystemCommands) -> None:
    def listen(_: str) -> None:
        raise ZeroDivisionError

    code = "import sys; [print('x' * 999) for _ in range(2000)]; open(sys.argv[1], 'w').close()"
    with pytest.raises(ZeroDivisionError):
        run.run((*_python(code), os.devnull), on_line=listen, timeout=60)


def test_the_environment_is_the_given_one_and_what_is_added(cancelled: threading.Event) -> None:
    commands = SystemCommands({"A": "1", "B": "1"}, cancelled)
    code = "import os; print(os.environ.get('A'), os.environ.get('B'), os.environ.get('HOME'))"
    assert commands.run(_python(code), env={"B": "2"}).stdout == "1 2 None\n"


def test_programs_are_found_on_the_path_of_the_given_environment(
    tmp_path: Path, cancelled: threading.Event
) -> None:
    program = tmp_path / "only-here"
    program.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    commands = SystemCommands({"PATH": str(tmp_path)}, cancelled)
    assert commands.run(("only-here",)).stdout == "found\n"


def test_the_directory_is_the_given_one(tmp_path: Path, run: SystemCommands) -> None:
    assert run.run(("pwd",), cwd=tmp_path).stdout == f"{tmp_path}\n"


def test_a_missing_program_is_named_with_what_to_do(run: SystemCommands) -> None:
    with pytest.raises(Unavailable, match="`no-such-program` is not on PATH") as caught:
        run.run(("no-such-program", "--version"))
    assert caught.value.hint == "install no-such-program"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_directory_that_is_none_is_named(tmp_path: Path, run: SystemCommands, kind: str) -> None:
    place = tmp_path / kind
    if kind == "file":
        place.write_text("", encoding="utf-8")
    with pytest.raises(Unavailable, match="is not a directory"):
        run.run(("true",), cwd=place)


def test_a_program_that_may_not_be_run_is_named_with_the_reason(tmp_path: Path, run: SystemCommands) -> None:
    program = tmp_path / "plain"
    program.write_text("echo", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"`.*plain` cannot be run: Permission denied"):
        run.run((str(program),))


def test_a_program_that_outlives_its_time_is_ended_with_its_children(
    tmp_path: Path, run: SystemCommands
) -> None:
    child = tmp_path / "child"
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not end within 0\.5 s"):
        run.run(("sh", "-c", f"sleep 60 & echo $! > {child}; wait"), timeout=0.5)
    assert time.monotonic() - began < 10
    assert _is_gone(_wait_for(child))


@pytest.mark.usefixtures("impatient")
def test_a_child_that_will_not_end_is_ended_also_when_its_parent_has_gone_politely(
    tmp_path: Path, run: SystemCommands, cancelled: threading.Event
) -> None:
    child = tmp_path / "child"
    code = STUBBORN.format(file=str(child), seconds=60)

    def cancel(_: str) -> None:
        cancelled.set()

    with pytest.raises(Interrupted):
        run.run(_python(code), on_line=cancel)
    assert _is_gone(_wait_for(child))


@pytest.mark.usefixtures("impatient")
def test_a_program_that_will_not_end_is_ended_by_force(run: SystemCommands) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    with pytest.raises(Unavailable):
        run.run(_python(code), timeout=1)


def test_a_program_that_ends_when_asked_may_say_goodbye(run: SystemCommands) -> None:
    stop = threading.Event()
    code = """
import signal, sys, time
def bye(*_):
    print("bye", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, bye)
print("ready", flush=True)
time.sleep(60)
"""
    completed = run.run(_python(code), on_line=lambda _: stop.set(), stop=stop)
    assert (completed.returncode, completed.stdout) == (7, "ready\nbye\n")


def test_a_stop_that_comes_before_the_program_starts_ends_it_at_once(run: SystemCommands) -> None:
    stop = threading.Event()
    stop.set()
    completed = run.run(("sleep", "60"), stop=stop)
    assert completed.returncode == -signal.SIGTERM


def test_cancelling_ends_the_program_and_its_children(
    tmp_path: Path, run: SystemCommands, cancelled: threading.Event
) -> None:
    child = tmp_path / "child"
    timer = threading.Timer(0.5, cancelled.set)
    timer.start()
    with pytest.raises(Interrupted) as caught:
        run.run(("sh", "-c", f"sleep 60 & echo $! > {child}; wait"))
    timer.join()
    assert caught.value.exit_code == 130
    assert _is_gone(_wait_for(child))


def test_once_cancelled_nothing_is_started(
    tmp_path: Path, run: SystemCommands, cancelled: threading.Event
) -> None:
    cancelled.set()
    with pytest.raises(Interrupted):
        run.run(("touch", str(tmp_path / "made")))
    assert not (tmp_path / "made").exists()


def test_an_exception_in_the_waiting_thread_ends_the_program_too(
    tmp_path: Path, run: SystemCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"

    def interrupt(*_: object) -> int:
        _wait_for(pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(SystemCommands, "_returncode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.run(("sh", "-c", f"echo $$ > {pid}; exec sleep 60"))
    assert _is_gone(_wait_for(pid))


def test_no_process_is_left_unwaited_however_it_ended(run: SystemCommands) -> None:
    before = _children()
    run.run(("true",))
    stop = threading.Event()
    stop.set()
    run.run(("sleep", "60"), stop=stop)
    with pytest.raises(Unavailable):
        run.run(("sleep", "60"), timeout=0.1)
    assert _children() <= before


@pytest.mark.usefixtures("impatient")
def test_a_grandchild_that_keeps_the_pipe_open_does_not_keep_the_answer(
    tmp_path: Path, commands: SystemCommands
) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    completed = commands.run(("sh", "-c", f"sleep 60 & echo $! > {pid}; echo answer"))
    assert completed.stdout == "answer\n"
    assert time.monotonic() - began < 10
    os.kill(_wait_for(pid), signal.SIGKILL)


def test_with_exact_what_is_no_text_comes_back_as_it_was(run: SystemCommands) -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read() + b'\\xff\\r\\n\\r')"
    done = run.run(_python(code), stdin="a\r\nb\0\udcfe", exact=True)
    assert done.stdout.encode("utf-8", "surrogateescape") == b"a\r\nb\0\xfe\xff\r\n\r"
    plain = run.run(_python(code), stdin="")
    assert plain.stdout == "\N{REPLACEMENT CHARACTER}\n\n"


def test_the_end_of_a_program_is_noticed_at_once(run: SystemCommands) -> None:
    times = []
    for _ in range(5):
        started = time.monotonic()
        run.run(("sleep", "0.07"))
        times.append(time.monotonic() - started)
    # Looking again every 50 ms would find it no earlier than after 100.
    assert min(times) < 0.095


def test_where_the_kernel_does_not_say_that_a_program_has_ended_it_is_looked_after(
    run: SystemCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_pid: int) -> int:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", missing)
    assert run.run(_python("import time; time.sleep(0.1); print(1)")).stdout == "1\n"
