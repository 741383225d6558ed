"""All records of an ecosystem out of a zip archive, each of them looked at."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._vulnerabilities import osv
from hullmark._vulnerabilities.build import Building
from hullmark._vulnerabilities.feed import LARGEST_RECORD, moment
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    import datetime as dt
    import threading
    from pathlib import Path

    from hullmark._vulnerabilities.ecosystems import Ecosystem

_TOLERATED = 1000
"""One record of so many may be unreadable: a slip of one database is not to keep everybody from all others."""
_LARGEST = 8 << 30
"""Bytes of all records."""
_HALF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The records of an archive, ready to be written."""

    building: Building
    newest: dt.datetime
    """When the record was changed that was changed last, of those that are not of the future."""
    early: int
    """Records that are dated in the future."""
    unread: int
    """Records that could not be read."""


def gather(
    path: Path,
    source: str,
    ecosystem: Ecosystem,
    *,
    now: dt.datetime,
    before: int = 0,
    cancelled: threading.Event,
) -> Gathered:
    """All records of the archive at `path`, which came from `source`; there were `before` of them the last time.

    Raises `Unavailable` when the archive is damaged, holds something else, or much less than before.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _gather(archive, source, ecosystem, before, now, cancelled)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(source, f"no zip archive that is whole: {error}") from error


def _refused(source: str, reason: str) -> Unavailable:
    return Unavailable(f"what came from {source} is {reason}", hint="the store stays as it was")


def _gather(
    archive: zipfile.ZipFile,
    source: str,
    ecosystem: Ecosystem,
    before: int,
    now: dt.datetime,
    cancelled: threading.Event,
) -> Gathered:
    files = [each for each in archive.infolist() if each.filename.endswith(".json")]
    if sum(each.file_size for each in files) > _LARGEST:
        raise _refused(source, "larger than all records can be")
    building = Building(ecosystem)
    newest = moment("1970-01-01T00:00:00Z")
    unread, early, first = 0, 0, ""
    for each in files:
        if cancelled.is_set():
            raise Interrupted
        try:
            if each.file_size > LARGEST_RECORD:
                raise osv.WrongSchema("larger than a record can be")
            # Reading compares the checksum.
            advisory = osv.read(archive.read(each))
            modified = moment(advisory.modified)
        except ValueError as error:
            unread += 1
            first = first or f"{each.filename}: {error}"
            if unread * _TOLERATED > len(files):
                raise _refused(source, f"not what the format of OSV has. {first}") from error
            continue
        if modified > now:
            # It would hide for how long nothing has come, and all changes until then.
            early += 1
        else:
            newest = max(newest, modified)
        building.add(advisory)
    if not len(building):
        raise _refused(source, f"without any record of {ecosystem.name}")
    if len(building) * _HALF < before:
        raise Unavailable(
            f"what came from {source} has {len(building)} records of {ecosystem.name}, the store has {before}",
            hint=f"the store stays as it was; if that is right, `hullmark db clear {_quoted(ecosystem.name)}` first",
        )
    return Gathered(building=building, newest=newest, early=early, unread=unread)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
