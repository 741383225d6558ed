"""Stop: each service is asked to end, and does within its grace period, before it is killed."""

from __future__ import annotations

import contextlib
import posixpath
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._compose.positions import declarations
from hullmark._dockerfile import dockerfile_of
from hullmark._smoke.probes import run_inside
from hullmark.errors import HullmarkError, Unavailable
from hullmark.model.drill import Drill, Failed, Passed
from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun
    from hullmark.model.location import SourceSpan

KILLED = 137
"""The exit code of what was ended by SIGKILL."""
SHELLS = frozenset({"sh", "ash", "bash", "dash", "busybox"})
_SHOWN = 60
_LOOK = 5.0
"""Seconds that a look at the main process may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstProcess:
    """The main process of a container: who gets the signal."""

    command: str
    handles: bool | None
    """Whether it has a handler for the signal; `None` where that cannot be seen."""

    ignores: bool | None = None
    """Whether it has said that it ignores the signal."""

    @property
    def is_shell(self) -> bool:
        """Whether it is a shell that runs something else and does not pass signals on."""
        words = self.command.split()
        return bool(words) and posixpath.basename(words[0].lstrip("-")) in SHELLS


def drill(ground: Ground) -> Iterator[DrillRun]:
    """A polite stop of every service."""
    return ground.each(Drill.STOP, _stop)


def _stop(ground: Ground, name: str) -> DrillResult:
    return ground.one_by_one(name, lambda container: _stopped(ground, name, container))


def _stopped(ground: Ground, name: str, container: Container) -> DrillResult:
    asked = str(container.attrs["Config"].get("StopSignal") or "SIGTERM")
    first = first_process(ground, name, container, asked)
    grace = ground.grace(container)
    began = time.monotonic()
    ground.patiently(lambda: container.stop(timeout=round(grace)), grace)
    seconds = time.monotonic() - began
    container.reload()
    code = container.attrs["State"]["ExitCode"]
    # No restart policy brings back what somebody has stopped.
    ground.patiently(container.start, 0.0)
    if code != KILLED:
        return Passed(seen=f"it ended {format_duration(seconds)} after {asked}, with exit code {code}")
    if number(asked) == signal.SIGKILL:
        return Failed(
            seen=f"its stop signal is {asked}: it is killed without being asked",
            remedy="remove STOPSIGNAL (`stop_signal` in the Compose file), or name a signal that the program handles",
            key="stop signal",
            location=_place(ground, name, "stop_signal", ("STOPSIGNAL",)),
        )
    if seconds < grace:
        return Failed(
            seen=f"it was killed {format_duration(seconds)} after {asked}, before its {format_duration(grace)} were over",
            remedy=f"see what kills it: `docker compose stop {name}`, then its log and the kernel's (`dmesg`)",
            key="killed",
        )
    why, remedy, location = _cause(ground, name, container, first, asked)
    return Failed(
        seen=f"{asked} did not end it: it was killed after {format_duration(seconds)} (exit code {code}); {why}",
        remedy=remedy,
        key="ignored",
        location=location,
    )


def _cause(
    ground: Ground, name: str, container: Container, first: FirstProcess | None, asked: str
) -> tuple[str, str, SourceSpan | None]:
    """Why it was not ended by the signal, what to do, and where."""
    command = (
        first.command if first is not None else " ".join((container.attrs["Path"], *container.attrs["Args"]))
    )
    shown = command[:_SHOWN]
    if container.attrs["HostConfig"].get("Init"):
        return (
            "the init passes it on, and what it runs does not end",
            f"let the program of `{name}` end on {asked}, or set `stop_signal` to one that it handles",
            _start(ground, name),
        )
    if first is not None and first.ignores:
        return (
            f"the first process (`{shown}`) ignores it, as with `trap '' TERM`",
            f"let it handle {asked} in place of ignoring it, or set `stop_signal` (STOPSIGNAL) to one that it handles",
            _start(ground, name),
        )
    if first is not None and first.is_shell and not first.handles:
        started = [container.attrs["Path"], *container.attrs["Args"]][:2]
        listed = (
            ""
            if started != ["/bin/sh", "-c"]
            else 'write ENTRYPOINT or CMD as a list of words (`["program"]`), or '
        )
        return (
            f"the first process is a shell (`{shown}`), which does not pass it on",
            f"{listed}end the script with `exec program`, or set `init: true`",
            _start(ground, name),
        )
    if first is None or first.handles is None:
        return (
            "whether its first process handles that cannot be seen",
            f"let it handle {asked}, set `init: true` or `stop_signal`, or give it a longer `stop_grace_period`",
            _start(ground, name),
        )
    if not first.handles:
        return (
            f"the first process (`{shown}`) has no handler for it, and as the first process no default either",
            f"set `init: true`, let it handle {asked}, or set `stop_signal` (STOPSIGNAL) to a signal that it handles",
            _start(ground, name),
        )
    return (
        f"the first process (`{shown}`) handles it and does not end in time",
        f"let it finish faster, or give it a longer `stop_grace_period` than {format_duration(ground.grace(container))}",
        _place(ground, name, "stop_grace_period", ()),
    )


def _start(ground: Ground, name: str) -> SourceSpan | None:
    """Where that is written which the service starts."""
    return _place(ground, name, "entrypoint", ()) or _place(ground, name, "command", ("ENTRYPOINT", "CMD"))


def _place(ground: Ground, name: str, key: str, keywords: tuple[str, ...]) -> SourceSpan | None:
    """Where the Compose file sets `key` of the service, or else its Dockerfile one of `keywords`."""
    service = ground.project.service(name)
    declared = declarations(ground.project.files, ground.project.root)
    if place := declared.keys.get(f"services.{name}.{key}"):
        return place
    if service.build is None or service.build.unreadable or not keywords:
        return None
    with contextlib.suppress(HullmarkError):
        dockerfile = dockerfile_of(service, ground.project.root)
        if dockerfile is not None:
            final = dockerfile.recipe(service.build.target).final
            return next((found.span for each in keywords if (found := final.last(each)) is not None), None)
    return None


def number(name: str) -> int:
    """The number of the signal that an image or a Compose file names; 15 for one that is not known."""
    if name.isdecimal():
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    try:
        return signal.Signals[full].value
    except KeyError:
        return signal.SIGTERM.value


def first_process(ground: Ground, name: str, container: Container, asked: str) -> FirstProcess | None:
    """The main process of `container`; `None` where it cannot be seen."""
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    pid = str(container.attrs["State"]["Pid"])
    try:
        rows = container.top(ps_args="-eo pid,args")["Processes"] or []
    except APIError:
        return None
    command = next((row[1] for row in rows if row[0] == pid), None)
    if command is None:
        return None
    status, wanted = _status(ground, name, container), number(asked)
    return FirstProcess(command=command, handles=handles(status, wanted), ignores=ignores(status, wanted))


def _status(ground: Ground, name: str, container: Container) -> str:
    """What the kernel says of the main process: on this host, or else inside of the container."""
    own = Path("/proc") / str(container.attrs["State"]["Pid"])
    with contextlib.suppress(OSError):
        # Under this number there may be another process on this host, if the engine is elsewhere.
        if str(container.id) in (own / "cgroup").read_text(encoding="utf-8", errors="replace"):
            return (own / "status").read_text(encoding="utf-8", errors="replace")
    with contextlib.suppress(Unavailable):
        code, output = run_inside(ground.stack.looking_at(container), name, ("cat", "/proc/1/status"), _LOOK)
        return output if code == 0 else ""
    return ""


def handles(status: str, wanted: int) -> bool | None:
    """Whether a process with this `/proc/PID/status` has a handler for the signal; `None` where it does not say."""
    return _has(status, "SigCgt", wanted)


def ignores(status: str, wanted: int) -> bool | None:
    """Whether it ignores the signal; `None` where it does not say."""
    return _has(status, "SigIgn", wanted)


def _has(status: str, name: str, wanted: int) -> bool | None:
    """Whether the set of signals called `name` holds the signal `wanted`."""
    found = re.search(rf"^{name}:\s*([0-9a-fA-F]+)$", status, re.MULTILINE)
    return None if found is None else bool(int(found[1], 16) >> (wanted - 1) & 1)
