"""Disks: how much space there is for the engine and for what hullmark keeps, and what the builder holds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._doctor.examinations.engine import NO_ENGINE
from hullmark._files import cache_directory
from hullmark.errors import Unavailable
from hullmark.model.diagnosis import Looked, Trouble
from hullmark.model.finding import Severity
from hullmark.model.outcome import Skipped
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._doctor.machine import Machine
    from hullmark._engines import Engine
    from hullmark.model.diagnosis import Sight

SCARCE = 10 * 10**9
"""Bytes below which one more build may fill the disk."""
FULL = 10**9
PATIENCE = 30.0
"""Seconds that the engine may take to measure its build cache; while it builds, that may wait for the build."""
LARGE = 20 * 10**9
"""Bytes of build cache from which on it is worth a word."""


def space(machine: Machine) -> Sight:
    """Free space and inodes of the engine's disk, where that is one of this machine, and of the cache's."""
    places: list[tuple[str, Path]] = []
    if (cache := cache_directory(machine.environ)) is not None:
        places.append(("cache", cache))
    missing = ""
    if machine.engine is None:
        missing = "no engine answers"
    else:
        root = Path(str(machine.info.get("DockerRootDir", "")))
        if machine.is_local and os.access(root, os.X_OK):
            places.insert(0, ("engine", root))
        else:
            missing = f"`{root}` of the engine cannot be seen from here"
    if not places or (missing and machine.engine is None):
        return Skipped(reason=missing or "nothing is kept", moot=not missing)
    facts = []
    troubles: list[Trouble] = []
    for name, where in places:
        usage = shutil.disk_usage(_existing(where))
        facts.append((name, f"{where}: {format_size(usage.free)} of {format_size(usage.total)} free"))
        troubles += _scarce(name, where, usage.free, _free_inodes(_existing(where)))
    if missing:
        facts.append(("not seen", missing))
    return Looked(facts=tuple(facts), troubles=tuple(troubles))


def _existing(where: Path) -> Path:
    """`where`, or the nearest directory above it that is there."""
    while not where.exists() and where != where.parent:
        where = where.parent
    return where


def _free_inodes(where: Path) -> float:
    """The share of inodes that are free; 1 where the file system does not count them."""
    status = os.statvfs(where)
    return status.f_favail / status.f_files if status.f_files else 1.0


def _scarce(name: str, where: Path, free: int, inodes: float) -> Iterator[Trouble]:
    remedy = (
        "`docker system df` shows what takes it; `docker builder prune -f` frees what no build uses"
        if name == "engine"
        else "`hullmark cache clear` removes what is kept of layers"
    )
    if free < SCARCE:
        yield Trouble(
            severity=Severity.ERROR if free < FULL else Severity.WARNING,
            seen=f"the disk of {where} has {format_size(free)} left",
            remedy=remedy,
        )
    if inodes < 0.05:  # noqa: PLR2004  # a twentieth
        yield Trouble(
            severity=Severity.WARNING, seen=f"the disk of {where} has few inodes left", remedy=remedy
        )


def _records(engine: Engine) -> list[dict[str, Any]]:
    """What the builder keeps, entry by entry. Raises `Unavailable` where the engine does not say."""
    api = engine.client.api
    try:
        # Not the client's own way, which has the engine measure images and volumes as well.
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/system/df",
            params={"type": "build-cache"},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json().get("BuildCache") or []
    except (OSError, ValueError) as error:
        reason = f"not within {PATIENCE:g} s" if "timed out" in str(error).lower() else str(error)
        raise Unavailable(f"the engine does not say what its builder keeps: {reason}") from error
    return found


def build_cache(machine: Machine) -> Sight:
    """How much the builder keeps, and how much of it no build uses."""
    if machine.engine is None:
        return NO_ENGINE
    records = _records(machine.engine)
    total = sum(each.get("Size", 0) for each in records if not each.get("Shared"))
    idle = sum(each.get("Size", 0) for each in records if not each.get("Shared") and not each.get("InUse"))
    facts = (
        ("entries", f"{len(records):,}"),
        ("size", format_size(total)),
        ("reclaimable", format_size(idle)),
    )
    troubles = (
        (
            Trouble(
                severity=Severity.NOTE,
                seen=f"the builder keeps {format_size(idle)} that no build uses",
                remedy="`docker builder prune -f` removes it; `--filter until=168h` leaves what is younger than a week",
            ),
        )
        if idle > LARGE
        else ()
    )
    return Looked(facts=facts, troubles=troubles)
