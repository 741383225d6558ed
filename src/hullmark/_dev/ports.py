"""Published ports that somebody else holds, and the stack with others in their place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark._engines.ports import free_port, holder, is_taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._engines import Engine
    from hullmark.model.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One TCP port of a service and where on this host it is to answer."""

    service: str
    target: int
    port: int
    host: str
    """The address; empty for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A port that cannot be published because it is taken."""

    published: Published
    holder: str
    """Who holds it, in words; empty when that is not known."""
    instead: int
    """A port that is free."""

    def __str__(self) -> str:
        held = f"held by {self.holder}" if self.holder else "taken"
        return f"port {self.published.port} of `{self.published.service}` is {held}"


def published(project: Project, services: Iterable[str]) -> Iterator[Published]:
    """The fixed TCP ports that `services` publish."""
    raw = json.loads(project.resolved).get("services") or {}
    for name in services:
        for port in raw.get(name, {}).get("ports") or ():
            if port.get("protocol", "tcp") == "tcp" and str(port.get("published", "")).isdecimal():
                yield Published(
                    service=name,
                    target=int(port["target"]),
                    port=int(port["published"]),
                    host=str(port.get("host_ip") or ""),
                )


def conflicts(project: Project, services: Iterable[str], engine: Engine) -> tuple[Conflict, ...]:
    """The ports of `services` that are taken by anybody but this project's own containers."""
    ours = _held_by(project.name, engine)
    return tuple(
        Conflict(published=each, holder=holder(each.port, engine), instead=free_port(each.host))
        for each in published(project, services)
        if each.port not in ours and is_taken(each.port, each.host)
    )


def _held_by(name: str, engine: Engine) -> set[int]:
    found = engine.client.containers.list(
        filters={"label": f"com.docker.compose.project={name}"}, ignore_removed=True
    )
    return {
        int(bound["HostPort"])
        for container in found
        for each in (container.attrs["NetworkSettings"].get("Ports") or {}).values()
        for bound in each or ()
    }


def moved(project: Project, found: Iterable[Conflict]) -> str:
    """The resolved configuration with free ports in the place of those that are taken.

    For Compose, as JSON. It holds secrets: never log or report it.
    """
    instead = {(each.published.service, each.published.port): each.instead for each in found}
    raw: dict[str, Any] = json.loads(project.resolved)
    for name, service in raw["services"].items():
        for port in service.get("ports") or ():
            at = str(port.get("published", ""))
            if at.isdecimal() and (name, int(at)) in instead:
                port["published"] = str(instead[name, int(at)])
    return json.dumps(raw)
