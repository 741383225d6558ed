"""Who started a stack, written into labels, so that what a killed run left behind can be told and removed."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

RUN_LABEL = "io.hullmark.run"
"""Label with the name of the run on everything that it creates."""
OWNER_LABEL = "io.hullmark.owner"
"""Label with the process that the run belongs to."""
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process of some machine, told apart from every other that ever has its number."""

    host: str
    boot: str
    """Which start of the machine; empty where the system does not say."""
    namespace: str
    """The PID namespace, in which `pid` means something."""
    pid: int
    started: str
    """When the process started, in the system's own units."""

    def __str__(self) -> str:
        return "|".join((self.host, self.boot, self.namespace, str(self.pid), self.started))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner that a label names, or `None` when it is not one of ours."""
        match text.split("|"):
            case [host, boot, namespace, pid, started] if pid.isdecimal():
                return cls(host=host, boot=boot, namespace=namespace, pid=int(pid), started=started)
            case _:
                return None

    def is_gone(self, here: Owner) -> bool:
        """Whether the process has certainly ended, as far as the process `here` can tell.

        A process of another machine, or of a PID namespace that `here` cannot see, is not known to have ended.
        """
        if self.host != here.host:
            return False
        if self.boot != here.boot:
            return True
        return self.namespace == here.namespace and _started(self.pid) != self.started


def this_process() -> Owner:
    """The process that runs this."""
    return Owner(
        host=platform.node().replace("|", ""),
        boot=_text(_PROC / "sys/kernel/random/boot_id"),
        namespace=_link(_PROC / "self/ns/pid"),
        pid=os.getpid(),
        started=_started(os.getpid()) or "",
    )


def _started(pid: int) -> str | None:
    """When process `pid` started; `None` when there is none."""
    stat = _text(_PROC / str(pid) / "stat")
    if stat:
        # The second field is the program's name in parentheses and may hold spaces; field 22 is the start time.
        return stat.rpartition(")")[2].split()[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return None if _PROC.joinpath("self").exists() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return path.readlink().as_posix()
    except OSError:
        return ""
