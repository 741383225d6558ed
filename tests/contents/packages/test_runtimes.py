"""Interpreters that no package brought are found by what they or their headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import elf_of, names

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory

PYTHON = elf_of({".rodata": b"Python\0" + b"3.13.1\0" + b"%.80s (%.80s) %.80s\0"})
NODE = elf_of({".rodata": b"https://example.org/release/v22.12.0/node-v22.12.0-headers.tar.gz\0"})
PLAIN = elf_of({".text": b"nothing to say"})
PATCHLEVEL = '#define PY_MAJOR_VERSION 3\n#define PY_VERSION      \t"3.13.1"\n'
NODE_VERSION = "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 12\n#define NODE_PATCH_VERSION 0\n"


@pytest.mark.parametrize(
    ("files", "expected", "location"),
    [
        ({"/usr/local/bin/python3.13": PYTHON}, ("python", "3.13.1"), "/usr/local/bin/python3.13"),
        (
            {"/usr/local/bin/python3.13": PLAIN, "/usr/local/lib/libpython3.13.so.1.0": PYTHON},
            ("python", "3.13.1"),
            "/usr/local/lib/libpython3.13.so.1.0",
        ),
        (
            {"/opt/bin/python3.13": PLAIN, "/opt/include/python3.13/patchlevel.h": PATCHLEVEL},
            ("python", "3.13.1"),
            "/opt/include/python3.13/patchlevel.h",
        ),
        ({"/usr/local/bin/node": NODE}, ("node", "22.12.0"), "/usr/local/bin/node"),
        (
            {"/usr/local/bin/node": PLAIN, "/usr/local/include/node/node_version.h": NODE_VERSION},
            ("node", "22.12.0"),
            "/usr/local/include/node/node_version.h",
        ),
    ],
)
def test_a_runtime_is_told_by_its_program_its_library_or_its_headers(
    files: dict[str, bytes], expected: tuple[str, str], location: str, taken: TakeInventory
) -> None:
    found = taken(files)
    assert names(found, "runtime") == [expected]
    assert found.packages[0].location == location
    assert not found.unrecognised
    assert found.packages[0].purl == f"pkg:generic/{expected[0]}@{expected[1]}"


def test_a_runtime_is_there_once_however_many_files_tell_of_it(taken: TakeInventory) -> None:
    found = taken(
        {
            "/usr/local/bin/python3.13": PYTHON,
            "/usr/local/lib/libpython3.13.so.1.0": PYTHON,
            "/usr/local/include/python3.13/patchlevel.h": PATCHLEVEL,
            "/usr/local/lib/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so": PLAIN,
        }
    )
    assert names(found, "runtime") == [("python", "3.13.1")]
    assert not found.unrecognised


def test_two_installations_are_two(taken: TakeInventory) -> None:
    found = taken({"/usr/local/bin/python3.13": PYTHON, "/opt/py/bin/python3.13": PYTHON})
    assert [package.location for package in found.packages] == [
        "/opt/py/bin/python3.13",
        "/usr/local/bin/python3.13",
    ]


def test_headers_without_a_program_are_no_runtime(taken: TakeInventory) -> None:
    assert not taken({"/usr/local/include/node/node_version.h": NODE_VERSION}).packages


def test_what_the_distribution_brought_is_its_package(taken: TakeInventory) -> None:
    found = taken(
        {
            "/var/lib/dpkg/status": "Package: python3.13-minimal\nStatus: install ok installed\nVersion: 3.13.1-2\n",
            "/var/lib/dpkg/info/python3.13-minimal.list": "/.\n/usr\n/usr/bin\n/usr/bin/python3.13\n",
            "/usr/bin/python3.13": PYTHON,
        }
    )
    assert [str(package.owner) for package in found.packages] == ["python3.13-minimal 3.13.1-2"]


def test_the_version_may_be_the_end_of_another_text(taken: TakeInventory) -> None:
    merged = elf_of({".rodata": b"/opt/versions/3.11.7\0", ".more": b"23.11.9\0 3.11\0"})
    assert names(taken({"/opt/lib/libpython3.11.so.1.0": merged}), "runtime") == [("python", "3.11.7")]


def test_other_programs_of_that_name_tell_nothing(taken: TakeInventory) -> None:
    found = taken({"/a/bin/node": PLAIN, "/b/bin/python3.13": PLAIN, "/c/bin/python3.13": b"#!/bin/sh\n"})
    assert not found.packages
    assert [each.path for each in found.unrecognised] == ["/a/bin/node", "/b/bin/python3.13"]
