"""From the bytes of a tar archive to the table of its entries, in one pass, whatever the pieces they come in.

Nothing is extracted. The formats are those of POSIX (ustar and pax), of GNU tar and of Unix V7; where they are
contradictory, what counts is what container engines make of it. Meaning of names: OCI image specification, "layer.md".
"""

from __future__ import annotations

import posixpath
import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from zlib import adler32

import xxhash

from hullmark._images.header import (
    BLOCK,
    CHECKSUM,
    COMMON,
    FIELDS,
    FILE,
    LARGEST_ID,
    LINK,
    MAGIC,
    MTIME,
    OWNER,
    PREFIX,
    ROOT,
    SIZE,
    SPECIAL,
    STAR,
    SYMLINK,
    TYPE,
    WHOLE,
    Seen,
    name_of,
)
from hullmark.errors import DamagedImage
from hullmark.model.image import Content
from hullmark.model.table import DIGEST_SIZE, Entry, FileTable, Kind
from hullmark.model.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._images.interface import Buffer, Request

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_METADATA = "/.wh..wh."
"""What an old storage driver kept for itself in the root of a layer."""
LONGEST_PATH = 4096
"""Bytes of a name or a link: no system makes longer ones."""
_SHOWN = 120
"""Characters of a name that a message shows."""

_GNU_SPARSE, _GNU_EXTENDED, _GNU_REAL_SIZE = 386, 482, slice(483, 495)
_GNU_PAIR, _GNU_MORE, _GNU_MORE_EXTENDED = 24, 21, 504
_ZERO = b"\0"
_ZEROS = bytes(BLOCK)
_HOLE = memoryview(bytes(1 << 16))
_LARGEST = (1 << 63) - 1
_BASE_256, _NEGATIVE_256 = 0x80, 0xFF
_NO_DIGEST = bytes(DIGEST_SIZE)
_WHITEOUT, _OPAQUE = int(Kind.WHITEOUT), int(Kind.OPAQUE)

_OLD_REGULAR, _OLD_SPARSE, _HARD, _SYMBOLIC, _DIRECTORY_TYPE = b"\0S125"
_HEADER_ONLY = {
    ord("1"): int(Kind.HARDLINK),
    ord("2"): int(Kind.SYMLINK),
    ord("3"): int(Kind.CHARACTER_DEVICE),
    ord("4"): int(Kind.BLOCK_DEVICE),
    ord("5"): int(Kind.DIRECTORY),
    ord("6"): int(Kind.FIFO),
}
"""Types that have no content, whatever their size says."""
_LONG_NAME, _LONG_LINK, _GLOBAL = b"LKg"
_EXTENSIONS = frozenset(b"LKgxX")
_DECIMAL = re.compile(rb"([+-]?[0-9]{1,30})(?:\.([0-9]{0,30}))?").fullmatch
_XATTR = "SCHILY.xattr."
_SHARED = frozenset({"path", "linkpath", "size", "uid", "gid", "mtime"})
"""What a header may say of all entries after it."""
_SPARSE_MAP = ("GNU.sparse.offset", "GNU.sparse.numbytes")


class Consumer(Protocol):
    """Takes the content of one file as it comes."""

    def write(self, piece: memoryview, /) -> None:
        """The next bytes, valid during the call."""
        ...

    def close(self) -> None:
        """All bytes have come."""
        ...


@dataclass(kw_only=True)
class _Extension:
    """What stands before a header and changes what it says."""

    name: bytes | None = None
    link: bytes | None = None
    records: dict[str, bytes] = field(default_factory=dict)
    sparse: list[tuple[int, int]] = field(default_factory=list)
    """The map of the first version of sparse files, whose records repeat."""
    size: int = 0
    """Bytes of all of it."""


class TarWalk:
    """The state between two pieces of one archive.

    `consumers` says who takes the content of a file, by path and size, instead of the capture of `request`; with
    `offsets` the walk remembers where contents begin. With `elided` the contents of files are left out of the bytes that
    come, though not what fills them up to whole blocks, and nothing is captured. Everything raises `DamagedImage`, naming the archive by `name`.
    """

    def __init__(
        self,
        request: Request,
        name: str,
        *,
        consumers: Callable[[str, int], Consumer | None] | None = None,
        offsets: bool = False,
        elided: bool = False,
    ) -> None:
        self._name = name
        self._limits = request.limits
        self._capture = request.capture
        self._consumers = consumers
        self._paths: list[str] = []
        self._kinds = bytearray()
        self._sizes = array("q")
        self._modes = array("H")
        self._uids = array("I")
        self._gids = array("I")
        self._mtimes = array("q")
        self._links: dict[int, str] = {}
        self._xattrs: dict[int, tuple[tuple[str, bytes], ...]] = {}
        self._digests = bytearray() if request.contents else None
        self._elided = elided
        self.wanted: list[str] = []
        """With `elided`, the files that the capture wants, in the order of the archive."""
        self.offsets = array("q") if offsets else None
        """Of each row, where in the archive its content begins."""
        self._captured: dict[str, bytes] = {}
        self._kept = self._extended = self._expanded = 0
        self._start = 0
        """Where in the archive the piece begins that is being looked at."""
        self._at = 0
        """Where the last header was that needed care."""
        self._carry = b""
        self._consumer: Consumer | None = None
        self._remaining = 0
        """Bytes that the consumer still gets."""
        self._skip = 0
        """Bytes after those until the next header."""
        self._padding = 0
        """How many of the last of these are no content."""
        self._extension: _Extension | None = None
        self._globals: dict[str, bytes] = {}
        self._sparse: tuple[bytes, bytearray] | None = None
        """A header of an old sparse file whose map goes on in blocks of its own."""
        self.expanding = False
        """Whether it holds a file of which only parts are in the archive."""
        self._zero = False
        self._ended = False
        self._seen = Seen()

    @property
    def position(self) -> int:
        """Bytes that have come."""
        return self._start

    @property
    def entries(self) -> int:
        """Entries that have been read."""
        return len(self._paths)

    @property
    def skippable(self) -> int:
        """Bytes that come next and that nobody wants."""
        return self._skip if self._consumer is None and not self._carry else 0

    def skip(self, size: int) -> None:
        """Goes on after the next `size` bytes, which are skippable, as if they had come."""
        self._skip -= size
        self._start += size

    def content(self, position: int) -> Content | None:
        """The file that the byte at `position`, which has come, belongs to; it needs the offsets."""
        assert self.offsets is not None
        row = bisect_right(self.offsets, position) - 1
        if row < 0 or self._kinds[row] != FILE:
            return None
        begin = self.offsets[row]
        end = begin + self._sizes[row]
        if row + 1 < len(self.offsets):
            # Of a sparse file there is less.
            end = min(end, self.offsets[row + 1] - BLOCK)
        return Content(row, begin, end) if position < end else None

    def feed(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        view = memoryview(piece)
        if self._carry:
            begin = self._start - len(self._carry)
            needed = BLOCK - len(self._carry)
            head = self._carry + view[:needed].tobytes()
            self._carry = b""
            self._start = begin
            self._feed(memoryview(head))
            self._start = begin + len(head)
            view = view[needed:]
        if view:
            self._feed(view)
            self._start += len(view)

    def finish(self) -> tuple[FileTable, Mapping[str, bytes]]:
        """The table and what the capture kept, when all bytes have come."""
        if not self._ended:
            if self._carry or self._sparse is not None:
                raise self._cut_off("in the middle of a header")
            if self._consumer is not None or self._skip > self._padding:
                missing = self._remaining + max(self._skip - self._padding, 0)
                of = f"`{self._paths[-1]}`" if self._paths else "a file"
                raise self._cut_off(f"in the middle of {of}, of which {missing} bytes are missing")
            if self._extension is not None:
                raise self._damaged("it ends after an extended header that belongs to nothing")
        table = FileTable(
            paths=self._paths,
            kinds=bytes(self._kinds),
            sizes=self._sizes,
            modes=self._modes,
            uids=self._uids,
            gids=self._gids,
            mtimes=self._mtimes,
            links=self._links,
            xattrs=self._xattrs,
            digests=None if self._digests is None else bytes(self._digests),
        )
        return table, self._captured

    def _cut_off(self, where: str) -> DamagedImage:
        return DamagedImage(f"{self._name} is cut off: it ends after {self._start} bytes, {where}")

    def _damaged(self, what: str) -> DamagedImage:
        return DamagedImage(f"{self._name} is no readable tar archive: {what} (near byte {self._at})")

    def _feed(self, view: memoryview) -> None:
        """Everything that a piece holds."""
        length, position = len(view), 0
        while not self._ended:
            if self._consumer is not None:
                position += self._deliver(view[position : position + self._remaining])
                if self._consumer is not None:
                    return
            if self._skip:
                step = min(self._skip, length - position)
                self._skip -= step
                position += step
                if self._skip:
                    return
            if self._extension is None and not self._zero and self._sparse is None and not self._globals:
                position = self._common(view, position)
                if self._remaining or self._skip:
                    continue
            if position + BLOCK > length:
                self._carry = view[position:].tobytes()
                return
            (block,) = WHOLE.unpack_from(view, position)
            position += BLOCK
            self._uncommon(block, self._start + position)

    def _common(self, view: memoryview, position: int) -> int:  # noqa: C901, PLR0912, PLR0915  # what every entry goes through
        """Reads entries from `position` on, until something is uncommon or goes beyond the piece; where that is.

        Calls cost more than all that is done here, so there are none.
        """
        length = len(view)
        paths, sizes, captured, offsets, digests = (
            self._paths,
            self._sizes,
            self._captured,
            self.offsets,
            self._digests,
        )
        add_path, add_kind, add_size, add_mode = (
            paths.append,
            self._kinds.append,
            sizes.append,
            self._modes.append,
        )
        add_uid, add_gid, add_mtime = self._uids.append, self._gids.append, self._mtimes.append
        seen, links = self._seen, self._links
        sums, owners, times = seen.sums, seen.owners, seen.times
        whole, unpack = WHOLE.unpack_from, FIELDS.unpack_from
        largest, most = self._limits.unpacked, self._limits.entries
        watched = self._capture is not None or self._consumers is not None or digests is not None
        elided = self._elided
        while position + BLOCK <= length:
            (block,) = whole(view, position)
            name, owner, raw_size, ending, raw_mtime, checksum, type_ = unpack(block)
            # Exact but for sums that differ by the modulus, which no accident makes.
            if adler32(block) & 0xFFFF != (sums.get(checksum) or seen.sum(checksum)):
                break
            # A field without its end.
            if ending & 0xDF:
                break
            try:
                size = int(raw_size, 8)
                mode, uid, gid = owners[owner]
                mtime = times.get(raw_mtime) or seen.time(raw_mtime)
                path = "/" + name.rstrip(b"\0").decode()
                kind = COMMON[type_]
                link = block[LINK].rstrip(b"\0").decode() if kind == SYMLINK else ""
            except (ValueError, KeyError):
                break
            if block[345]:
                if block[MAGIC] != b"ustar\0" or block[STAR] == b"tar\0":
                    break
                try:
                    path = f"/{block[PREFIX].rstrip(_ZERO).decode()}{path}"
                except ValueError:
                    break
            if path[-1] == "/":
                path = path.rstrip("/")
            if "/." in path or "//" in path:
                if path.startswith("/./"):
                    path = path[2:]
                if SPECIAL(path):
                    break
            if (
                "\0" in path
                or "\0" in link
                or path in ROOT
                or size < 0
                or size > largest
                or len(paths) >= most
            ):
                break
            position += BLOCK
            if kind != FILE:
                size = 0
                if link:
                    links[len(paths)] = link
            add_path(path)
            add_kind(kind)
            add_size(size)
            add_mode(mode)
            add_uid(uid)
            add_gid(gid)
            add_mtime(mtime)
            if offsets is not None:
                offsets.append(self._start + position)
            if captured and path in captured:
                self._forget(path)
            end = position + size
            if elided:
                if watched and kind == FILE:
                    self._want(path, size, mode)
                position += -size & 511
                if position > length:
                    self._padding = self._skip = position - length
                    return length
                continue
            if watched:
                if kind != FILE:
                    if digests is not None:
                        digests += _NO_DIGEST
                elif end <= length:
                    self._content(path, size, mode, view[position:end])
                else:
                    self._stream(path, size, mode, size, None)
                    return position
            position += (size + 511) & -512
            if position > length:
                self._padding = -size & 511
                self._skip = position - length
                return length
        return position

    def _uncommon(self, block: bytes, after: int) -> None:
        """Any block where a header may stand; `after` is where in the archive the next one begins."""
        self._at = after - BLOCK
        if self._sparse is not None:
            header, raw = self._sparse
            raw += block[: _GNU_MORE * _GNU_PAIR]
            if len(raw) > self._limits.header:
                raise self._damaged("the map of a sparse file does not end")
            if not block[_GNU_MORE_EXTENDED]:
                self._sparse = None
                self._entry(header, after, self._old_map(raw))
            return
        if block == _ZEROS:
            if self._extension is not None:
                raise self._damaged("it ends after an extended header that belongs to nothing")
            self._ended, self._zero = self._zero, True
            return
        if self._zero:
            raise self._damaged("it goes on after an empty block")
        self._check(block)
        type_ = block[TYPE]
        if type_ in _EXTENSIONS:
            self._extend(type_, self._number(block[SIZE], "size"))
        elif type_ == _OLD_SPARSE:
            raw = bytearray(block[_GNU_SPARSE:_GNU_EXTENDED])
            if block[_GNU_EXTENDED]:
                self._sparse = block, raw
            else:
                self._entry(block, after, self._old_map(raw))
        else:
            self._entry(block, after, None)

    def _check(self, block: bytes) -> None:
        """Raises unless the checksum is right, be it of signed bytes as some old programs made it."""
        checksum = block[CHECKSUM]
        if adler32(block) & 0xFFFF == (self._seen.sums.get(checksum) or self._seen.sum(checksum)):
            return
        try:
            stored = self._number(checksum, "checksum")
        except DamagedImage:
            stored = -1
        rest = block[: CHECKSUM.start] + b" " * 8 + block[CHECKSUM.stop :]
        unsigned = sum(rest)
        if stored not in {unsigned, unsigned - 256 * sum(byte > 127 for byte in rest)}:  # noqa: PLR2004  # signed bytes
            raise self._damaged(
                f"the checksum of a header says {stored if stored >= 0 else 'nothing'}, its bytes add up to {unsigned}"
            )

    def _number(self, raw: bytes, what: str) -> int:
        """A numeric field: octal digits, or binary where these did not suffice."""
        if raw[0] & _BASE_256:
            if raw[0] == _NEGATIVE_256:
                return int.from_bytes(raw, "big", signed=True)
            if raw[0] != _BASE_256:
                raise self._damaged(f"a {what} is no number")
            return int.from_bytes(raw[1:], "big")
        text = raw.partition(b"\0")[0].strip()
        try:
            return int(text, 8) if text else 0
        except ValueError as error:
            raise self._damaged(f"a {what} is no number") from error

    def _decimal(self, raw: bytes, what: str) -> int:
        """A number of an extended header; what comes after the point goes down, as time does."""
        found = _DECIMAL(raw)
        if found is None:
            raise self._damaged(f"a {what} is no number")
        number = int(found[1])
        return number - 1 if raw.startswith(b"-") and (found[2] or b"").strip(b"0") else number

    def _old_map(self, raw: bytes | bytearray) -> list[tuple[int, int]]:
        """The map of a sparse file in GNU's old format."""
        found = []
        for start in range(0, len(raw) - _GNU_PAIR + 1, _GNU_PAIR):
            if not raw[start]:
                continue
            offset, size = bytes(raw[start : start + 12]), bytes(raw[start + 12 : start + _GNU_PAIR])
            found.append((self._number(offset, "map"), self._number(size, "map")))
        return found

    def _extend(self, type_: int, size: int) -> None:
        """Begins to read a header that changes the next one."""
        extension = self._extension = self._extension or _Extension()
        extension.size += size
        if size < 0 or extension.size > self._limits.header:
            raise self._damaged(
                f"extended headers of {extension.size} bytes; at most {self._limits.header} are read"
            )

        def done(content: bytes) -> None:
            if type_ == _LONG_NAME:
                extension.name = content.partition(b"\0")[0]
            elif type_ == _LONG_LINK:
                extension.link = content.partition(b"\0")[0]
            elif type_ == _GLOBAL:
                said = self._records(content, [])
                self._globals.update((key, value) for key, value in said.items() if key in _SHARED)
                if not (extension.records or extension.name or extension.link):
                    # It belongs to all that follow, and may stand at the end.
                    self._extension = None
            else:
                extension.sparse.clear()
                extension.records = self._records(content, extension.sparse)

        self._hand(_Collected(done), size)

    def _records(self, content: bytes, sparse: list[tuple[int, int]]) -> dict[str, bytes]:
        """The records `LENGTH KEY=VALUE` of an extended header; the repeating ones go to `sparse`."""
        found: dict[str, bytes] = {}
        position = 0
        offset = None
        while position < len(content) and content[position]:
            space = content.find(b" ", position, position + 12)
            digits = content[position:space] if space > 0 else b""
            end = position + int(digits) if digits.isdigit() else 0
            key, equals, value = content[space + 1 : max(end - 1, 0)].partition(b"=")
            if (
                end <= space + 1
                or end > len(content)
                or content[end - 1] != ord("\n")
                or not equals
                or not key
            ):
                raise self._damaged("a record of an extended header is none")
            position = end
            name = key.decode("utf-8", "surrogateescape")
            if name == _SPARSE_MAP[0]:
                offset = self._decimal(value, "map")
            elif name == _SPARSE_MAP[1]:
                if offset is None:
                    raise self._damaged("a map of a sparse file has a size without an offset")
                sparse.append((offset, self._decimal(value, "map")))
                offset = None
            else:
                found[name] = value
        return found

    def _entry(  # noqa: C901  # one question per field
        self, block: bytes, after: int, sparse: list[tuple[int, int]] | None
    ) -> None:
        """A header that no other belongs to, with all that stood before it."""
        extension, self._extension = self._extension or _Extension(), None
        records = {**self._globals, **extension.records} if self._globals else extension.records
        # An empty value takes back what a global header said.
        records = {key: value for key, value in records.items() if value or key.startswith(_XATTR)}
        raw = extension.name or records.get("GNU.sparse.name") or records.get("path") or name_of(block)
        type_ = block[TYPE]
        if type_ == _OLD_REGULAR and raw.endswith(b"/"):
            type_ = _DIRECTORY_TYPE
        kind = _HEADER_ONLY.get(type_, FILE)
        stored = size = 0
        map_ = None
        if kind == FILE:
            said = self._number(block[SIZE], "size")
            stored = self._decimal(records["size"], "size") if "size" in records else said
            if not 0 <= stored <= self._limits.unpacked:
                raise self._damaged(f"an entry says that it has {stored} bytes")
            size, map_ = self._sparse_file(block, records, extension, sparse, stored)
        path = self._path(raw)
        link = ""
        if type_ in {_HARD, _SYMBOLIC}:
            target = extension.link or records.get("linkpath") or block[LINK].partition(b"\0")[0]
            link = self._path(target) if type_ == _HARD else self._text(target)
        xattrs = tuple(
            (k.removeprefix(_XATTR), value) for k, value in records.items() if k.startswith(_XATTR)
        )
        self._extended += len(raw) + len(link) + sum(len(key) + len(value) for key, value in xattrs)
        if self._extended > self._limits.names:
            raise self._damaged(f"its long names and attributes take more than {self._limits.names} bytes")
        mode, uid, gid = self._owner(block, records)
        mtime = self._modified(block, records)
        named = self._named(path, kind)
        self._padding = -stored & 511
        self._skip = self._padding if self._elided else (stored + 511) & -512
        if named is None:
            # Old metadata of the engine: its content is passed over.
            return
        path, kind = named
        if kind in {_WHITEOUT, _OPAQUE}:
            size, link, xattrs = 0, "", ()
        self._add(
            Entry(
                path=path,
                kind=Kind(kind),
                size=size,
                mode=mode,
                uid=uid,
                gid=gid,
                mtime=mtime,
                link=link,
                xattrs=xattrs,
            ),
            after,
        )
        if kind != FILE:
            if self._digests is not None:
                self._digests += _NO_DIGEST
        elif self._capture is not None or self._consumers is not None or self._digests is not None:
            self._stream(path, size, mode, stored, map_)

    def _add(self, entry: Entry, after: int) -> None:
        """Adds a row, whose content begins at `after`."""
        row = len(self._paths)
        if row >= self._limits.entries:
            raise self._damaged(f"it has more than {self._limits.entries} entries")
        self._paths.append(entry.path)
        self._kinds.append(entry.kind)
        self._sizes.append(entry.size)
        self._modes.append(entry.mode)
        self._uids.append(entry.uid)
        self._gids.append(entry.gid)
        self._mtimes.append(entry.mtime)
        if self.offsets is not None:
            self.offsets.append(after)
        if entry.link:
            self._links[row] = entry.link
        if entry.xattrs:
            self._xattrs[row] = entry.xattrs
        if entry.path in self._captured:
            self._forget(entry.path)

    def _modified(self, block: bytes, records: Mapping[str, bytes]) -> int:
        if "mtime" in records:
            mtime = self._decimal(records["mtime"], "time")
        else:
            mtime = self._number(block[MTIME], "time")
        if not -_LARGEST <= mtime <= _LARGEST:
            raise self._damaged("a time is out of all proportion")
        return mtime

    def _owner(self, block: bytes, records: Mapping[str, bytes]) -> tuple[int, int, int]:
        raw = block[OWNER]
        mode, uid, gid = (self._number(raw[start : start + 8], "mode or owner") for start in (0, 8, 16))
        mode &= 0o7777
        if 0 <= uid <= LARGEST_ID and 0 <= gid <= LARGEST_ID:
            self._seen.remember(raw, (mode, uid, gid))
        if "uid" in records:
            uid = self._decimal(records["uid"], "owner")
        if "gid" in records:
            gid = self._decimal(records["gid"], "owner")
        if not (0 <= uid <= LARGEST_ID and 0 <= gid <= LARGEST_ID):
            raise self._damaged(f"an entry belongs to {uid}:{gid}, which no system knows")
        return mode, uid, gid

    def _sparse_file(
        self,
        block: bytes,
        records: Mapping[str, bytes],
        extension: _Extension,
        old: list[tuple[int, int]] | None,
        stored: int,
    ) -> tuple[int, _Map | None]:
        """The size that a file has once its holes are filled, and where they are; holes that are none are no map."""
        segments: list[tuple[int, int]] | None
        if old is not None:
            size, segments = self._number(block[_GNU_REAL_SIZE], "size"), old
        elif records.get("GNU.sparse.major") == b"1":
            size, segments = self._decimal(records.get("GNU.sparse.realsize", b""), "size"), None
        elif "GNU.sparse.map" in records:
            numbers = [self._decimal(each, "map") for each in records["GNU.sparse.map"].split(b",")]
            if len(numbers) % 2:
                raise self._damaged("a map of a sparse file is none")
            segments = list(zip(numbers[::2], numbers[1::2], strict=True))
            size = self._decimal(records.get("GNU.sparse.size", b""), "size")
        elif "GNU.sparse.size" in records:
            size, segments = self._decimal(records["GNU.sparse.size"], "size"), extension.sparse
        else:
            return stored, None
        if not 0 <= size <= self._limits.unpacked:
            raise self._damaged(f"a sparse file says that it has {size} bytes")
        self.expanding = True
        return size, _Map(size=size, segments=segments)

    def _text(self, raw: bytes) -> str:
        if len(raw) > LONGEST_PATH:
            raise self._damaged(f"a name has {len(raw)} bytes; systems know at most {LONGEST_PATH}")
        if b"\0" in raw:
            raise self._damaged("a name holds a zero")
        return raw.decode("utf-8", "surrogateescape")

    def _path(self, raw: bytes) -> str:
        """`raw` as it is below the root, whether or not it begins there; raises `DamagedImage` where it leaves it."""
        text = self._text(raw)
        path = posixpath.normpath(text.lstrip("/"))
        if path == ".." or path.startswith("../"):
            shown = shortened(printable(text), _SHOWN)
            raise DamagedImage(f"{self._name} holds a name that leads out of its root, `{shown}`; refused")
        return "/" if path == "." else f"/{path}"

    def _named(self, path: str, kind: int) -> tuple[str, int] | None:
        """What an entry with that name is, which its name may say; `None` for what is none."""
        parent, _, name = path.rpartition("/")
        if path.startswith(_METADATA) and path != f"/{OPAQUE}":
            return None
        if name == OPAQUE:
            return parent or "/", _OPAQUE
        if not name.startswith(WHITEOUT):
            return path, kind
        hidden = name.removeprefix(WHITEOUT)
        if hidden in {"", ".", ".."}:
            raise DamagedImage(f"{self._name} holds `{path}`, a whiteout of nothing")
        return f"{parent}/{hidden}", _WHITEOUT

    def _forget(self, path: str) -> None:
        """Drops what was kept of an entry that a later one takes the place of."""
        self._kept -= len(self._captured.pop(path))

    def _wanted(self, path: str, size: int, mode: int) -> bool:
        """Whether the capture wants a file, which then is not too large."""
        if self._capture is None or not self._capture.wants(path, size, mode):
            return False
        if size > self._limits.captured:
            raise self._damaged(
                f"`{path}` has {size} bytes; of such files at most {self._limits.captured} are read"
            )
        return True

    def _want(self, path: str, size: int, mode: int) -> None:
        """Notes that the capture wants a file whose content is left out, if it does."""
        if self._wanted(path, size, mode):
            self.wanted.append(path)

    def _content(self, path: str, size: int, mode: int, content: memoryview) -> None:
        """Sees to the content of the regular file that was added last, at hand in one piece."""
        if self._consumers is not None:
            if (consumer := self._consumers(path, size)) is not None:
                if content:
                    consumer.write(content)
                consumer.close()
            return
        if self._digests is not None:
            self._digests += xxhash.xxh3_128_digest(content)
        if self._wanted(path, size, mode):
            self._take(path, content)

    def _stream(self, path: str, size: int, mode: int, stored: int, sparse: _Map | None) -> None:
        """Sees to a content of `stored` bytes that is still to come."""
        if self._elided:
            self._skip = self._padding = -stored & 511
            self._want(path, size, mode)
            return
        self._skip, self._padding = (stored + 511) & -512, -stored & 511
        if self._consumers is not None:
            if (consumer := self._consumers(path, size)) is not None:
                self._hand(consumer, stored)
            return
        wanted = self._wanted(path, size, mode)
        if not wanted and self._digests is None:
            return
        collected = _Content(self, path, size, wanted=wanted, hashed=self._digests is not None)
        if sparse is None:
            self._hand(collected, stored)
            return
        self._expanded += size
        if self._expanded > max(self._limits.free, self._limits.ratio * self._start):
            raise self._damaged(f"its sparse files grow to {self._expanded} bytes and more")
        self._hand(_Expanding(self, sparse, collected), stored)

    def _hand(self, consumer: Consumer, size: int) -> None:
        """Gives the next `size` bytes to `consumer`."""
        self._skip = self._padding = -size & 511
        if size:
            self._consumer, self._remaining = consumer, size
        else:
            consumer.close()

    def _deliver(self, piece: memoryview) -> int:
        consumer = self._consumer
        assert consumer is not None
        if piece:
            consumer.write(piece)
        self._remaining -= len(piece)
        if not self._remaining:
            self._consumer = None
            consumer.close()
        return len(piece)

    def _take(self, path: str, content: memoryview) -> None:
        assert self._capture is not None
        kept = self._capture.take(path, content)
        if kept is None:
            return
        self._kept += len(kept)
        if self._kept > self._limits.captured:
            raise self._damaged(f"more than {self._limits.captured} bytes of its files would have to be kept")
        self._captured[path] = bytes(kept)

    def _close(self, path: str, content: memoryview | None, digest: bytes | None) -> None:
        """What is known of a file whose content came in several pieces."""
        if self._digests is not None and digest is not None:
            self._digests += digest
        if content is not None:
            self._take(path, content)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """Where a sparse file has content: offsets and sizes, or `None` where they stand before the content."""

    size: int
    segments: list[tuple[int, int]] | None


class _Collected:
    """Puts a small content together."""

    def __init__(self, done: Callable[[bytes], None]) -> None:
        self._content = bytearray()
        self._done = done

    def write(self, piece: memoryview) -> None:
        self._content += piece

    def close(self) -> None:
        self._done(bytes(self._content))


class _Content:
    """Puts together, and hashes, the content of a file that comes in several pieces."""

    def __init__(self, walk: TarWalk, path: str, size: int, *, wanted: bool, hashed: bool) -> None:
        self._walk = walk
        self._path = path
        self._size = size
        self._hash = xxhash.xxh3_128() if hashed else None
        self._content = bytearray() if wanted else None

    def write(self, piece: memoryview) -> None:
        if self._hash is not None:
            self._hash.update(piece)
        if self._content is not None:
            self._content += piece

    def close(self) -> None:
        self._walk._close(  # noqa: SLF001  # a part of it
            self._path,
            None if self._content is None else memoryview(self._content),
            None if self._hash is None else self._hash.digest(),
        )


class _Expanding:
    """Fills the holes of a sparse file."""

    def __init__(self, walk: TarWalk, sparse: _Map, target: _Content) -> None:
        self._walk = walk
        self._target = target
        self._size = sparse.size
        self._segments = sparse.segments
        self._raw = bytearray()
        self._at = 0
        self._index = self._done = 0
        if self._segments is not None:
            self._checked(self._segments)

    def _checked(self, segments: list[tuple[int, int]]) -> None:
        """Raises unless `segments` follow one another within the size."""
        at = 0
        for offset, size in segments:
            if offset < at or size < 0 or offset + size > self._size:
                raise self._walk._damaged("the map of a sparse file contradicts itself")  # noqa: SLF001
            at = offset + size

    def write(self, piece: memoryview) -> None:
        if self._segments is None:
            self._raw += piece
            if (rest := self._understood()) is None:
                return
            piece = memoryview(rest)
        while piece and self._segments is not None:
            if self._index == len(self._segments):
                return
            offset, size = self._segments[self._index]
            self._fill(offset + self._done)
            part = piece[: size - self._done]
            self._target.write(part)
            self._at += len(part)
            self._done += len(part)
            piece = piece[len(part) :]
            if self._done == size:
                self._index, self._done = self._index + 1, 0

    def _understood(self) -> bytes | None:
        """What comes after the map that stands before the content, once all of it is there."""
        walk = self._walk
        lines = bytes(self._raw).split(b"\n")
        if len(self._raw) > walk._limits.header:  # noqa: SLF001
            raise walk._damaged("the map of a sparse file does not end")  # noqa: SLF001
        if len(lines) < 2:  # noqa: PLR2004  # the number of segments is a line, and ends
            return None
        count = walk._decimal(lines[0], "map")  # noqa: SLF001
        if not 0 <= count <= walk._limits.header:  # noqa: SLF001
            raise walk._damaged("the map of a sparse file is none")  # noqa: SLF001
        if len(lines) < 2 * count + 2:
            return None
        numbers = [walk._decimal(line, "map") for line in lines[1 : 2 * count + 1]]  # noqa: SLF001
        used = sum(len(line) + 1 for line in lines[: 2 * count + 1])
        begin = (used + 511) & -512
        if len(self._raw) < begin:
            return None
        self._segments = list(zip(numbers[::2], numbers[1::2], strict=True))
        self._checked(self._segments)
        return bytes(self._raw[begin:])

    def _fill(self, to: int) -> None:
        while self._at < to:
            part = _HOLE[: to - self._at]
            self._target.write(part)
            self._at += len(part)

    def close(self) -> None:
        if self._segments is None:
            raise self._walk._damaged("the map of a sparse file does not end")  # noqa: SLF001
        if any(size for _, size in self._segments[self._index :]):
            raise self._walk._damaged("a sparse file has less content than its map says")  # noqa: SLF001
        self._fill(self._size)
        self._target.close()
