"""Every log that is kept tells of what its entry says, and of nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.doctor.conftest import LOGS, kept_logs

from hullmark._doctor import Patient, read
from hullmark._doctor.situations import catalogue
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from tests.doctor.conftest import KeptLog

KEPT = kept_logs()
ROOT = Path(__file__).resolve().parents[2]

each_log = pytest.mark.parametrize("log", KEPT, ids=[log.file.removesuffix(".log") for log in KEPT])


@pytest.fixture
def nobody(tmp_path: Path) -> Patient:
    """A patient that nothing is known of."""
    return Patient(directory=tmp_path)


@each_log
def test_a_log_tells_of_its_situation_with_its_values_and_of_no_other(log: KeptLog, nobody: Patient) -> None:
    reading = read(log.file, log.text(), nobody)
    assert [each.situation for each in reading.diagnoses] == ([log.situation] if log.situation else [])
    for each in reading.diagnoses:
        assert dict(each.values) == log.values
        assert each.service == log.service
        assert each.excerpt
        assert (
            each.excerpt.removesuffix("...")
            in log.text().splitlines()[each.line - 1].replace("\x1b[2K", "").strip()
        )
        assert each.advice.cause
        assert each.advice.remedies


@each_log
@pytest.mark.parametrize("dressed", ["stamped", "coloured", "windows"])
def test_it_does_so_however_the_lines_are_dressed(log: KeptLog, dressed: str, nobody: Patient) -> None:
    lines = log.text().splitlines()
    match dressed:
        case "stamped":
            text = "\n".join(f"2026-11-24T14:01:{n % 60:02}.1234567Z {line}" for n, line in enumerate(lines))
        case "coloured":
            text = "\n".join(f"\x1b[31m{line}\x1b[0m" for line in lines)
        case _:
            text = "\r\n".join(lines)
    found = read(log.file, text, nobody).diagnoses
    assert [(each.situation, dict(each.values)) for each in found] == (
        [(log.situation, log.values)] if log.situation else []
    )


@each_log
def test_what_is_recognised_fails_and_what_went_well_does_not(log: KeptLog, nobody: Patient) -> None:
    status = read(log.file, log.text(), nobody).status
    assert status is (Status.FINDINGS if log.situation else Status.CLEAN)


def test_every_log_is_in_the_index_and_the_other_way_round() -> None:
    assert [log.file for log in KEPT] == sorted(path.name for path in LOGS.glob("*.log"))


def test_every_situation_has_a_log_that_was_captured() -> None:
    captured = {log.situation for log in KEPT if log.provenance.startswith("captured")} - {None}
    assert len(captured) >= 25
    assert captured == {each.id for each in catalogue()}
    assert all(log.provenance.startswith(("captured: ", "written in the form")) for log in KEPT)


def test_builds_and_runs_that_went_well_are_among_them() -> None:
    assert sum(log.situation is None for log in KEPT) >= 3


def test_nothing_kept_names_a_host_or_a_directory_of_somebody() -> None:
    for log in KEPT:
        text = log.text()
        for name in ("docker.io", "debian.org", "pypi", "npmjs", "github", " /tmp/", f"{ROOT}/", "10.255."):
            assert name not in text, f"{log.file} names {name}"


def test_one_line_among_a_whole_day_of_logs_is_found(nobody: Patient) -> None:
    line = 'web-1  | 10.0.0.7 - - "GET /api/items?page=3 HTTP/1.1" 200 5123 "curl/8" error=none exec=0.012'
    text = "\n".join([line] * 60_000 + ["web-1 exited with code 137"])
    (found,) = read("day.log", text, nobody).diagnoses
    assert found.situation == "out-of-memory"
