"""The engine: whether it answers, how it stores layers, and what time it has."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from hullmark.errors import HullmarkError
from hullmark.model.diagnosis import Looked, Trouble
from hullmark.model.finding import Severity
from hullmark.model.outcome import Broken, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._doctor.machine import Machine
    from hullmark.model.diagnosis import Sight

NO_ENGINE = Skipped(reason="no engine answers")
TOLERATED = 5.0
"""Seconds that clocks may differ; certificates and package lists are not that exact."""
_SLOW = {
    "vfs": "copies every layer whole: builds are slow, and images take several times their size",
    "devicemapper": "is not kept up any more",
    "aufs": "is not kept up any more",
}
_FRACTION = re.compile(r"\.(\d{6})\d+")


def look(machine: Machine) -> Sight:
    """Whether an engine answers that is new enough, and which."""
    if isinstance(machine.reached, HullmarkError):
        why = machine.reached
        return Looked(
            troubles=(
                Trouble(
                    severity=Severity.ERROR,
                    seen=why.message,
                    remedy=why.hint or "`docker context ls` says where it is looked for",
                ),
            )
        )
    info = machine.info
    facts = (
        ("address", machine.reached.host.replace("http+", "")),
        ("version", str(info.get("ServerVersion", ""))),
        ("system", f"{info.get('OperatingSystem', '')}, {info.get('Architecture', '')}"),
        ("processors", str(info.get("NCPU", ""))),
        ("memory", _amount(info.get("MemTotal", 0))),
    )
    return Looked(facts=facts, troubles=tuple(_memory(info)))


def _memory(info: Mapping[str, Any]) -> Iterator[Trouble]:
    if 0 < info.get("MemTotal", 0) < 2 * 10**9:
        yield Trouble(
            severity=Severity.WARNING,
            seen=f"the engine has {_amount(info['MemTotal'])} of memory",
            remedy="give its machine 4 GB or more: builds and stacks end with exit code 137 otherwise",
        )


def storage(machine: Machine) -> Sight:
    """The storage driver, control groups, and what the engine itself warns of."""
    if machine.engine is None:
        return NO_ENGINE
    info = machine.info
    driver = str(info.get("Driver", ""))
    status = {str(each[0]): str(each[1]) for each in info.get("DriverStatus") or () if len(each) > 1}
    facts = [
        ("driver", driver),
        ("file system", status.get("Backing Filesystem", status.get("driver-type", ""))),
        ("control groups", f"version {info.get('CgroupVersion', '1')}, by {info.get('CgroupDriver', '')}"),
        (
            "rootless",
            "yes" if any("rootless" in each for each in info.get("SecurityOptions") or ()) else "no",
        ),
    ]
    troubles = []
    if driver in _SLOW:
        troubles.append(
            Trouble(
                severity=Severity.WARNING,
                seen=f"the storage driver `{driver}` {_SLOW[driver]}",
                remedy="use overlay2 on ext4 or xfs, or the containerd image store",
            )
        )
    if str(info.get("CgroupVersion", "2")) == "1":
        troubles.append(
            Trouble(
                severity=Severity.NOTE,
                seen="the engine uses control groups of version 1",
                remedy="boot with `systemd.unified_cgroup_hierarchy=1`: newer engines give version 1 up",
            )
        )
    troubles += [
        Trouble(
            severity=Severity.NOTE,
            seen=f"the engine warns: {each.removeprefix('WARNING: ')}",
            remedy="`docker info`",
        )
        for each in info.get("Warnings") or ()
    ]
    return Looked(facts=tuple((name, value) for name, value in facts if value), troubles=tuple(troubles))


def clock(machine: Machine) -> Sight:
    """How far the engine's clock is from this host's."""
    if machine.engine is None:
        return NO_ENGINE
    before = dt.datetime.now(dt.UTC)
    text = str(machine.engine.client.info().get("SystemTime", ""))
    after = dt.datetime.now(dt.UTC)
    try:
        theirs = dt.datetime.fromisoformat(_FRACTION.sub(r".\1", text))
    except ValueError:
        return Broken(error=f"the engine says `{text}` when asked for the time")
    # It looked at its clock between question and answer; what lies there is no difference.
    ahead = max(0.0, (theirs - after).total_seconds()) or min(0.0, (theirs - before).total_seconds())
    facts = (("difference", f"{ahead:+.1f} s" if abs(ahead) >= 0.1 else "none"),)  # noqa: PLR2004
    if abs(ahead) <= TOLERATED:
        return Looked(facts=facts)
    side = "ahead of" if ahead > 0 else "behind"
    return Looked(
        facts=facts,
        troubles=(
            Trouble(
                severity=Severity.WARNING,
                seen=f"the engine's clock is {abs(ahead):.0f} s {side} that of this host",
                remedy="set both from a time server; restart the virtual machine of Docker Desktop",
            ),
        ),
    )


def _amount(number: int) -> str:
    return f"{number / 10**9:.1f} GB"
