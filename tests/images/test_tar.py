"""A table holds what tarfile reads from the same archive, whatever the format and the pieces it comes in."""

from __future__ import annotations

import io
import struct
import tarfile
from posixpath import normpath
from typing import TYPE_CHECKING, Any

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.interface import Request
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage
from hullmark.model.table import Entry, Kind
from hullmark.testing import layer_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark.model.table import FileTable

KINDS = {
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.CHRTYPE: Kind.CHARACTER_DEVICE,
    tarfile.BLKTYPE: Kind.BLOCK_DEVICE,
    tarfile.FIFOTYPE: Kind.FIFO,
}


class Keep:
    """Keeps all that it is told to."""

    name = "keep-1"

    def __init__(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        self.wanted = wanted

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        return self.wanted(path)

    def take(self, path: str, content: memoryview) -> bytes | None:  # noqa: ARG002  # the protocol's
        return bytes(content)


def walk(
    archive: bytes, *, piece: int = 1 << 30, request: Request | None = None
) -> tuple[FileTable, Mapping[str, bytes]]:
    """What comes of `archive` in pieces of that size."""
    state = TarWalk(request or Request(), "the layer")
    for start in range(0, len(archive), piece):
        state.feed(archive[start : start + piece])
    return state.finish()


def by_tarfile(archive: bytes) -> list[Entry]:
    """The entries that Python's own reader finds."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as members:
        for member in members:
            kind = KINDS.get(member.type, Kind.FILE)
            link = ""
            if kind is Kind.SYMLINK:
                link = member.linkname
            elif kind is Kind.HARDLINK:
                link = normpath(f"/{member.linkname.lstrip('/')}")
            found.append(
                Entry(
                    path=normpath(f"/{member.name.lstrip('/')}"),
                    kind=kind,
                    size=member.size if kind is Kind.FILE else 0,
                    mode=member.mode & 0o7777,
                    uid=member.uid,
                    gid=member.gid,
                    mtime=int(member.mtime),
                    link=link,
                )
            )
    return found


names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/", exclude_categories=["Cs"]),
    min_size=1,
    max_size=40,
).filter(lambda name: not name.startswith(".wh.") and name.isprintable() and name.strip() == name)
targets = st.lists(
    st.one_of(names, st.sampled_from([".", "..", "usr", "a" * 60])), min_size=1, max_size=6
).map("/".join)
paths = targets.filter(lambda path: normpath(path).partition("/")[0] != "..")
"""Names that stay below the root; others are refused."""


@st.composite
def members(draw: Any) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(draw(st.sampled_from(["", "./", "/"])) + draw(paths))
    member.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.CONTTYPE, *KINDS]))
    member.mode = draw(st.integers(0, 0o7777))
    member.uid = draw(st.sampled_from([0, 1000, 0o7777777]))
    member.gid = draw(st.sampled_from([0, 1000, 0o7777777]))
    member.mtime = draw(st.integers(0, 0o77777777777))
    content = b""
    if member.type in {tarfile.SYMTYPE, tarfile.LNKTYPE}:
        member.linkname = draw(paths if member.type == tarfile.LNKTYPE else targets)
    elif member.type in {tarfile.REGTYPE, tarfile.CONTTYPE}:
        content = draw(st.binary(max_size=2000))
    member.size = len(content)
    return member, content


@given(
    st.lists(members(), max_size=8),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(1, 3000),
)
def test_the_table_is_what_tarfile_reads(
    written: list[tuple[tarfile.TarInfo, bytes]], tar_format: int, piece: int
) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tar_format) as archive:
        for member, content in written:
            archive.addfile(member, io.BytesIO(content))
    whole = target.getvalue()
    table, captured = walk(whole, piece=piece, request=Request(capture=Keep(), contents=True))
    assert list(table) == by_tarfile(whole)
    contents = {entry.path: b"" for entry in table}
    for row, (_, content) in enumerate(written):
        contents[table.paths[row]] = content
        if table.kinds[row] == Kind.FILE:
            assert table.digest(row) == xxhash.xxh3_128_digest(content)
        else:
            assert table.digest(row) is None
            contents.pop(table.paths[row])
    assert captured == {path: content for path, content in contents.items() if path in captured}
    assert captured.keys() == contents.keys()


@given(st.lists(members(), max_size=6), st.integers(1, 1500), st.integers(1, 1500))
def test_pieces_of_any_size_make_the_same_table(
    written: list[tuple[tarfile.TarInfo, bytes]], one: int, other: int
) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for member, content in written:
            archive.addfile(member, io.BytesIO(content))
    whole = target.getvalue()
    request = Request(contents=True)
    assert list(walk(whole, piece=one, request=request)[0]) == list(
        walk(whole, piece=other, request=request)[0]
    )
    assert walk(whole, piece=one, request=request)[0].digests == walk(whole, request=request)[0].digests


EVERYTHING = [
    Entry(path="/", kind=Kind.DIRECTORY, mode=0o755),
    Entry(path="/bin", kind=Kind.SYMLINK, mode=0o777, link="usr/bin"),
    Entry(path="/" + "deep/" * 40 + "file", kind=Kind.FILE, size=3, mode=0o644, mtime=1_700_000_000),
    Entry(path="/" + "n" * 300, kind=Kind.FILE, size=1, uid=4_000_000_000, gid=3_000_000_000),
    Entry(path="/hard", kind=Kind.HARDLINK, link="/" + "n" * 300),
    Entry(path="/dev/null", kind=Kind.CHARACTER_DEVICE, mode=0o666),
    Entry(path="/dev/sda", kind=Kind.BLOCK_DEVICE),
    Entry(path="/run/pipe", kind=Kind.FIFO),
    Entry(path="/etc/gone", kind=Kind.WHITEOUT),
    Entry(path="/var/lib", kind=Kind.OPAQUE),
    Entry(path="/", kind=Kind.OPAQUE),
    Entry(
        path="/usr/bin/ping", kind=Kind.FILE, mode=0o4755, xattrs=(("security.capability", b"\1\0\0\2\xff"),)
    ),
    Entry(path="/not-\udcff-utf8", kind=Kind.FILE, size=0),
    Entry(path="/root/.bashrc", kind=Kind.FILE, size=5),
    Entry(path="/twice", kind=Kind.FILE, size=5),
    Entry(path="/twice", kind=Kind.FILE, size=6),
]


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("piece", [1, 511, 512, 513, 4096, 1 << 20])
def test_every_kind_of_entry_comes_back_as_it_was_written(tar_format: int, piece: int) -> None:
    entries = EVERYTHING
    if tar_format == tarfile.GNU_FORMAT:
        entries = [Entry(**{f: getattr(e, f) for f in Entry.__slots__} | {"xattrs": ()}) for e in EVERYTHING]
    table, _ = walk(layer_tar(entries, tar_format=tar_format), piece=piece)
    assert list(table) == entries


def header(name: bytes = b"file", **fields: Any) -> bytes:
    """A header made by hand."""
    given_ = {
        "mode": b"0000644\0",
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "size": b"00000000000\0",
        "mtime": b"00000000000\0",
        "type": b"0",
        "link": b"",
        "magic": b"ustar\x0000",
        "prefix": b"",
        "rest": b"",
    } | fields
    block = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s80s155s12s",
        name,
        *(given_[key] for key in ("mode", "uid", "gid", "size", "mtime")),
        b" " * 8,
        *(given_[key] for key in ("type", "link", "magic")),
        b"",
        given_["prefix"],
        given_["rest"],
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


END = bytes(1024)


def only(archive: bytes, **options: Any) -> Entry:
    """The only entry."""
    (entry,) = walk(archive, **options)[0]
    return entry


def test_a_header_of_the_first_tar_needs_no_magic_and_tells_directories_by_their_name() -> None:
    assert only(header(b"dir/", type=b"\0", magic=b"") + END).kind is Kind.DIRECTORY
    assert only(header(b"file", type=b"\0", magic=b"") + END).kind is Kind.FILE


def test_the_prefix_counts_only_where_posix_put_it() -> None:
    assert only(header(prefix=b"usr/lib") + END).path == "/usr/lib/file"
    assert only(header(prefix=b"12345670123", magic=b"ustar  \0") + END).path == "/file"
    star = header(prefix=b"usr".ljust(131, b"\0") + b"00000000000\0", rest=bytes(8) + b"tar\0")
    assert only(star + END).path == "/usr/file"


def test_numbers_may_be_binary_spaced_or_missing() -> None:
    entry = only(
        header(
            uid=b"\x80\0\0\0" + (3_000_000_000).to_bytes(4, "big"),
            gid=b"      7 ",
            mtime=b"\xff" * 12,
            mode=b"",
            size=b"\x80" + bytes(11),
        )
        + END
    )
    assert (entry.uid, entry.gid, entry.mtime, entry.mode, entry.size) == (3_000_000_000, 7, -1, 0, 0)


def test_a_size_of_twelve_digits_has_no_end() -> None:
    archive = header(size=b"000000000003") + b"abc".ljust(512, b"\0") + END
    assert only(archive, request=Request(capture=Keep())).size == 3


def test_checksums_of_signed_bytes_are_known() -> None:
    block = header(b"\xe9t\xe9")
    summed = block[:148] + b" " * 8 + block[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in summed)
    assert only(block[:148] + b"%06o\0 " % signed + block[156:] + END).path == "/\udce9t\udce9"


def test_types_that_nobody_knows_are_files() -> None:
    archive = header(type=b"Z", size=b"00000000004\0") + b"abcd".ljust(512, b"\0") + header(b"next") + END
    table, _ = walk(archive)
    assert [(entry.path, entry.kind, entry.size) for entry in table] == [
        ("/file", Kind.FILE, 4),
        ("/next", Kind.FILE, 0),
    ]


def test_directories_and_links_have_no_content_whatever_they_say() -> None:
    archive = b"".join(header(b"%c" % t, type=b"%c" % t, size=b"00000001000\0") for t in b"123456") + END
    assert [entry.size for entry in walk(archive)[0]] == [0] * 6


def pax(records: dict[str, bytes], type_: bytes = b"x") -> bytes:
    """An extended header."""
    content = b""
    for key, value in records.items():
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest) + 1
        while len(b"%d" % length) + len(rest) != length:
            length += 1
        content += b"%d" % length + rest
    padded = content + bytes(-len(content) % 512)
    return header(b"pax", type=type_, size=b"%011o\0" % len(content)) + padded


def test_extended_headers_say_more_than_headers() -> None:
    records = {
        "path": b"n",
        "size": b"3",
        "uid": b"70000",
        "gid": b"80000",
        "mtime": b"-1.5",
        "linkpath": b"l",
    }
    table, captured = walk(
        pax(records) + header() + b"abc".ljust(512, b"\0") + END, request=Request(capture=Keep())
    )
    assert list(table) == [
        Entry(path="/n", kind=Kind.FILE, size=3, mode=0o644, uid=70000, gid=80000, mtime=-2)
    ]
    assert captured == {"/n": b"abc"}


def test_global_headers_count_for_all_that_follow_until_taken_back() -> None:
    archive = pax({"comment": b"a commit", "uid": b"7"}, b"g") + header(b"a") + header(b"b")
    archive += pax({"uid": b""}) + header(b"c") + pax({"uid": b"8"}, b"g") + header(b"d") + END
    assert [entry.uid for entry in walk(archive)[0]] == [7, 7, 0, 8]
    assert list(walk(pax({"comment": b"no more"}, b"g") + END)[0]) == []


def gnu(type_: bytes, text: bytes) -> bytes:
    """GNU's header for a long name."""
    content = text + b"\0"
    return (
        header(b"././@LongLink", type=type_, size=b"%011o\0" % len(content))
        + content
        + bytes(-len(content) % 512)
    )


def test_long_names_and_links_of_gnu_belong_to_what_comes_next() -> None:
    archive = gnu(b"K", b"l" * 400) + gnu(b"L", b"n" * 300) + header(b"n" * 100, type=b"2", link=b"l" * 100)
    table, _ = walk(archive + header(b"next", type=b"2", link=b"short") + END)
    assert [(entry.path, entry.link) for entry in table] == [("/" + "n" * 300, "l" * 400), ("/next", "short")]


DATA = [b"first".ljust(512, b"1"), b"second".ljust(512, b"2")]
SPARSE = b"\0" * 1024 + DATA[0] + b"\0" * 2048 + DATA[1] + b"\0" * 904
"""5000 bytes with two pieces of content and three holes."""
MAP = [(1024, 512), (3584, 512)]


def sparse_archives() -> dict[str, bytes]:
    """The same sparse file in every format."""
    body = b"".join(DATA)
    size = b"%011o\0" % len(body)
    flat = b",".join(b"%d,%d" % pair for pair in MAP)
    repeated = b""
    for offset, count in MAP:
        for key, value in (("offset", offset), ("numbytes", count)):
            repeated += pax({f"GNU.sparse.{key}": b"%d" % value})[512:].rstrip(b"\0")
    first = pax({"GNU.sparse.size": b"5000", "GNU.sparse.numblocks": b"2"})[512:].rstrip(b"\0") + repeated
    lines = b"2\n" + b"".join(b"%d\n%d\n" % pair for pair in MAP)
    old = b"".join(b"%011o\0%011o\0" % pair for pair in MAP)
    whole = header(b"sparse", type=b"S", size=size, magic=b"ustar  \0")
    block = whole[:386] + old.ljust(96, b"\0") + b"\0" + b"%011o\0" % 5000 + whole[495:]
    more = whole[:386] + old[:24].ljust(96, b"\0") + b"\1" + b"%011o\0" % 5000 + whole[495:]
    return {
        "0.0": header(b"x", type=b"x", size=b"%011o\0" % len(first))
        + first
        + bytes(-len(first) % 512)
        + header(b"sparse", size=size)
        + body,
        "0.1": pax({"GNU.sparse.size": b"5000", "GNU.sparse.name": b"sparse", "GNU.sparse.map": flat})
        + header(b"other", size=size)
        + body,
        "1.0": pax(
            {
                "GNU.sparse.major": b"1",
                "GNU.sparse.minor": b"0",
                "GNU.sparse.name": b"sparse",
                "GNU.sparse.realsize": b"5000",
            }
        )
        + header(b"GNUSparseFile.1/sparse", size=b"%011o\0" % (512 + len(body)))
        + lines.ljust(512, b"\0")
        + body,
        "old": _summed(block) + body,
        "old, map goes on": _summed(more) + old[24:].ljust(512, b"\0") + body,
    }


def _summed(block: bytes) -> bytes:
    return block[:148] + b"%06o\0 " % sum(block[:148] + b" " * 8 + block[156:]) + block[156:]


@pytest.mark.parametrize("how", sparse_archives())
@pytest.mark.parametrize("piece", [1, 100, 512, 1 << 20])
def test_a_sparse_file_has_its_real_size_and_content(how: str, piece: int) -> None:
    archive = sparse_archives()[how] + header(b"next") + END
    request = Request(capture=Keep(), contents=True)
    table, captured = walk(archive, piece=piece, request=request)
    assert [(entry.path, entry.size) for entry in table] == [("/sparse", 5000), ("/next", 0)]
    assert captured["/sparse"] == SPARSE
    assert table.digest(0) == xxhash.xxh3_128_digest(SPARSE)
    assert list(walk(archive, piece=piece)[0]) == list(table)


def test_names_are_below_the_root() -> None:
    written = [b"/abs", b"./a/./b//c/", b"a/../b", b"a/..", b"//double"]
    archive = b"".join(header(name) for name in written) + END
    assert walk(archive)[0].paths == ["/abs", "/a/b/c", "/b", "/", "/double"]


def test_old_metadata_of_engines_is_no_content() -> None:
    archive = b"".join(
        header(name, size=b"00000000005\0") + b"xxxxx".ljust(512, b"\0")
        for name in (b".wh..wh.plnk/105.12", b".wh..wh.aufs", b"kept")
    )
    assert walk(archive + END)[0].paths == ["/kept"]


@pytest.mark.parametrize("name", [b".wh.", b"usr/.wh.", b"a/.wh../", b"a/.wh..."])
def test_a_whiteout_of_nothing_is_damage(name: bytes) -> None:
    with pytest.raises(DamagedImage, match=r"a whiteout of nothing"):
        walk(header(name) + END)


def test_a_capture_gets_each_file_once_and_in_one_piece_where_it_can() -> None:
    archive = header(b"small", size=b"00000000005\0") + b"12345".ljust(512, b"\0")
    archive += header(b"large", size=b"%011o\0" % 5000) + b"y" * 5000 + bytes(120) + END
    seen = []

    class Look(Keep):
        def take(self, path: str, content: memoryview) -> bytes | None:
            seen.append((path, bytes(content)))
            return None

    assert walk(archive, piece=600, request=Request(capture=Look()))[1] == {}
    assert seen == [("/small", b"12345"), ("/large", b"y" * 5000)]


def test_what_was_kept_of_an_entry_goes_with_a_later_one_of_that_name() -> None:
    archive = header(b"f", size=b"00000000001\0") + b"1".ljust(512, b"\0")
    assert walk(archive + END, request=Request(capture=Keep()))[1] == {"/f": b"1"}
    assert walk(archive + header(b"f", type=b"5") + END, request=Request(capture=Keep()))[1] == {}
    again = header(b"f", size=b"00000000001\0") + b"2".ljust(512, b"\0")
    assert walk(archive + again + END, request=Request(capture=Keep()))[1] == {"/f": b"2"}


def test_archives_end_with_two_empty_blocks_with_one_or_with_none() -> None:
    for end in (b"", bytes(512), bytes(1024), bytes(10240), bytes(1024) + b"rubbish"):
        assert walk(header() + end)[0].paths == ["/file"]
    with pytest.raises(DamagedImage, match="goes on after an empty block"):
        walk(header() + bytes(512) + header())


def test_the_padding_of_the_last_file_may_be_missing() -> None:
    archive = header(size=b"00000000003\0") + b"abc"
    assert walk(archive, request=Request(capture=Keep()))[1] == {"/file": b"abc"}
