"""Who started a stack, written into labels, so that what a killed run left behind can be told and removed."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_LABEL = "io.hullmark.run"
"""Label with the name of the run on everything that it creates."""
OWNER_LABEL = "io.hullmark.owner"
"""Label with the process that the run belongs to."""
KEPT_LABEL = "io.hullmark.kept"
"""Label on everything of a run whose stack is left up on purpose: it outlives its owner."""
_PROC = Path("/proc")
_under_way: set[str] = set()


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

    def is_gone(self, here: Owner, *, local: bool) -> bool:
        """Whether the process has certainly ended, as far as the process `here` can tell.

        A process of another machine, or of a PID namespace that `here` cannot see, is not known to have ended.
        One of another boot has, if the engine is `local`, for then both boots are of this machine; machines that
        share an engine over the network may share their names, too.
        """
        if self.host != here.host:
            return False
        if self.boot != here.boot:
            return local
        return self.namespace == here.namespace and not _lives(self.pid, self.started)


def this_process() -> Owner:
    """The process that runs this."""
    return Owner(
        host=platform.node().replace("|", ""),
        boot=_text(_PROC / "sys/kernel/random/boot_id"),
        namespace=_link(_PROC / "self/ns/pid"),
        pid=os.getpid(),
        started=state_of(os.getpid())[1],
    )


def labels_of_run(name: str, *, kept: bool = False) -> dict[str, str]:
    """The labels for what this process creates in the run called `name`, which may be `kept` when it ends."""
    return {RUN_LABEL: name, OWNER_LABEL: str(this_process()), **({KEPT_LABEL: "true"} if kept else {})}


@contextlib.contextmanager
def under_way(name: str) -> Iterator[None]:
    """Counts the run called `name` among those that are under way; leave it when what it created has been removed."""
    _under_way.add(name)
    try:
        yield
    finally:
        _under_way.discard(name)


def runs_under_way() -> tuple[str, ...]:
    """The runs of this process that something is left of if it ends now."""
    return tuple(sorted(_under_way))


def _lives(pid: int, started: str) -> bool:
    """Whether process `pid` is there and is the one that started at `started`, as far as the system says."""
    state, since = state_of(pid)
    if state:
        # A zombie has ended; where nobody collects it, it stays for ever.
        return state not in {"Z", "X"} and since == started
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True  # the system does not show it, but it is there


def state_of(pid: int) -> tuple[str, str]:
    """State and start time of process `pid`; empty where the system does not show them."""
    stat = _text(_PROC / str(pid) / "stat")
    if not stat:
        return "", ""
    # The second field is the program's name in parentheses and may hold spaces; the third is the state.
    fields = stat.rpartition(")")[2].split()
    return fields[0], fields[19]


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
