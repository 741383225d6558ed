"""What is known of signals, first processes and restart policies, without an engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hullmark._smoke.drills.ground import declared
from hullmark._smoke.drills.persist import UNKNOWN
from hullmark._smoke.drills.stop import FirstProcess, handles, ignores, number
from hullmark._smoke.drills.vitals import gist, unhealthy
from hullmark.model.location import SourceSpan
from hullmark.model.project import Service

STATUS = "Name:\tapp\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001000\nSigCgt:\t{}\n"
SERVICE = Service(name="web", image="web", build=None, span=SourceSpan(path="compose.yml", line=1))


@pytest.mark.parametrize(
    ("caught", "signal", "expected"),
    [
        ("0000000000004000", 15, True),
        ("0000000000000000", 15, False),
        ("0000000000000002", 2, True),
        ("0000000000004002", 3, False),
        ("0000000180004a07", 15, True),
    ],
)
def test_the_kernel_says_which_signals_a_process_handles(caught: str, signal: int, expected: object) -> None:
    assert handles(STATUS.format(caught), signal) is expected


def test_the_kernel_says_which_signals_a_process_ignores() -> None:
    assert ignores(STATUS.format("0000000000000000"), 13) is True
    assert ignores(STATUS.format("0000000000001000"), 15) is False
    assert ignores("SigCgt:\t0000000000001000\n", 13) is None


@pytest.mark.parametrize("status", ["", "cat: /proc/1/status: Permission denied", "SigCgt:\tnone\n"])
def test_what_the_kernel_does_not_say_is_not_known(status: str) -> None:
    assert handles(status, 15) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SIGTERM", 15),
        ("TERM", 15),
        ("sigint", 2),
        ("quit", 3),
        ("9", 9),
        ("SIGKILL", 9),
        ("no-such-signal", 15),
    ],
)
def test_signals_are_known_by_every_name_that_images_give_them(name: str, expected: int) -> None:
    assert number(name) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/bin/sh -c sleep 600; exit 0", True),
        ("-bash", True),
        ("/bin/busybox sh run.sh", True),
        ("bash /entrypoint.sh", True),
        ("/usr/bin/python3 app.py", False),
        ("shell-server", False),
        ("", False),
    ],
)
def test_a_shell_is_told_by_its_program(command: str, expected: object) -> None:
    assert FirstProcess(command=command, handles=None).is_shell is expected


@pytest.mark.parametrize(
    ("service", "policy"),
    [
        (replace(SERVICE, restarts=True, restarts_when_done=True), {"Name": "always"}),
        (replace(SERVICE, restarts=True), {"Name": "on-failure", "MaximumRetryCount": 0}),
        (replace(SERVICE, restarts=True, restart_limit=3), {"Name": "on-failure", "MaximumRetryCount": 3}),
    ],
)
def test_a_restart_policy_is_what_the_project_says(service: Service, policy: object) -> None:
    assert declared(service) == policy


def test_of_much_that_a_health_check_printed_the_last_line_is_quoted() -> None:
    assert gist("Traceback:\n  File x\n  File y\nOSError: refused\n\n") == "OSError: refused"
    assert gist("no\nmemory\n") == "no memory"
    assert gist("") == ""


@pytest.mark.parametrize(
    ("code", "output", "expected"),
    [
        (1, "refused\n", "`web` is unhealthy: its health check ends with exit code 1: refused"),
        (2, "", "`web` is unhealthy: its health check ends with exit code 2"),
        (None, "", "`web` is unhealthy: its health check does not end in time"),
        (
            -1,
            "Health check exceeded timeout (1s)",
            "`web` is unhealthy: its health check does not end in time",
        ),
    ],
)
def test_a_health_check_that_fails_is_told_in_the_same_words_whoever_tried_it(
    code: int | None, output: str, expected: str
) -> None:
    assert unhealthy("web", code, output) == expected


def test_the_reason_for_unknown_data_names_the_key_to_write() -> None:
    assert "[[services.NAME.persist]]" in UNKNOWN
