"""Kill: the main process of each service ends without a warning, as in a crash, and the service recovers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._smoke.probes import PAUSE
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.drill import Drill, Failed, Passed
from hullmark.model.duration import format_duration
from hullmark.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun
    from hullmark.model.project import Service

_LEFT_BEHIND = re.compile(r"(?:\.pid|\.lock|\.lck|/lock|/pid|\.sock)$", re.IGNORECASE)
"""Files by which a program knows that it runs, and which nobody removes after a crash."""
_PROC = Path("/proc")
_LAST_WORDS = 3


def drill(ground: Ground) -> Iterator[DrillRun]:
    """The crash of every service."""
    return ground.each(Drill.KILL, _kill)


def _kill(ground: Ground, name: str) -> DrillResult:
    return ground.one_by_one(name, lambda container: _crashed(ground, name, container))


def _crashed(ground: Ground, name: str, container: Container) -> DrillResult:
    service = ground.project.service(name)
    began = str(container.attrs["State"]["StartedAt"])
    crashed = crash(container)
    since = time.monotonic()
    by_itself = service.restarts and crashed
    if by_itself:
        _await(ground, container, lambda state: state["StartedAt"] != began, ground.within(name))
    else:
        _await(ground, container, lambda state: not state["Running"], ground.within(name))
        ground.patiently(container.start, 0.0)
    reason = ground.aftermath(name)
    left = _left(container)
    if reason:
        return Failed(
            seen=f"after its main process was killed: {reason}{_words(container)}{left}",
            remedy=_remedy(name, service, left),
            key="aftermath",
        )
    how = "its restart policy brought it back" if by_itself else "it came back when it was started"
    untried = "; its restart policy was not tried, because a crash cannot be made from here"
    return Passed(
        seen=f"{how}, and all work again after {format_duration(time.monotonic() - since)}"
        f"{untried if service.restarts and not crashed else ''}"
    )


def crash(container: Container) -> bool:
    """Ends the main process of `container`; whether the engine takes it for a crash.

    A kill by way of the engine counts as a stop that somebody wanted, after which no restart policy holds. So the
    process is killed from this host, where it is one of this host and may be killed from here.
    """
    number = int(container.attrs["State"]["Pid"])
    try:
        handle = os.pidfd_open(number)
    except (AttributeError, OSError):
        container.kill("SIGKILL")
        return False
    try:
        # Under this number there may be another process on this host, if the engine is elsewhere.
        groups = (_PROC / str(number) / "cgroup").read_text(encoding="utf-8", errors="replace")
        if str(container.id) in groups:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return True
    except (AttributeError, OSError):
        pass
    finally:
        os.close(handle)
    container.kill("SIGKILL")
    return False


def _await(ground: Ground, container: Container, come: Any, seconds: float) -> None:
    """Waits until what the engine says of the container's state is as `come` wants it; `seconds` at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        container.reload()
        if come(container.attrs["State"]):
            return
        if ground.engine.cancelled.wait(PAUSE / 2):
            raise Interrupted


def _words(container: Container) -> str:
    """The end of its log, for a message."""
    lines = container.logs(tail=_LAST_WORDS).decode("utf-8", "replace").splitlines()
    said = " / ".join(plain(line) for line in lines if line.strip())
    return f"; its log ends with: {said}" if said else ""


def _left(container: Container) -> str:
    """The files of the crashed run that may keep the next one from starting, for a message."""
    with contextlib.suppress(Unavailable):
        paths = sorted(
            str(each["Path"]) for each in container.diff() or () if _LEFT_BEHIND.search(str(each["Path"]))
        )
        if paths:
            return f"; left behind: {', '.join(paths[:3])}"
    return ""


def _remedy(name: str, service: Service, left: str) -> str:
    if left:
        return (
            f"let the entrypoint of `{name}` remove {left.rpartition(': ')[2]} before it starts the program"
        )
    if service.restarts:
        return f"see what its log says after the crash, and whether `restart` of `{name}` is what you want"
    return (
        f"see why `{name}` does not start twice in one container (`docker compose kill {name}`, then `start`)"
    )
