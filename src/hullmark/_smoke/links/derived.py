"""Links that nobody has declared: what services wait for, and whose addresses their environment holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hullmark._compose import carrier, unscaled
from hullmark._settings.candidates import Candidate, calls
from hullmark.model.project import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._engines import Engine
    from hullmark.model.project import Project, Service

PATIENCE = 10.0
"""Seconds within which a derived link must hold: everything is up, and nobody may be there to answer at all."""
Known = tuple[tuple[int, ...], str | None]
"""What an image says: the TCP ports that it exposes, and the command of its health check."""


def derived_links(project: Project, engine: Engine) -> tuple[Link, ...]:
    """The links of `project` that its own files speak of and `hullmark.toml` does not, none where it wants none.

    Each is a plain connection: what is to be asked there is known only of links that are declared.
    """
    if not project.settings.smoke_derive_links:
        return ()
    return derive(project, {service.name: _of_image(service, engine) for service in project.services})


def derive(project: Project, images: Mapping[str, Known]) -> tuple[Link, ...]:
    """The same, from what the image of each service says."""
    raw: dict[str, dict[str, Any]] = json.loads(project.resolved)["services"]
    idle = unscaled(project) | {name for name, value in raw.items() if _has_no_network(value)}
    services = {
        service.name: _candidate(project, service, raw, images.get(service.name, ((), None)))
        for service in project.services
        if service.name not in idle
    }
    declared = {(link.from_service, urlsplit(link.to).hostname) for link in project.settings.links}
    return tuple(
        Link(
            from_service=call.caller,
            to=f"tcp://{call.to.name}:{call.port}",
            origin=project.service(call.caller).span,
            timeout=PATIENCE,
            derived=call.because,
        )
        for call in calls(services)
        # Whoever declares links to a service has said which they are.
        if (call.caller, call.to.name.lower()) not in declared
        and carrier(project, call.caller) != carrier(project, call.to.name)
    )


def _has_no_network(service: Mapping[str, Any]) -> bool:
    """Whether it has no network, or that of a container outside of the project."""
    return str(service.get("network_mode") or "").startswith(("none", "container:"))


def _candidate(
    project: Project, service: Service, raw: Mapping[str, Mapping[str, Any]], known: Known
) -> Candidate:
    value = raw[service.name]
    exposed, health_check = known
    check = value.get("healthcheck") or {}
    if check.get("disable"):
        health_check = None
    elif check.get("test"):
        health_check = _plain(" ".join(map(str, check["test"])))
    carried = raw[carrier(project, service.name)]
    declared = tuple(int(text) for text in value.get("expose") or () if str(text).isdecimal())
    return Candidate(
        name=service.name,
        built=service.build is not None,
        ports=service.ports,
        exposed=(*exposed, *declared),
        health_check=health_check,
        depends_on=tuple(name for name, _ in service.depends_on),
        environment=tuple(
            (name, _plain(str(text)))
            for name, text in (value.get("environment") or {}).items()
            if text is not None
        ),
        one_shot=service.name in project.one_shots,
        networks=None if carried.get("network_mode") else frozenset(carried.get("networks") or {"default"}),
    )


def _plain(text: str) -> str:
    # Compose doubles each dollar, so that its answer can be read as a Compose file again.
    return text.replace("$$", "$")


def _of_image(service: Service, engine: Engine) -> Known:
    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    try:
        configuration = engine.client.images.get(service.image).attrs.get("Config") or {}
    except (NotFound, APIError):
        return (), None
    ports = [text.partition("/") for text in configuration.get("ExposedPorts") or {}]
    exposed = sorted(
        int(number) for number, _, protocol in ports if number.isdecimal() and protocol in {"", "tcp"}
    )
    test = (configuration.get("Healthcheck") or {}).get("Test")
    return tuple(exposed), " ".join(test) if test else None
