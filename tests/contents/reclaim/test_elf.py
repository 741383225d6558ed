"""ELF files are read as the tools of binutils read them, and hostile ones cost nothing."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hullmark._contents.elf import ElfCapture, kept, read

if TYPE_CHECKING:
    from hullmark._contents.elf import Elf

LIBRARY = """
int shared(int); static int helper(int x) { return x * 3; }
int exported(int x) { return helper(x) + shared(x); }
"""


def _compile(directory: Path, *arguments: str) -> None:
    subprocess.run(["gcc", *arguments], cwd=directory, check=True, capture_output=True, timeout=120)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library that needs another one, with symbols and debug information."""
    (tmp_path / "shared.c").write_text("int shared(int x) { return x; }\n")
    (tmp_path / "library.c").write_text(LIBRARY)
    _compile(
        tmp_path, "-g", "-shared", "-fPIC", "-Wl,-soname,libshared.so.1", "shared.c", "-o", "libshared.so"
    )
    _compile(
        tmp_path,
        *("-g", "-O1", "-shared", "-fPIC", "library.c", "-o", "library.so", "-L.", "-lshared"),
        *("-Wl,-rpath,$ORIGIN/../lib:/opt/lib", "-Wl,--enable-new-dtags"),
    )
    return tmp_path / "library.so"


def _elf(path: Path) -> Elf:
    elf = read(path.read_bytes())
    assert elf is not None
    return elf


def test_a_library_says_what_it_needs_and_where_it_looks(library: Path) -> None:
    elf = _elf(library)
    assert elf.needed[0] == "libshared.so.1"
    assert elf.runpath == ("$ORIGIN/../lib", "/opt/lib")
    assert elf.rpath == ()
    assert elf.interpreter == ""
    assert _elf(library.with_name("libshared.so")).soname == "libshared.so.1"


def test_a_program_says_what_loads_it() -> None:
    elf = _elf(Path(sys.executable).resolve())
    assert elf.interpreter.startswith("/lib")
    assert "libc.so.6" in elf.needed
    assert elf.bits == 64


@pytest.mark.parametrize("option", ["--strip-debug", "--strip-unneeded"])
def test_what_strip_removes_is_known_before(library: Path, option: str, tmp_path: Path) -> None:
    predicted = None
    for path in (library, library.with_name("libshared.so"), Path(shutil.which("strip") or "").resolve()):
        elf = _elf(path)
        stripped = tmp_path / "stripped"
        subprocess.run(["strip", option, "-o", str(stripped), str(path)], check=True, timeout=60)
        predicted = elf.debug if option == "--strip-debug" else elf.unneeded
        real = path.stat().st_size - stripped.stat().st_size
        assert abs(predicted - real) <= max(0.01 * real, 16)
    assert predicted == 0  # the last one is stripped already


def test_what_strip_must_not_touch_saves_nothing(library: Path) -> None:
    content = library.read_bytes()
    assert _elf(library).debug > 0
    appended = read(content + b"payload")
    assert appended is not None
    assert appended.debug == appended.unneeded == 0


def test_a_capture_keeps_a_summary_that_is_read_back(library: Path) -> None:
    capture = ElfCapture()
    content = library.read_bytes()
    assert capture.wants("/opt/library.so", len(content), 0o644)
    assert capture.wants("/usr/bin/x", len(content), 0o755)
    assert not capture.wants("/etc/passwd", 1000, 0o644)
    summary = capture.take("/opt/library.so", memoryview(content))
    assert kept(summary) == _elf(library)
    assert capture.take("/bin/x", memoryview(b"#!/bin/sh\n" * 10)) is None
    assert kept(None) is None
    assert kept(b"something that another capture kept") is None
    assert summary is not None
    assert kept(summary[:-1]) is None


def _minimal(sections: int, names: int) -> bytes:
    """A 64-bit header whose section headers follow it."""
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01", 3, 62, 1, 0, 0, 64, 0, 64, 56, 0, 64, sections, names
    )
    return header + bytes(64)


_REAL = Path(sys.executable).resolve().read_bytes()[:4096]


@given(st.binary(max_size=600), st.integers(0, 600), st.binary(min_size=1, max_size=16))
@example(b"\x7fELF\x02\x01", 0, b"\xff" * 16)
@example(_minimal(0, 0), 0, b"\x7f")
@example(_minimal(1, 65535), 0, b"\x7f")
def test_no_file_is_too_broken_to_be_looked_at(content: bytes, place: int, piece: bytes) -> None:
    for file in (
        content,
        b"\x7fELF\x02\x01" + content,
        b"\x7fELF\x01\x02" + content,
        _REAL[:place] + piece + _REAL[place + len(piece) :],
    ):
        elf = read(file)
        if elf is not None:
            assert 0 <= elf.debug <= elf.unneeded <= len(file)
            assert sum(map(len, elf.needed)) <= 4096 * 64


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library of one function, with debug information."""
    directory = tmp_path_factory.mktemp("small")
    (directory / "answer.c").write_text("int answer(void) { return 42; }\n")
    _compile(directory, "-g", "-shared", "-fPIC", "answer.c", "-o", "answer.so")
    return (directory / "answer.so").read_bytes()


@given(st.data())
def test_a_damaged_library_is_no_crash(small: bytes, data: st.DataObject) -> None:
    content = bytearray(small)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 9))
        content[place : place + 8] = data.draw(st.binary(min_size=8, max_size=8))
    elf = read(bytes(content[: data.draw(st.integers(64, len(content)))]))
    assert elf is None or 0 <= elf.debug <= elf.unneeded <= len(content)
