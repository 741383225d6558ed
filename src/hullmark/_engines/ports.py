"""Ports of this host that are taken, and who holds them."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._engines.docker import Engine

_LISTENING = "0A"
"""The state of a listening socket in `/proc/net/tcp`."""


def is_taken(port: int, host: str = "") -> bool:
    """Whether nobody else can listen at the TCP port `port` of the address `host` (all of them when empty)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # As the engine's proxy does: a connection that has ended is in nobody's way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1)
        except OSError as error:
            # An address that this machine has not got, or a port that needs rights, is another problem.
            return error.errno == errno.EADDRINUSE
    return False


def free_port(host: str = "") -> int:
    """A TCP port that nobody listens at now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port


def holder(port: int, engine: Engine | None = None) -> str:
    """Who listens at the TCP port `port` of this host, in words: a container, or a process of this machine.

    Empty where that cannot be seen: processes of other users, of other machines, and systems without `/proc`.
    """
    return (_container(port, engine) if engine else "") or _process(port)


def _container(port: int, engine: Engine) -> str:
    for container in engine.client.containers.list(ignore_removed=True):
        for bound in (container.attrs["NetworkSettings"].get("Ports") or {}).values():
            if any(each.get("HostPort") == str(port) for each in bound or ()):
                project = container.labels.get("com.docker.compose.project")
                of = f" of the Compose project `{project}`" if project else ""
                return f"container `{container.name}`{of}"
    return ""


def _process(port: int) -> str:
    wanted = set(_sockets(port))
    if not wanted:
        return ""
    for directory in Path("/proc").iterdir():
        if not directory.name.isdecimal():
            continue
        # A process may end while it is looked at, and those of others show nothing.
        with contextlib.suppress(OSError):
            for entry in (directory / "fd").iterdir():
                if str(entry.readlink()) in wanted:
                    name = (directory / "comm").read_text(encoding="utf-8", errors="replace").strip()
                    return f"process {directory.name} (`{name}`)"
    return ""


def _sockets(port: int) -> Iterator[str]:
    """The sockets that listen at `port`, as the links in `/proc/PID/fd` name them."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"
