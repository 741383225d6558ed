"""What exit codes of containers mean."""

from __future__ import annotations

SIGNALS = {
    1: ("SIGHUP", "its terminal went away"),
    2: ("SIGINT", "it was interrupted"),
    3: ("SIGQUIT", "it was asked to quit"),
    4: ("SIGILL", "it ran an instruction that this processor has not got"),
    5: ("SIGTRAP", "it ran into a breakpoint"),
    6: ("SIGABRT", "it gave up by itself: an assertion, or memory that was overwritten"),
    7: ("SIGBUS", "it used memory that is not there"),
    8: ("SIGFPE", "it divided by zero, or the like"),
    9: ("SIGKILL", "it was killed"),
    11: ("SIGSEGV", "it crashed: memory that is not its own"),
    13: ("SIGPIPE", "what read its output had gone"),
    14: ("SIGALRM", "its alarm went off"),
    15: ("SIGTERM", "it was asked to stop"),
    24: ("SIGXCPU", "its processor time was used up"),
    25: ("SIGXFSZ", "it wrote a file that was too large"),
    31: ("SIGSYS", "it made a system call that it may not make"),
}
"""Signals by their numbers in Linux, where containers run, whatever this machine runs; and what they say of a program."""
KILLED = 137
"""What is left of a program that was killed."""
_BY_SIGNAL = 128


def exit_meaning(code: int | None, *, out_of_memory: bool = False) -> str:
    """What the exit code `code` says beyond its number, such as `SIGKILL: it was killed`; empty when it says nothing."""
    if code is None:
        return ""
    if out_of_memory:
        return "SIGKILL: out of memory" if code == KILLED else "a process of it was killed: out of memory"
    match code:
        case 0:
            return "it was done"
        case 126:
            return "its program cannot be executed"
        case 127:
            return "its program was not found"
        case _ if code - _BY_SIGNAL in SIGNALS:
            name, meaning = SIGNALS[code - _BY_SIGNAL]
            return f"{name}: {meaning}"
        case _:
            return ""
