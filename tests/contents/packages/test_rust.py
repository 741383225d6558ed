"""Crates are read from programs of Rust that were built to be audited."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.contents.packages.conftest import elf_of, names

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory

CRATES = [
    {"name": "app", "version": "0.1.0", "source": "local", "dependencies": [1, 2], "root": True},
    {"name": "serde", "version": "1.0.190", "source": "crates.io"},
    {"name": "cc", "version": "1.0.83", "source": "crates.io", "kind": "build"},
]


def program(packages: Any) -> bytes:
    """A program with those crates."""
    return elf_of({".dep-v0": zlib.compress(json.dumps({"packages": packages}).encode())})


def test_crates_are_those_that_are_in_the_program(taken: TakeInventory) -> None:
    found = taken({"/usr/local/bin/app": program(CRATES)})
    assert names(found, "rust") == [("app", "0.1.0"), ("serde", "1.0.190")]
    assert [package.declared for package in found.packages] == [True, False]
    assert [package.purl for package in found.packages] == ["pkg:cargo/app@0.1.0", "pkg:cargo/serde@1.0.190"]
    assert not found.unrecognised


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (b"no zlib", "its list of crates is damaged"),
        (zlib.compress(b"{}"), "its list of crates cannot be read"),
        (zlib.compress(b'{"packages": [{"name": 1, "version": "1"}]}'), "its list of crates cannot be read"),
        (zlib.compress(b"[" * 100_000), "its list of crates cannot be read"),
        (zlib.compress(json.dumps({"packages": CRATES}).encode())[:-3], "is damaged or longer than any is"),
        (zlib.compress(b" " * (1 << 27)), "is damaged or longer than any is"),
    ],
)
def test_a_list_that_cannot_be_read_is_said_to_be_there(
    section: bytes, reason: str, taken: TakeInventory
) -> None:
    found = taken({"/app": elf_of({".dep-v0": section})})
    assert not found.packages
    [missed] = found.unrecognised
    assert missed.path == "/app"
    assert reason in missed.reason
