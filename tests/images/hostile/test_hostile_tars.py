"""Tars made to do harm: one error each, and never more memory than what was read before it."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._images.interface import Limits, Request
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage
from hullmark.model.table import Entry, Kind
from hullmark.testing import layer_tar

if TYPE_CHECKING:
    from hullmark.model.table import FileTable


class Everything:
    """Wants every file."""

    name = "everything-1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        return True

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        return bytes(content)


ALL = Request(capture=Everything(), contents=True)


def walk(archive: bytes, request: Request = ALL, *, piece: int = 1 << 30) -> FileTable:
    state = TarWalk(request, "the layer")
    for start in range(0, len(archive), piece):
        state.feed(archive[start : start + piece])
    return state.finish()[0]


def header(
    name: bytes, *, type_: bytes = b"0", size: bytes = b"00000000000\0", uid: bytes = b"0000000\0"
) -> bytes:
    block = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s247s",
        name,
        b"0000644\0",
        uid,
        b"0000000\0",
        size,
        b"00000000000\0",
        b" " * 8,
        type_,
        b"",
        b"ustar\x0000",
        b"",
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def extended(content: bytes, type_: bytes = b"x") -> bytes:
    return header(b"x", type_=type_, size=b"%011o\0" % len(content)) + content + bytes(-len(content) % 512)


def record(key: str, value: bytes) -> bytes:
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


END = bytes(1024)
WHOLE = layer_tar(
    [
        Entry(path="/dir", kind=Kind.DIRECTORY),
        Entry(path="/file", kind=Kind.FILE, size=700),
        Entry(path="/" + "long" * 60, kind=Kind.FILE, size=10),
        Entry(path="/link", kind=Kind.SYMLINK, link="file"),
        Entry(path="/caps", kind=Kind.FILE, size=1, xattrs=(("security.capability", b"\xff"),)),
    ]
)
LENGTH = len(WHOLE.rstrip(b"\0"))


def test_an_archive_that_ends_too_early_is_damage_wherever_it_ends() -> None:
    boundaries = []
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as archive:
        for member in archive:
            boundaries += [member.offset, member.offset_data, member.offset_data + member.size]
    for place in {*boundaries, *range(0, LENGTH, 37)}:
        for end in (place - 1, place, place + 1):
            if not 0 < end < LENGTH:
                continue
            # Between two entries nothing is amiss but the digest.
            with contextlib.suppress(DamagedImage):
                assert len(walk(WHOLE[:end])) < 5


@pytest.mark.parametrize(
    "archive",
    [
        header(b"f", size=b"77777777777\0")[:512],
        header(b"f", size=b"\x80" + b"\x7f" * 11) + END,
        header(b"f", size=b"\x80\0\0\0" + b"\xff" * 8) + END,
        header(b"f", size=b"\xff" * 12) + END,
        header(b"f", size=b"-0000000001\0") + END,
        header(b"f", size=b"0000000008x\0") + END,
        header(b"f", size=b"\x81" + bytes(11)) + END,
        header(b"f", uid=b"\x80\1\1\1\1\1\1\1") + END,
        header(b"f", uid=b"\xff" * 8) + END,
        extended(record("size", b"-1")) + header(b"f") + END,
        extended(record("size", b"1e99")) + header(b"f") + END,
        extended(record("size", b"9" * 30)) + header(b"f") + END,
        extended(record("size", b"9" * 5000)) + header(b"f") + END,
        extended(record("mtime", b"9" * 29)) + header(b"f") + END,
        extended(record("uid", b"99999999999")) + header(b"f") + END,
        extended(record("path", b"a\0b")) + header(b"f") + END,
        extended(record("path", b"a/" * 3000)) + header(b"f") + END,
        extended(b"n" * 5000, b"L") + header(b"f") + END,
        extended(b"99 path=short\n") + header(b"f") + END,
        extended(b"5 a=b") + header(b"f") + END,
        extended(b"0 a=b\n") + header(b"f") + END,
        extended(b"-5 a=b\n") + header(b"f") + END,
        extended(b"9999999999999999999 a=b\n") + header(b"f") + END,
        extended(b"no records") + header(b"f") + END,
        extended(record("path", b"a")) + END,
        extended(record("path", b"a")),
        header(b"x", type_=b"x", size=b"00777777777\0") + END,
        header(b"x", type_=b"L", size=b"00777777777\0") + END,
        header(b"x", type_=b"x", size=b"\xff" * 12) + END,
        header(b".wh.") + END,
        header(b"f")[:100] + b"X" + header(b"f")[101:] + END,
        header(b"f")[:148] + b"        " + header(b"f")[156:] + END,
        b"\x7fELF" + bytes(600),
        b"{" * 512,
        bytes(512) + header(b"f"),
        header(b"f")[:511],
        extended(record("GNU.sparse.size", b"-5")) + header(b"f") + END,
        extended(record("GNU.sparse.size", b"9" * 25)) + header(b"f") + END,
        extended(record("GNU.sparse.map", b"1,2,3") + record("GNU.sparse.size", b"9")) + header(b"f") + END,
        extended(record("GNU.sparse.map", b"5,9") + record("GNU.sparse.size", b"9")) + header(b"f") + END,
        extended(record("GNU.sparse.map", b"5,1,0,1") + record("GNU.sparse.size", b"9")) + header(b"f") + END,
        extended(record("GNU.sparse.map", b"0,5") + record("GNU.sparse.size", b"9")) + header(b"f") + END,
        extended(record("GNU.sparse.map", b"0,5")) + header(b"f") + END,
        extended(record("GNU.sparse.numbytes", b"5")) + header(b"f") + END,
        extended(record("GNU.sparse.major", b"1")) + header(b"f") + END,
        extended(record("GNU.sparse.major", b"1") + record("GNU.sparse.realsize", b"9"))
        + header(b"f", size=b"00000001000\0")
        + b"999999999\n".ljust(512, b"\0")
        + END,
        extended(record("GNU.sparse.major", b"1") + record("GNU.sparse.realsize", b"9"))
        + header(b"f", size=b"00000001000\0")
        + b"x\n".ljust(512, b"\0")
        + END,
        extended(record("GNU.sparse.size", b"%d" % (1 << 39))) + header(b"f") + END,
    ],
)
def test_what_no_archive_says_is_damage(archive: bytes) -> None:
    for piece in (1 << 20, 100):
        with pytest.raises(DamagedImage, match=r"^the layer"):
            walk(archive, piece=piece)


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "..",
        "/../evil",
        "a/../../evil",
        "./../evil",
        "../.wh.evil",
        "n/" * 60 + "../" * 61,
    ],
)
@pytest.mark.parametrize("how", ["name", "hard link", "long name", "record"])
def test_a_name_that_leads_out_of_the_root_is_refused(name: str, how: str) -> None:
    raw = name.encode()
    match how:
        case "name" if len(raw) <= 100:
            archive = header(raw)
        case "hard link":
            archive = extended(record("linkpath", raw)) + header(b"f", type_=b"1")
        case "record":
            archive = extended(record("path", raw)) + header(b"f")
        case _:
            archive = extended(raw + b"\0", b"L") + header(b"f")
    with pytest.raises(DamagedImage, match="leads out of its root") as caught:
        walk(header(b"before") + archive + END)
    assert caught.value.exit_code == 3
    assert caught.value.message.startswith("the layer holds ")
    assert name[:20] in caught.value.message


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/../b", "/b"),
        ("./a/./../b/", "/b"),
        ("/etc/passwd", "/etc/passwd"),
        ("//etc/passwd", "/etc/passwd"),
        ("..a/...", "/..a/..."),
        ("a/b/../../c", "/c"),
    ],
)
def test_a_name_that_stays_below_the_root_is_read_as_engines_read_it(name: str, path: str) -> None:
    links = header(b"hard", type_=b"1"), header(b"soft", type_=b"2")
    hard, soft = (extended(record("linkpath", value)) for value in (name.encode(), b"../../out"))
    table = walk(header(name.encode()) + hard + links[0] + soft + links[1] + END)
    assert list(table.paths) == [path, "/hard", "/soft"]
    # A symbolic link may say anything: it is followed below the root of the image only.
    assert table.links == {1: path, 2: "../../out"}


def test_what_would_grow_without_end_is_refused() -> None:
    small = Limits(entries=10, header=2000, names=3000, captured=1000, unpacked=1 << 20)
    request = Request(capture=Everything(), contents=True, limits=small)
    for archive, message in (
        (b"".join(header(b"%d" % n) for n in range(11)), "more than 10 entries"),
        (b"".join(header(b"./.%d/../x" % n) for n in range(11)), "more than 10 entries"),
        (extended(record("comment", b"c" * 2000)), "extended headers of"),
        (extended(record("comment", b"c" * 900)) * 3, "extended headers of"),
        ((extended(record("path", b"p" * 900)) + header(b"f")) * 4, "long names and attributes"),
        (header(b"f", size=b"00000001751\0") + bytes(1024), "of such files at most 1000 are read"),
        (_files(3, 500), "would have to be kept"),
        (header(b"f", size=b"%011o\0" % (1 << 21)), "says that it has 2097152 bytes"),
    ):
        with pytest.raises(DamagedImage, match=message):
            walk(archive, request)


def _files(count: int, size: int) -> bytes:
    return b"".join(
        header(b"%d" % number, size=b"%011o\0" % size) + bytes(size) + bytes(-size % 512)
        for number in range(count)
    )


def test_holes_are_not_filled_for_ever() -> None:
    hole = extended(record("GNU.sparse.size", b"%d" % (1 << 26))) + header(b"f")
    request = Request(contents=True, limits=Limits(free=1 << 27, ratio=1))
    with pytest.raises(DamagedImage, match="its sparse files grow"):
        walk(hole * 100 + END, request)
    tracemalloc.start()
    try:
        assert walk(hole + END, request).sizes[0] == 1 << 26
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


@settings(max_examples=300)
@given(st.data())
def test_headers_with_any_byte_changed_are_a_table_or_damage(data: st.DataObject) -> None:
    changed = bytearray(WHOLE[:LENGTH])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, LENGTH - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        changed = _summed(changed)
    with contextlib.suppress(DamagedImage):
        walk(bytes(changed), piece=data.draw(st.integers(1, 2000)))


def _summed(archive: bytearray) -> bytearray:
    """The archive with every block's checksum right, as if it were a header."""
    for start in range(0, len(archive) - 511, 512):
        block = archive[start : start + 512]
        if block[257:262] == b"ustar":
            total = sum(block[:148]) + 256 + sum(block[156:])
            archive[start + 148 : start + 156] = b"%06o\0 " % total
    return archive


fields = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\xff" * 12, b"\x80" + bytes(11), b"77777777777\0", b"-1", b"1_0", b" 1 ", b""]),
)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.binary(max_size=100),
            st.binary(min_size=1, max_size=1),
            fields,
            fields,
            st.binary(max_size=600),
        ),
        max_size=5,
    ),
    st.integers(1, 1200),
)
def test_headers_of_any_fields_are_a_table_or_damage(
    headers: list[tuple[bytes, bytes, bytes, bytes, bytes]], piece: int
) -> None:
    archive = b"".join(
        header(name, type_=type_, size=size, uid=uid[:8]) + content
        for name, type_, size, uid, content in headers
    )
    with contextlib.suppress(DamagedImage):
        table = walk(archive, piece=piece)
        assert all(path.startswith("/") and "\0" not in path for path in table.paths)
        assert all(size >= 0 for size in table.sizes)


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.builds(
                record,
                st.sampled_from(
                    ["path", "size", "mtime", "uid", "linkpath", "GNU.sparse.size", "GNU.sparse.map"]
                ),
                st.binary(max_size=30).filter(lambda value: b"\n" not in value),
            ),
            st.binary(max_size=30),
        ),
        max_size=4,
    )
)
def test_extended_headers_of_any_records_are_a_table_or_damage(records: list[bytes]) -> None:
    with contextlib.suppress(DamagedImage):
        walk(extended(b"".join(records)) + header(b"f") + END)


MILLION = """
import struct
from hullmark._images.interface import Request
from hullmark._images.tar import TarWalk

block = struct.pack("100s8s8s8s12s12s8s1s100s8s247s", b"", b"0000644\\0", b"0000000\\0", b"0000000\\0",
    b"00000000001\\0", b"14371234567\\0", b" " * 8, b"0", b"", b"ustar\\x0000", b"")
base = sum(block)
walk = TarWalk(Request(), "the layer")
count = 0
for directory in range(1000):
    piece = bytearray()
    for number in range(1000):
        name = b"usr/share/many/%03d/tiny-%03d" % (directory, number)
        piece += name.ljust(148, b"\\0")[:100] + block[100:148] + b"%06o\\0 " % (base + sum(name)) + block[156:]
        piece += b"x".ljust(512, b"\\0")
    walk.feed(piece)
    count += 1000
table, _ = walk.finish()
assert len(table) == count == 1_000_000, len(table)
assert table.unpacked == 1_000_000
# Not `getrusage`, whose maximum a program inherits from whoever started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
"""


def test_a_million_tiny_files_take_no_more_memory_than_their_names() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MILLION], capture_output=True, text=True, check=True, timeout=300
    )
    assert int(done.stdout) < 320_000, "kibibytes"
