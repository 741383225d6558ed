"""The inputs that images were built from, kept in the user's cache directory and known by their digest.

A digest says that something differs; what was recorded says what. Where nothing can be kept, nothing can be said.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hullmark._files import cache_directory, write_whole
from hullmark.errors import ConfigurationError, Unavailable
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._ci.plan import Plan
    from hullmark.model.affected import InputDigest
    from hullmark.model.project import Project

MOST = 500
"""Records that are kept; beyond, the oldest are dropped."""
_DIRECTORY = "inputs"
_LARGEST = 100_000_000


class _Record(msgspec.Struct, frozen=True):
    """What is kept of one digest."""

    entries: dict[str, str]


class _Service(msgspec.Struct, frozen=True):
    """What is read of a report: `hullmark affected --explain --format json`."""

    name: str
    inputs: _Inputs | None = None


class _Inputs(msgspec.Struct, frozen=True):
    digest: str | None = None
    entries: dict[str, str] = {}


class _Report(msgspec.Struct, frozen=True):
    schema: str
    services: list[_Service]


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_RECORD = msgspec.json.Decoder(_Record)
_REPORT = msgspec.json.Decoder(_Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The inputs that something was built from."""

    digest: str
    entries: Mapping[str, str] | None
    """`None` where only the digest is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is kept below `directory`; nothing where that is `None`."""

    directory: Path | None

    @classmethod
    def at(cls, environ: Mapping[str, str]) -> Records:
        """The records of the user whose environment that is, beside the cache of layers."""
        if environ.get("HULLMARK_NO_CACHE", "") not in {"", "0"}:
            return cls(directory=None)
        found = cache_directory(environ)
        return cls(directory=None if found is None else found / _DIRECTORY)

    def keep(self, project: Project, inputs: InputDigest) -> None:
        """Keeps what the image of a service of `project` was built from; a cache that is full keeps nothing."""
        if self.directory is None or inputs.digest is None:
            return
        packed = zlib.compress(
            msgspec.json.encode(
                _Record(entries={readable(name): readable(value) for name, value in inputs.entries})
            )
        )
        with contextlib.suppress(Unavailable):
            write_whole(self._record(inputs.digest), packed, what="what an image was built from")
            write_whole(self._latest(project, inputs.service), inputs.digest.encode(), what="the last digest")
        self._prune()

    def latest(self, project: Project | Plan, service: str) -> Recorded | None:
        """What the service's image was last built from by this user."""
        if self.directory is None:
            return None
        try:
            digest = self._latest(project, service).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return self.get(digest)

    def get(self, digest: str) -> Recorded:
        """What is known of `digest`."""
        if self.directory is None or not digest.startswith("sha256:"):
            return Recorded(digest=digest, entries=None)
        try:
            unpacked = zlib.decompressobj().decompress(self._record(digest).read_bytes(), _LARGEST)
            entries = _RECORD.decode(unpacked).entries
        except (OSError, zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
            return Recorded(digest=digest, entries=None)
        return Recorded(digest=digest, entries=entries)

    def clear(self) -> int:
        """Removes all of it; how many records there were."""
        removed = 0
        for path in self._all():
            with contextlib.suppress(OSError):
                path.unlink()
                removed += path.suffix == ".record"
        return removed

    def _record(self, digest: str) -> Path:
        assert self.directory is not None
        return self.directory / f"{digest.removeprefix('sha256:')}.record"

    def _latest(self, project: Project | Plan, service: str) -> Path:
        assert self.directory is not None
        name = hashlib.sha256(f"{project.root}\0{project.name}\0{service}".encode("utf-8", "surrogateescape"))
        return self.directory / f"{name.hexdigest()}.latest"

    def _all(self) -> list[Path]:
        if self.directory is None:
            return []
        try:
            return [
                path for path in self.directory.iterdir() if path.suffix in {".record", ".latest", ".plan"}
            ]
        except OSError:
            return []

    def _prune(self) -> None:
        ages = []
        for path in self._all():
            with contextlib.suppress(OSError):
                ages.append((path.stat().st_mtime, path))
        for _, path in sorted(ages)[: max(len(ages) - 2 * MOST, 0)]:
            with contextlib.suppress(OSError):
                path.unlink()


def read_report(content: bytes, name: str) -> dict[str, Recorded]:
    """The inputs that a report holds, by service.

    Raises `ConfigurationError`, calling the file `name`, when it is none or holds none.
    """
    try:
        report = _REPORT.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{name}: no report of `hullmark affected`: {error}"]) from error
    if report.schema != "hullmark/affected/1":
        raise ConfigurationError([f"{name}: its schema is `{report.schema}`; expected `hullmark/affected/1`"])
    found = {
        service.name: Recorded(digest=service.inputs.digest, entries=service.inputs.entries)
        for service in report.services
        if service.inputs is not None and service.inputs.digest is not None
    }
    if not found:
        raise ConfigurationError(
            [f"{name}: it holds no inputs"], hint="write it with `hullmark affected --explain --format json`"
        )
    return found
