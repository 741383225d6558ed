"""Images made of literals, read as every image is, and programs put together by hand."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING, Protocol

import pytest

from hullmark._anatomy import dissect, wanted
from hullmark._contents.inventory import inventory
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import Image, ImageConfiguration, Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.inventory import Inventory

ADDRESS = 0x400000
"""Where the programs made here are loaded."""


class TakeInventory(Protocol):
    """Layers to an inventory; a layer is a mapping of paths to contents, `None` is a whiteout, `= x` a hard link."""

    def __call__(self, *layers: Mapping[str, str | bytes | None]) -> Inventory: ...


@pytest.fixture(scope="session")
def taken() -> TakeInventory:
    """The inventory of an image with layers made of literals; every file in it can be executed."""

    def take(*layers: Mapping[str, str | bytes | None]) -> Inventory:
        return inventory(dissect(image_of(*layers)))

    return take


def image_of(*layers: Mapping[str, str | bytes | None]) -> Image:
    """The image; the diff IDs of its layers count from 1."""
    return Image(
        reference="example",
        config_digest=Digest.parse(f"sha256:{0:064x}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(),
        layers=tuple(_layer(number, files) for number, files in enumerate(layers, 1)),
    )


def _layer(number: int, files: Mapping[str, str | bytes | None]) -> Layer:
    capture = wanted().capture
    assert capture is not None
    entries, captured = [], {}
    for path, given in files.items():
        if given is None:
            entries.append(Entry(path=path, kind=Kind.WHITEOUT))
        elif isinstance(given, str) and given.startswith("= "):
            entries.append(Entry(path=path, kind=Kind.HARDLINK, link=given.removeprefix("= ")))
        elif isinstance(given, str) and given.startswith("-> "):
            entries.append(Entry(path=path, kind=Kind.SYMLINK, link=given.removeprefix("-> ")))
        else:
            content = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
            entries.append(Entry(path=path, kind=Kind.FILE, size=len(content), mode=0o755))
            if capture.wants(path, len(content), 0o755):
                kept = capture.take(path, memoryview(content))
                if kept is not None:
                    captured[path] = kept
    return Layer(
        diff_id=DiffId.parse(f"sha256:{number:064x}"), table=FileTable.of(entries), captured=captured
    )


def elf_of(
    sections: Mapping[str, bytes],
    *,
    bits: int = 64,
    order: str = "<",
    stripped: bool = False,
    tail: bytes = b"",
) -> bytes:
    """A program with those sections, each at a multiple of 16; `stripped`, without the table that names them.

    All of it is one segment that can be written to, at `ADDRESS`.
    """
    wide = bits == 64
    header, entry, segment = (64, 64, 56) if wide else (52, 40, 32)
    body, places = b"", dict[str, tuple[int, int]]()
    start = header + segment + -(header + segment) % 16
    for name, content in sections.items():
        body += bytes(-len(body) % 16)
        places[name] = start + len(body), len(content)
        body += content
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    strings = start + len(body)
    table = strings + len(names)
    table += -table % 8
    layout = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    rows = [struct.pack(layout, *[0] * 10)]
    position = 1
    for name, (place, size) in places.items():
        rows.append(struct.pack(layout, position, 1, 3, ADDRESS + place, place, size, 0, 0, 16, 0))
        position += len(name) + 1
    rows.append(struct.pack(layout, position, 3, 0, 0, strings, len(names), 0, 0, 1, 0))
    count = 0 if stripped else len(rows)
    head = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    head += struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"),
        *(2, 62 if wide else 3, 1, ADDRESS, header, 0 if stripped else table, 0),
        *(header, segment, 1, entry, count, max(count - 1, 0)),
    )
    whole = table + len(rows) * entry
    if wide:
        head += struct.pack(order + "IIQQQQQQ", 1, 6, 0, ADDRESS, ADDRESS, whole, whole, 4096)
    else:
        head += struct.pack(order + "IIIIIIII", 1, 0, ADDRESS, ADDRESS, whole, whole, 6, 4096)
    made = head + bytes(start - len(head)) + body + names
    return made + bytes(table - len(made)) + b"".join(rows) + tail


def zip_of(files: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of `files`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return target.getvalue()


def names(inventory_: Inventory, kind: str) -> list[tuple[str, str]]:
    """Names and versions of the packages of one kind."""
    return [
        (package.owner.name, package.owner.version)
        for package in inventory_.packages
        if package.owner.kind == kind
    ]
