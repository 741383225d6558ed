"""Modules of Go are read from programs as every version of the compiler has written them."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import ADDRESS, elf_of, names

from hullmark._contents.elf import read

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory

MAGIC = b"\xff Go buildinf:"
FRAME = bytes(range(16))
MODULES = (
    "path\texample.com/app/cmd/serve\n"
    "mod\texample.com/app\tv1.4.0\th1:abc=\n"
    "dep\tgithub.com/BurntSushi/toml\tv1.3.2\th1:def=\n"
    "dep\tgolang.org/x/net\tv0.17.0\n"
    "=>\tgithub.com/fork/net\tv0.17.1\th1:ghi=\n"
    "dep\texample.com/beside\tv0.0.0-20240101000000-abcdefabcdef\n"
    "=>\t../beside\t\n"
    "build\t-compiler=gc\n"
)


def varint(number: int) -> bytes:
    """As Go writes a length."""
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def inline(version: str, modules: str) -> bytes:
    """The section since Go 1.18."""
    framed = FRAME + modules.encode() + FRAME
    head = MAGIC + bytes([0, 2]) + bytes(16)
    return head + varint(len(version)) + version.encode() + varint(len(framed)) + framed


def pointed(version: str, modules: str, *, bits: int, order: str) -> bytes:
    """A program as before Go 1.18: the header has the addresses of two strings of Go."""
    size, letter = bits // 8, "Q" if bits == 64 else "I"
    start = 128 if bits == 64 else 96
    framed = FRAME + modules.encode() + FRAME
    strings = start + 32
    texts = strings + 4 * size
    texts += -texts % 16
    body = MAGIC + bytes([size, order == ">"])
    body += struct.pack(order + 2 * letter, ADDRESS + strings, ADDRESS + strings + 2 * size)
    body += bytes(32 - len(body))
    body += struct.pack(
        order + 4 * letter,
        *(ADDRESS + texts, len(version), ADDRESS + texts + len(version), len(framed)),
    )
    body += bytes(texts - start - len(body)) + version.encode() + framed
    return elf_of({".go.buildinfo": body}, bits=bits, order=order)


def test_modules_stand_inline_since_1_18(taken: TakeInventory) -> None:
    found = taken({"/app/serve": elf_of({".go.buildinfo": inline("go1.22.3", MODULES)})})
    assert names(found, "go") == [
        ("example.com/app", "v1.4.0"),
        ("example.com/beside", ""),
        ("github.com/BurntSushi/toml", "v1.3.2"),
        ("github.com/fork/net", "v0.17.1"),
        ("stdlib", "1.22.3"),
    ]
    assert not found.unrecognised
    assert [package.owner.name for package in found.packages if package.declared] == ["example.com/app"]
    assert {package.location for package in found.packages} == {"/app/serve"}
    assert "pkg:golang/github.com/BurntSushi/toml@v1.3.2" in [package.purl for package in found.packages]


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("order", ["<", ">"])
def test_modules_were_pointed_to_before(bits: int, order: str) -> None:
    program = read(pointed("go1.17.13", MODULES, bits=bits, order=order))
    assert program is not None
    assert program.go == "go1.17.13"
    assert program.modules == MODULES


def test_a_program_without_a_table_of_sections_is_searched() -> None:
    program = read(elf_of({"": b"something else", "x": inline("go1.24.0", MODULES)}, stripped=True))
    assert program is not None
    assert (program.go, program.modules) == ("go1.24.0", MODULES)


@pytest.mark.parametrize(
    ("flags", "version"),
    [
        ("-X main.version=2.3.4 -s", "v2.3.4"),
        ("\"-X 'example.com/app/internal.Version=v2.3.4'\"", "v2.3.4"),
        ("-X github.com/other/lib.Version=9.9.9", ""),
        ("-X main.version=2.3.4 -X main.apiVersion=1.0", ""),
        ("-X main.commit=1234.5678", ""),
        ("-s -w", ""),
    ],
)
def test_a_version_in_the_making_is_what_the_linker_was_told(
    flags: str, version: str, taken: TakeInventory
) -> None:
    text = f"path\texample.com/app\nmod\texample.com/app\t(devel)\t\nbuild\t-ldflags={flags}\n"
    found = taken({"/app": elf_of({".go.buildinfo": inline("go1.22.3", text)})})
    assert names(found, "go") == [("example.com/app", version), ("stdlib", "1.22.3")]


@pytest.mark.parametrize(
    ("go", "version"),
    [
        ("go1.23rc1", "1.23rc1"),
        ("go1.22.1 X:boringcrypto", "1.22.1"),
        ("go1.21.4-custom", "1.21.4"),
        ("devel go1.25-abcdef", ""),
        ("go1.22.3.4", ""),
    ],
)
def test_the_standard_library_has_the_version_of_the_compiler(
    go: str, version: str, taken: TakeInventory
) -> None:
    found = taken({"/app": elf_of({".go.buildinfo": inline(go, MODULES)})})
    assert ("stdlib", version) in names(found, "go")


def test_a_program_that_lists_no_modules_is_said_to_be_one(taken: TakeInventory) -> None:
    found = taken({"/app": elf_of({".go.buildinfo": inline("go1.19.8", "path\texample.com/app\n")})})
    assert names(found, "go") == [("stdlib", "1.19.8")]
    assert [(each.path, each.reason) for each in found.unrecognised] == [
        ("/app", "a program of Go that does not list its modules")
    ]


@pytest.mark.parametrize(
    "section",
    [
        MAGIC,
        MAGIC + bytes([0, 2]) + bytes(16),
        MAGIC + bytes([0, 2]) + bytes(16) + b"\xff" * 20,
        MAGIC + bytes([0, 2]) + bytes(16) + varint(1 << 40) + b"go1.22",
        MAGIC + bytes([3, 0]) + bytes(16),
        MAGIC + bytes([8, 0]) + b"\xff" * 16,
        MAGIC + bytes([8, 0]) + struct.pack("<QQ", ADDRESS, ADDRESS) + b"\xff" * 64,
        b"x" * 8 + MAGIC + bytes(64),
        b"",
    ],
)
def test_a_damaged_section_tells_nothing(section: bytes) -> None:
    program = read(elf_of({".go.buildinfo": section}))
    assert program is not None
    assert program.modules == ""


def test_a_list_that_is_longer_than_any_is_not_kept() -> None:
    program = read(elf_of({".go.buildinfo": inline("go1.22.3", "dep\ta\tv1\n" * 120_000)}))
    assert program is not None
    assert (program.go, program.modules) == ("go1.22.3", "")


def test_names_that_are_no_paths_are_left_out(taken: TakeInventory) -> None:
    text = "mod\texample.com/a b\tv1\ndep\t\x1b[31m\tv1\ndep\tgood.example/x\tv1\n=>\t/\t\n"
    found = taken({"/app": elf_of({".go.buildinfo": inline("go1.22.3", text)})})
    assert names(found, "go") == [("good.example/x", "v1"), ("stdlib", "1.22.3")]


def test_a_real_program_tells_of_its_compiler() -> None:
    docker = shutil.which("docker")
    assert docker is not None, "the tests need the client of Docker, which is a program of Go"
    program = read(Path(docker).resolve().read_bytes())
    assert program is not None
    assert program.go.startswith("go1.")
    assert "path\t" in program.modules
