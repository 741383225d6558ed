"""Where records come from: the public bucket of OSV or a mirror of it, or a directory that is laid out like it."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import quote, unquote

from hullmark._images.transport import Origin, Patience, Transient, Transport, Trust
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._images.transport import Answer

T = TypeVar("T")

PUBLIC = "https://osv-vulnerabilities.storage.googleapis.com"
"""The bucket that the OSV project publishes."""
LARGEST_RECORD = 16 << 20
_LARGEST_ZIP = 4 << 30
_LONGEST_LINE = 1 << 12
_OK, _PARTIAL, _UNCHANGED, _MISSING, _UNSATISFIABLE = 200, 206, 304, 404, 416
_RANGE = re.compile(r"bytes ([0-9]+)-")
_WEB = re.compile(r"(?i)https?://")
_FILE = "file://"
_HINT = "the store stays as it was; try again later, or name a mirror with --db-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """All records of an ecosystem, as a zip archive that is whole by what its sender says."""

    path: Path
    etag: str
    last_modified: str
    dated: str = ""
    """When a copy was made of what others publish, as RFC 3339 has it; empty for their own, and where nothing says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record that was changed."""

    moment: dt.datetime
    record: str


class Feed(Protocol):
    """A place that has the records of all ecosystems."""

    @property
    def copied(self) -> bool:
        """Whether it is a copy, which may lag behind what was copied; how old that is, its records tell."""
        ...

    def address(self, ecosystem: str) -> str:
        """Where those of one ecosystem are."""
        ...

    def fetch(self, ecosystem: str, into: Path, *, etag: str, last_modified: str) -> Fetched | None:
        """All records of `ecosystem`; `None` when they are the ones that had that `etag`. `into` may be written to.

        Raises `Unavailable`.
        """
        ...

    def changes(self, ecosystem: str, since: dt.datetime, most: int) -> tuple[Change, ...] | None:
        """What was changed at that moment or later; `None` when it does not say, or there are more than `most`."""
        ...

    def record(self, ecosystem: str, name: str) -> bytes | None:
        """One record; `None` when there is none of that name."""
        ...


def is_address(place: str) -> bool:
    """Whether `place` is a URL and no directory."""
    return _WEB.match(place) is not None


@contextlib.contextmanager
def open_feed(
    place: str | None,
    directory: Path,
    environ: Mapping[str, str],
    cancelled: threading.Event,
    patience: Patience | None = None,
) -> Iterator[Feed]:
    """The feed at `place`: a URL, or a directory as seen from `directory`; `None` is the public bucket."""
    if place is not None and not is_address(place):
        path = unquote(place[len(_FILE) :]) if place.lower().startswith(_FILE) else place
        yield Directory(path=directory / path)
        return
    with Transport(
        environ=environ,
        trust=Trust(),
        patience=patience or Patience(),
        cancelled=cancelled,
        relief="name a mirror with --db-url",
    ) as transport:
        yield Web(base=place or PUBLIC, transport=transport)


def moment(text: str) -> dt.datetime:
    """A moment as RFC 3339 has it; raises `ValueError`."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory that was filled elsewhere: `ECOSYSTEM/all.zip`, or `ECOSYSTEM-all.zip`."""

    path: Path
    copied: bool = True

    def address(self, ecosystem: str) -> str:
        """See `Feed.address`."""
        for path in (self.path / ecosystem / "all.zip", self.path / f"{ecosystem}-all.zip"):
            if path.is_file():
                return str(path)
        return str(self.path / ecosystem / "all.zip")

    def fetch(self, ecosystem: str, into: Path, *, etag: str, last_modified: str) -> Fetched | None:  # noqa: ARG002
        """See `Feed.fetch`; nothing is copied."""
        path = Path(self.address(ecosystem))
        try:
            status = path.stat()
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be read: {error.strerror}",
                hint="a directory has ECOSYSTEM/all.zip for each ecosystem, as the bucket of OSV has",
            ) from error
        now = f"{status.st_size}-{status.st_mtime_ns}"
        if now == etag:
            return None
        written = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC).isoformat(timespec="seconds")
        return Fetched(path=path, etag=now, last_modified="", dated=written)

    def changes(self, ecosystem: str, since: dt.datetime, most: int) -> None:
        """See `Feed.changes`: reading the archive is as quick."""

    def record(self, ecosystem: str, name: str) -> None:
        """See `Feed.record`: nobody asks, as it tells of no changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The bucket of OSV, or what answers like it."""

    base: str
    transport: Transport

    @property
    def copied(self) -> bool:
        """See `Feed.copied`."""
        return self.base.rstrip("/") != PUBLIC

    def address(self, ecosystem: str) -> str:
        """See `Feed.address`."""
        return self._url(ecosystem, "all.zip")

    def fetch(self, ecosystem: str, into: Path, *, etag: str, last_modified: str) -> Fetched | None:
        """See `Feed.fetch`. What breaks off is taken up again where it broke off, if it is still the same."""
        url = self.address(ecosystem)
        known = {"If-None-Match": etag} if etag else {}
        if last_modified:
            known["If-Modified-Since"] = last_modified
        there = _Part(path=into)

        def attempt() -> Fetched | None:
            with self.transport.send("GET", url, there.asks() or known) as answer:
                if answer.status == _UNCHANGED:
                    return None
                there.take(answer, self._refused(answer, ecosystem))
                modified = answer.header("Last-Modified")
                return Fetched(
                    path=into,
                    etag=answer.header("ETag"),
                    last_modified=modified,
                    dated=_dated(modified) if self.copied else "",
                )

        return self._patiently(attempt, f"the records of {ecosystem}")

    def changes(self, ecosystem: str, since: dt.datetime, most: int) -> tuple[Change, ...] | None:
        """See `Feed.changes`. The list has the newest first: no more of it is read than is needed."""

        def attempt() -> tuple[Change, ...] | None:
            with self.transport.send("GET", self._url(ecosystem, "modified_id.csv"), {}) as answer:
                if answer.status != _OK:
                    return None
                found: list[Change] = []
                for line in _lines(answer):
                    when, comma, name = line.partition(",")
                    try:
                        changed = Change(moment=moment(when), record=name.strip().rpartition("/")[2])
                    except ValueError:
                        return None
                    if changed.moment < since:
                        break
                    if not comma or not changed.record or len(found) == most:
                        return None
                    found.append(changed)
                return tuple(found)

        return self._patiently(attempt, f"the list of changes in {ecosystem}")

    def record(self, ecosystem: str, name: str) -> bytes | None:
        """See `Feed.record`."""

        def attempt() -> bytes | None:
            with self.transport.send("GET", self._url(ecosystem, f"{name}.json"), {}) as answer:
                if answer.status == _MISSING:
                    return None
                if answer.status != _OK:
                    raise self._refused(answer, ecosystem)
                body = answer.read(LARGEST_RECORD)
                if body is None:
                    raise Unavailable(f"{answer.url} is longer than a record may be", hint=_HINT)
                return body

        return self._patiently(attempt, f"record {name}")

    def _url(self, ecosystem: str, name: str) -> str:
        return f"{self.base.rstrip('/')}/{quote(ecosystem)}/{quote(name)}"

    def _refused(self, answer: Answer, ecosystem: str) -> Unavailable:
        name = Origin.of(answer.url).name
        if answer.status == _MISSING:
            return Unavailable(
                f"{name} has no records of {ecosystem}: it answered 404 for {answer.url}",
                hint="is the address right? --db-url is what stands before ECOSYSTEM/all.zip",
            )
        return Unavailable(f"{name} answered {answer.status} for {answer.url}", hint=_HINT)

    def _patiently(self, attempt: Callable[[], T], what: str) -> T:
        failures = 0
        while True:
            try:
                return attempt()
            except Transient as error:
                failures += 1
                if failures >= self.transport.patience.attempts:
                    raise Unavailable(f"{what} could not be fetched: {error.message}", hint=_HINT) from error
                self.transport.pause(failures, error.after)


@dataclass(slots=True, kw_only=True)
class _Part:
    """What of a download is there."""

    path: Path
    size: int = 0
    etag: str = ""

    def asks(self) -> dict[str, str]:
        """Headers that ask for the rest, where it can be told that it is the rest of the same."""
        return {"Range": f"bytes={self.size}-", "If-Range": self.etag} if self.size and self.etag else {}

    def take(self, answer: Answer, refused: Unavailable) -> None:
        """Writes what comes; raises `Transient` when it ends too early, and `refused` when it does not come at all."""
        begin = 0
        if answer.status == _PARTIAL:
            found = _RANGE.match(answer.header("Content-Range"))
            begin = int(found[1]) if found else -1
        elif answer.status == _UNSATISFIABLE and self.size:
            self.size, self.etag = 0, ""
            raise Transient("what was fetched so far belongs to nothing that is still there")
        elif answer.status != _OK:
            raise refused
        if begin not in {0, self.size}:
            raise refused
        etag = answer.header("ETag")
        # A weak one does not promise the same bytes.
        self.etag = "" if etag.startswith("W/") else etag
        self.size = begin
        due = None if answer.length is None else begin + answer.length
        with self.path.open("r+b" if begin else "wb") as file:
            file.seek(begin)
            for piece in answer.pieces():
                file.write(piece)
                self.size += len(piece)
                if self.size > _LARGEST_ZIP:
                    raise Unavailable(f"{answer.url} is larger than all records can be", hint=_HINT)
            file.truncate()
        if due is not None and self.size != due:
            raise Transient(
                f"the answer of {Origin.of(answer.url).name} ended after {self.size} of {due} bytes"
            )


def _dated(header: str) -> str:
    """The moment that `Last-Modified` tells, as RFC 3339 has it; empty where it tells none."""
    try:
        return email.utils.parsedate_to_datetime(header).astimezone(dt.UTC).isoformat(timespec="seconds")
    except ValueError:
        return ""


def _lines(answer: Answer) -> Iterator[str]:
    rest = b""
    for piece in answer.pieces():
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines if line.strip())
        if len(rest) > _LONGEST_LINE:
            break
    if rest.strip():
        yield rest.decode("utf-8", "replace")
