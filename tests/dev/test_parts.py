"""Lines, overlays and ports, each for itself."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

import pytest

from hullmark._dev import LogFilter, with_overlay
from hullmark._dev.lines import LogLine, parse, shown
from hullmark._engines.ports import free_port, holder, is_taken
from hullmark.errors import ConfigurationError
from hullmark.model.project import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("web-1  | hello | there", LogLine(service="web", text="hello | there")),
        ("my-web-12 | x", LogLine(service="my-web", text="x")),
        ("\x1b[2Kweb-1  | x", LogLine(service="web", text="x")),
        ("named  | x", LogLine(service="db", text="x")),
        ("web-1  |", LogLine(service="web", text="")),
        ("no log at all", None),
    ],
)
def test_a_line_of_the_merged_log_is_its_service_and_its_text(line: str, expected: LogLine | None) -> None:
    assert parse(line, {"named": "db"}) == expected


@pytest.mark.parametrize(
    ("text", "colour", "expected"),
    [
        ("\x1b[31mred\x1b[0m", False, "red"),
        ("\x1b[31mred\x1b[0m", True, "\x1b[31mred\x1b[0m\x1b[0m"),
        ("a\x1b[2Jb\rc\x07", True, "abc"),
        ("tab\tstays", False, "tab\tstays"),
    ],
)
def test_what_a_service_writes_moves_no_cursor(text: str, colour: bool, expected: str) -> None:  # noqa: FBT001  # a column
    assert shown(text, colour=colour) == expected


def test_only_errors_keeps_a_traceback_whole_and_nothing_of_others() -> None:
    lines = [
        ("web", "GET / 200"),
        ("web", "Traceback (most recent call last):"),
        ("db", "checkpoint complete"),
        ("web", '  File "main.py", line 3'),
        ("web", "ValueError: no"),
        ("web", "GET / 200"),
        ("db", "FATAL: password authentication failed"),
    ]
    chosen = LogFilter(only_errors=True)
    kept = [text for service, text in lines if chosen.keeps(LogLine(service=service, text=text))]
    assert kept == [lines[1][1], lines[3][1], lines[4][1], lines[6][1]]


def test_a_pattern_is_looked_for_in_the_text_without_its_colours() -> None:
    chosen = LogFilter(pattern=re.compile("a b"))
    assert chosen.keeps(LogLine(service="web", text="a\x1b[1m b"))
    assert not chosen.keeps(LogLine(service="a b", text="c"))


def test_the_overlay_is_found_by_its_name_and_laid_over_the_files_of_the_project(tmp_path: Path) -> None:
    for name in ("compose.yml", "compose.override.yml", "compose.dev.yml"):
        (tmp_path / name).write_text("services: {}\n", encoding="utf-8")
    found = with_overlay(tmp_path, Settings(), named=False)
    assert found.compose == tuple(
        str(tmp_path / name) for name in ("compose.yml", "compose.override.yml", "compose.dev.yml")
    )


def test_what_the_command_line_names_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "compose.dev.yml").write_text("services: {}\n", encoding="utf-8")
    settings = Settings(compose=("other.yml",))
    assert with_overlay(tmp_path, settings, named=True) == settings


def test_what_the_configuration_names_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("services: {}\n", encoding="utf-8")
    assert with_overlay(tmp_path, Settings(dev_compose=("a.yml",)), named=False).compose == ("a.yml",)
    with pytest.raises(ConfigurationError, match=r"hullmark\.toml: `b\.yml` does not exist"):
        with_overlay(tmp_path, Settings(dev_compose=("a.yml", "b.yml")), named=False)


def test_a_port_is_taken_while_somebody_listens_and_it_is_said_who() -> None:
    port = free_port("127.0.0.1")
    assert not is_taken(port, "127.0.0.1")
    assert holder(port) == ""
    with socket.create_server(("127.0.0.1", port)):
        assert is_taken(port, "127.0.0.1")
        assert is_taken(port)
        assert holder(port).startswith(f"process {os.getpid()} (`")
