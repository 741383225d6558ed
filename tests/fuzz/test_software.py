"""Programs, archives and documents that nobody made: whatever is fed, something is found or one error says what is wrong."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contents.packages.conftest import elf_of, image_of, zip_of
from tests.contents.packages.test_go import MODULES, inline, pointed

from hullmark._anatomy import dissect
from hullmark._contents.distribution import read as read_release
from hullmark._contents.inventory import inventory
from hullmark._sbom.read import read as read_document
from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

CRATES = {"packages": [{"name": "it", "version": "1", "source": "crates.io"}]}
POM = {"META-INF/maven/a.b/it/pom.properties": "groupId=a.b\nartifactId=it\nversion=1\n"}
PYTHON = elf_of({".rodata": b"\0003.13.1\0"})


def of_image(path: str) -> Callable[[bytes], None]:
    """Reads bytes as the file at `path` of an image."""

    def read(data: bytes) -> None:
        found = inventory(dissect(image_of({path: data})))
        assert len(found.packages) + len(found.unrecognised) < 10_000
        json.dumps([package.purl for package in found.packages]).encode()

    return read


def document(data: bytes) -> None:
    """Reads bytes as a list of software."""
    with contextlib.suppress(ConfigurationError):
        read_document(data, "it")


def release(data: bytes) -> None:
    """Reads bytes as an `os-release`."""
    found = read_release(data.decode("utf-8", "replace"))
    assert found is None or found.id


def _bom() -> bytes:
    component = {
        "type": "library",
        "name": "it",
        "version": "1",
        "purl": "pkg:deb/debian/it@1?distro=debian-12&epoch=1&upstream=a%402",
        "properties": [
            {"name": "hullmark:origin", "value": "base"},
            {"name": "hullmark:part-of", "value": "npm:a@1"},
        ],
        "evidence": {"occurrences": [{"location": "/x"}]},
    }
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}).encode()


def _spdx() -> bytes:
    reference = {"referenceType": "purl", "referenceLocator": "pkg:npm/it@1"}
    package = {"name": "it", "externalRefs": [reference], "annotations": [{"comment": "hullmark:kind=npm"}]}
    return json.dumps({"spdxVersion": "SPDX-2.3", "packages": [package]}).encode()


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "program": (
        of_image("/usr/bin/python3.13"),
        [
            elf_of({".go.buildinfo": inline("go1.22.3", MODULES)}),
            pointed("go1.17.13", MODULES, bits=64, order="<"),
            pointed("go1.17.13", MODULES, bits=32, order=">"),
            elf_of({".dep-v0": zlib.compress(json.dumps(CRATES).encode())}),
            elf_of({"x": inline("go1.22.3", MODULES)}, stripped=True),
            PYTHON,
        ],
    ),
    "archive": (of_image("/a/it.jar"), [zip_of(POM), zip_of({"lib/b-1.jar": zip_of(POM)}, 0)]),
    "header": (of_image("/usr/include/node/node_version.h"), [b"#define NODE_MAJOR_VERSION 1\n"]),
    "document": (document, [_bom(), _spdx()]),
    "release": (release, [b'ID=debian\nID_LIKE="a b"\nVERSION="12 (bookworm)"\n']),
}


@st.composite
def mutated(draw: Callable[[st.SearchStrategy[Any]], Any], seeds: list[bytes]) -> bytes:
    """One of `seeds` with some bytes or numbers changed, left out or put in."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content)))
        match draw(st.integers(0, 3)):
            case 0:
                content[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del content[place : place + draw(st.integers(1, 100))]
            case 2:
                content[place : place + 4] = struct.pack(
                    "<I", draw(st.sampled_from([0, 1, 1 << 31, (1 << 32) - 1]))
                )
            case _:
                content[place:place] = bytes(draw(st.integers(1, 100)))
    return bytes(content)


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_that_nobody_chose_are_read_or_refused(name: str) -> None:
    target, seeds = TARGETS[name]

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(mutated(seeds), st.binary(max_size=600)))
    def run(data: bytes) -> None:
        target(data)

    for seed in seeds:
        target(seed)
    run()


@pytest.mark.parametrize(("name", "path"), [("program", "/usr/bin/it"), ("archive", "/a/it.jar")])
def test_what_bytes_are_changed_of_holds_software(name: str, path: str) -> None:
    for seed in TARGETS[name][1]:
        if seed is not PYTHON:
            assert inventory(dissect(image_of({path: seed}))).packages
