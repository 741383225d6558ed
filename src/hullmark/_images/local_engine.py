"""What the engine of this machine says of its images, asked at its socket.

The client for engines takes longer to load than everything else that reading an image out of the engine's store needs.
So two questions are asked without it; whatever does not go the usual way is left to the client, errors included.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = "unix://"
_USUAL = "/var/run/docker.sock"
_WITHIN = 120
_LARGEST = 1 << 24
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """An engine that listens at the path `address`."""

    address: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> LocalEngine | None:
        """The engine that the Docker CLI would use; `None` where it is elsewhere, or where a context says which."""
        if host := environ.get("DOCKER_HOST"):
            return cls(address=host.removeprefix(_LOCAL)) if host.startswith(f"{_LOCAL}/") else None
        if environ.get("DOCKER_CONTEXT") or _has_context(environ):
            return None
        return cls(address=_USUAL)

    @property
    def host(self) -> str:
        """As `DOCKER_HOST` names it."""
        return f"{_LOCAL}{self.address}"

    def info(self) -> dict[str, Any] | None:
        """About the engine; `None` where it does not say."""
        return self._ask("/info")

    def image(self, reference: str) -> dict[str, Any] | None:
        """About an image; `None` where the engine does not say, for example because it has none."""
        return self._ask(f"/images/{quote(reference, safe='/:@')}/json")

    def _ask(self, path: str) -> dict[str, Any] | None:
        # In the first version of HTTP an answer ends with the connection, and has no parts to put together.
        request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        answer = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_WITHIN)
                connection.connect(self.address)
                connection.sendall(request.encode())
                while len(answer) < _LARGEST and (piece := connection.recv(_PIECE)):
                    answer += piece
            head, _, body = bytes(answer).partition(b"\r\n\r\n")
            status = head.partition(b"\r\n")[0].split(b" ")
            said = json.loads(body) if status[1:2] == [b"200"] else None
        except (OSError, ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) else None


def _has_context(environ: Mapping[str, str]) -> bool:
    """Whether the user has chosen an engine by `docker context use`, or it cannot be seen that not."""
    directory = environ.get("DOCKER_CONFIG")
    path = Path(directory) if directory else Path.home() / ".docker"
    try:
        said = json.loads((path / "config.json").read_bytes())
        return str(said.get("currentContext") or "default") != "default"
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError, RecursionError):
        return True
