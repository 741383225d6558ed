"""Where a redirection leads within the stack, whose ports are others seen from this host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from hullmark.model.project import Project

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is asked for, as the service itself would call it."""

    service: str
    port: int
    """Inside of the container."""
    secure: bool
    path: str
    """With the query."""
    host: str = ""
    """The virtual host, with its port where it has one; empty for the loopback address."""

    @property
    def url(self) -> str:
        """Its address."""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{self.host or f'localhost:{self.port}'}{self.path}"


def next_place(place: Place, location: str, project: Project) -> Place | str:
    """Where `location` leads from `place`, or why that cannot be followed from here.

    The same host without a port is the port that the scheme stands for, and a published port the one inside of the
    container that it leads to.
    """
    try:
        parts = urlsplit(urljoin(place.url, location))
        port = parts.port
        relative = not urlsplit(location).netloc
    except ValueError:
        return f"redirected to `{location}`, which is no address"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"redirected to `{location}`, which is no address"
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = urlsplit(place.url).hostname
    if relative:
        return Place(service=place.service, port=place.port, secure=place.secure, path=path, host=place.host)
    asked = port or (443 if secure else 80)
    if parts.hostname in {own, *_HERE}:
        service = place.service
        host = parts.netloc.rpartition("@")[2] if place.host else ""
    elif parts.hostname in {each.name for each in project.services}:
        service, host = parts.hostname, parts.netloc.rpartition("@")[2]
    else:
        return f"redirected to `{location}`, which is outside of the stack"
    return Place(service=service, port=_inside(project, service, asked), secure=secure, path=path, host=host)


def _inside(project: Project, service: str, port: int) -> int:
    """The container port of `service` that the project publishes as `port`; `port` itself where it publishes none so."""
    declared = json.loads(project.resolved)["services"].get(service, {}).get("ports") or ()
    published = {str(each.get("published", "")): int(each["target"]) for each in declared}
    return published.get(str(port), port)
