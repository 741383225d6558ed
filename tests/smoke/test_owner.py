"""Whose a run is, and whether that process is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._smoke import owner as module
from hullmark._smoke.owner import Owner, state_of, this_process

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"]), max_size=20)


@given(
    found=st.builds(
        Owner, host=NAMES, boot=NAMES, namespace=NAMES, pid=st.integers(min_value=1), started=NAMES
    )
)
def test_an_owner_is_read_as_it_was_written(found: Owner) -> None:
    assert Owner.parse(str(found)) == found


@pytest.mark.parametrize("text", ["", "host", "a|b|c|d|e", "a|b|c|-1|e", "a|b|c|1", "a|b|c|1|e|f"])
def test_a_label_that_is_not_ours_names_nobody(text: str) -> None:
    assert Owner.parse(text) is None


def test_this_process_is_not_gone() -> None:
    here = this_process()
    assert here.pid == os.getpid()
    assert here.started
    assert not here.is_gone(here, local=True)


def _ended(*, collected: bool) -> tuple[Owner, subprocess.Popen[bytes]]:
    """The owner of a process that has ended."""
    process = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE)
    owner = replace(this_process(), pid=process.pid, started=state_of(process.pid)[1])
    assert not owner.is_gone(this_process(), local=True)
    process.send_signal(signal.SIGKILL)
    if collected:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return owner, process


@pytest.mark.parametrize("collected", [True, False])
def test_a_process_that_ended_is_gone_even_where_nobody_collects_it(collected: bool) -> None:  # noqa: FBT001
    owner, process = _ended(collected=collected)
    try:
        assert owner.is_gone(this_process(), local=True)
        assert owner.is_gone(this_process(), local=False)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def test_a_process_with_a_number_that_was_used_before_is_another() -> None:
    here = this_process()
    assert replace(here, started="1").is_gone(here, local=True)


def test_a_number_that_no_process_can_have_is_gone() -> None:
    here = this_process()
    assert replace(here, pid=1 << 70).is_gone(here, local=True)


@pytest.mark.parametrize("field", ["host", "namespace"])
@pytest.mark.parametrize("local", [True, False])
def test_a_process_elsewhere_is_not_known_to_be_gone(field: str, local: bool) -> None:  # noqa: FBT001
    here = this_process()
    owner, process = _ended(collected=True)
    assert process.stdin is not None
    process.stdin.close()
    elsewhere: Any = {field: "elsewhere"}
    assert not replace(owner, **elsewhere).is_gone(here, local=local)


def test_a_process_of_another_boot_is_gone_only_where_both_boots_are_of_this_machine() -> None:
    here = this_process()
    before = replace(here, boot="before")
    assert before.is_gone(here, local=True)
    assert not before.is_gone(here, local=False)


def test_a_process_that_the_system_hides_is_taken_for_alive(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = this_process()
    monkeypatch.setattr(module, "_PROC", tmp_path)
    assert not here.is_gone(here, local=True)

    def not_yours(pid: int, signal_: int) -> None:
        raise PermissionError(pid, signal_)

    monkeypatch.setattr(os, "kill", not_yours)
    assert not here.is_gone(here, local=True)
    assert not replace(here, started="1").is_gone(here, local=True)
