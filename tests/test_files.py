"""Writing files: whole or not at all, and nothing that is no file is replaced."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from hullmark._files import write_whole
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_the_directories_above_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "r.json", b"{}", what="the report")
    assert (tmp_path / "a" / "b" / "r.json").read_bytes() == b"{}"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["r.json"]


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_bytes(b"old")
    file.chmod(0o640)
    write_whole(file, b"new", what="the report")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)


@pytest.mark.parametrize("there", [True, False])
def test_of_a_symbolic_link_the_target_is_written(tmp_path: Path, *, there: bool) -> None:
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    if there:
        target.write_bytes(b"old")
    link.symlink_to("real.json")
    write_whole(link, b"new", what="the report")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    write_whole(fifo, b"{}", what="the report")
    reader.join(10)
    assert read == [b"{}"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_an_open_descriptor_is_written_to(tmp_path: Path) -> None:
    file = tmp_path / "there"
    with file.open("wb") as stream:
        write_whole(tmp_path.__class__(f"/dev/fd/{stream.fileno()}"), b"{}", what="the report")
    assert file.read_bytes() == b"{}"


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(Unavailable, match=r"the report cannot be written to .*directory: Is a directory"):
        write_whole(tmp_path / "directory", b"{}", what="the report")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(Unavailable, match=r"Not a directory|File exists"):
        write_whole(file / "r.json", b"{}", what="the report")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]
