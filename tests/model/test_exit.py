"""What exit codes say."""

from __future__ import annotations

import signal

import pytest

from hullmark.model.exit import SIGNALS, exit_meaning


@pytest.mark.parametrize(
    ("code", "memory", "meaning"),
    [
        (None, False, ""),
        (1, False, ""),
        (0, False, "it was done"),
        (126, False, "its program cannot be executed"),
        (127, False, "its program was not found"),
        (128, False, ""),
        (137, False, "SIGKILL: it was killed"),
        (137, True, "SIGKILL: out of memory"),
        (1, True, "a process of it was killed: out of memory"),
        (139, False, "SIGSEGV: it crashed: memory that is not its own"),
        (143, False, "SIGTERM: it was asked to stop"),
        (255, False, ""),
    ],
)
def test_an_exit_code_says_what_happened(code: int | None, memory: bool, meaning: str) -> None:  # noqa: FBT001
    assert exit_meaning(code, out_of_memory=memory) == meaning


def test_signals_are_those_of_linux() -> None:
    assert {number: name for number, (name, _) in SIGNALS.items()} == {
        number: signal.Signals(number).name for number in SIGNALS
    }
