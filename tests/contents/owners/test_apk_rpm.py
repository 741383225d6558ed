"""Packages of Alpine and of those that use RPM."""

from __future__ import annotations

import random
import sqlite3
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.packages.rpm import NotAHeader, read_header

if TYPE_CHECKING:
    from tests.contents.owners.conftest import Own

_APK = """C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
o:musl-source
m:Somebody <a@b>
F:lib
R:ld-musl.so.1
a:0:0:755
Z:Q1x=
F:etc
F:
R:top

P:busybox
V:1.36-r1
F:bin
R:busybox
"""


@pytest.mark.parametrize("place", ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
def test_alpine_lists_packages_and_files_in_one_file(own: Own, place: str) -> None:
    owned = own({"/lib/ld-musl.so.1": "x", "/bin/busybox": "y", "/top": "z", "/other": "o", place: _APK})
    assert owned.owner("/lib/ld-musl.so.1") == "apk:musl 1.2.5-r0"
    assert owned.owner("/bin/busybox") == "apk:busybox 1.36-r1"
    assert owned.owner("/top") == "apk:musl 1.2.5-r0"
    assert owned.owner("/other") == "directory:/"
    musl = owned.package("musl")
    assert (musl.source, musl.source_version, musl.architecture) == ("musl-source", "1.2.5-r0", "x86_64")
    assert owned.package("busybox").source == "busybox"
    assert owned.notes == ()


def test_an_alpine_database_that_ends_early_gives_what_it_has_and_a_note(own: Own) -> None:
    owned = own({"/bin/a": "x", "/lib/apk/db/installed": "P:a\nV:1\nF:bin\nR:a\n\nV:2\nF:"})
    assert owned.owner("/bin/a") == "apk:a 1"
    assert len(owned.notes) == 1


def _header(tags: dict[int, tuple[int, list[str] | list[int]]]) -> bytes:
    """A header as rpm stores it."""
    entries, data = b"", b""
    for tag, (kind, values) in tags.items():
        if kind == 4:
            data += b"\0" * (-len(data) % 4)
        entries += struct.pack(">IIII", tag, kind, len(data), len(values))
        for value in values:
            data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(tags), len(data)) + entries + data


def _bash(**changes: list[str] | list[int]) -> bytes:
    tags: dict[int, tuple[int, list[str] | list[int]]] = {
        1000: (6, ["bash"]),
        1001: (6, ["5.1.8"]),
        1002: (6, ["6.el9"]),
        1003: (4, changes.get("epoch", [])),
        1011: (6, ["A Vendor"]),
        1022: (6, ["x86_64"]),
        1044: (6, ["bash-src-5.1.8-6.el9.src.rpm"]),
        1116: (4, changes.get("indexes", [0, 1])),
        1117: (8, ["bash", "bashrc"]),
        1118: (8, ["/usr/bin/", "/etc/"]),
    }
    return _header({tag: value for tag, value in tags.items() if value[1]})


def _database(
    *blobs: bytes, schema: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)"
) -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(schema)
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
        connection.commit()
        content = bytes(connection.serialize())
    connection.close()
    return content


@pytest.mark.parametrize("place", ["/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"])
def test_rpm_keeps_a_header_per_package(own: Own, place: str) -> None:
    key = _header({1000: (6, ["gpg-pubkey"]), 1001: (6, ["abc"]), 1002: (6, ["1"])})
    owned = own({"/usr/bin/bash": "x", "/etc/bashrc": "y", place: _database(_bash(epoch=[2]), key)})
    assert owned.owner("/usr/bin/bash") == "rpm:bash 2:5.1.8-6.el9"
    assert owned.owner("/etc/bashrc") == "rpm:bash 2:5.1.8-6.el9"
    bash = owned.package("bash")
    assert (bash.source, bash.source_version, bash.maintainer) == ("bash-src", "2:5.1.8-6.el9", "A Vendor")
    assert len(owned.ownership.packages) == 1
    assert owned.notes == ()


def test_old_headers_have_whole_paths(own: Own) -> None:
    blob = _header({1000: (6, ["a"]), 1001: (6, ["1"]), 1002: (6, ["2"]), 1027: (8, ["/x", "/y"])})
    owned = own({"/y": "y", "/var/lib/rpm/rpmdb.sqlite": _database(blob)})
    assert owned.owner("/y") == "rpm:a 1-2"


def test_a_database_that_was_written_with_a_log_beside_it_can_be_read(own: Own) -> None:
    content = bytearray(_database(_bash()))
    content[18:20] = b"\2\2"
    assert own({"/var/lib/rpm/rpmdb.sqlite": bytes(content)}).package("bash").owner.version == "5.1.8-6.el9"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no database",
        _database(_bash())[:3000],
        _database(b"", b"\0" * 20, b"\xff" * 64, _bash(indexes=[0, 9])),
        _database(schema="CREATE TABLE Packages (other INTEGER, blob BLOB)"),
    ],
    ids=["empty", "text", "cut off", "headers", "columns"],
)
def test_a_broken_rpm_database_is_said_and_never_raises(own: Own, content: bytes) -> None:
    owned = own({"/a": "x", "/var/lib/rpm/rpmdb.sqlite": content})
    assert len(owned.notes) == 1
    assert "/var/lib/rpm/rpmdb.sqlite" in owned.notes[0]


def test_a_schema_that_never_ends_is_given_up(own: Own) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(
            "CREATE VIEW Packages AS WITH RECURSIVE n(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM n) "
            "SELECT hnum, NULL AS blob FROM n"
        )
        content = bytes(connection.serialize())
    connection.close()
    assert len(own({"/var/lib/rpm/rpmdb.sqlite": content}).notes) == 1


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_are_a_header_or_none(noise: bytes, at: int) -> None:
    good = _bash(epoch=[1])
    for blob in (noise, good[:at], good[: at % len(good)] + noise + good[at % len(good) :]):
        try:
            header = read_header(blob)
        except NotAHeader:
            continue
        assert all(isinstance(values, tuple) for values in header.values())


@pytest.mark.parametrize("seed", range(20))
def test_bytes_changed_anywhere_in_a_database_never_raise(own: Own, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # examples, no secrets
    content = bytearray(_database(_bash(), _bash(epoch=[3])))
    for _ in range(30):
        content[dice.randrange(len(content))] = dice.randrange(256)
    owned = own({"/usr/bin/bash": "x", "/var/lib/rpm/rpmdb.sqlite": bytes(content)})
    assert owned.owner("/usr/bin/bash").startswith(("rpm:", "directory:"))
