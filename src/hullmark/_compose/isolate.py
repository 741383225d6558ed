"""A copy of the resolved project that cannot meet any other: own name, own ports, own volumes, all labelled.

The resolved configuration is rewritten instead of merged with an override, because Compose concatenates the
`ports` of files. It holds secrets, so it is only ever handed over as standard input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.project import Project

LOOPBACK = "127.0.0.1"


def isolate(
    project: Project,
    *,
    name: str,
    labels: Mapping[str, str],
    reach: Mapping[str, Iterable[int]],
    start_interval: bool = False,
) -> str:
    """The Compose configuration, as JSON, of a copy of `project` called `name`.

    Every published port is published on a free port of the loopback interface, chosen by the engine, and so are
    the ports in `reach` (by service), which need not be published otherwise. Fixed container names, host names of
    networks and names of volumes are dropped, so that Compose derives them from `name`. Everything created
    carries `labels`. With `start_interval`, health checks are tried every second while a service starts.
    """
    raw: dict[str, Any] = json.loads(project.resolved)
    raw["name"] = name
    images = {service.name: service.image for service in project.services}
    for service, value in raw["services"].items():
        value["image"] = images[service]
        value.pop("build", None)
        value.pop("container_name", None)
        value["labels"] = {**(value.get("labels") or {}), **labels}
        value["ports"] = _ports(value.get("ports") or (), reach.get(service, ()))
        for network in (value.get("networks") or {}).values():
            for fixed in ("ipv4_address", "ipv6_address", "mac_address"):
                (network or {}).pop(fixed, None)
        if start_interval and not (value.get("healthcheck") or {}).get("disable"):
            value["healthcheck"] = {"start_interval": "1s", **(value.get("healthcheck") or {})}
    for kind in ("networks", "volumes"):
        for key, value in (raw.get(kind) or {}).items():
            if (value or {}).get("external"):
                continue
            raw[kind][key] = {k: v for k, v in (value or {}).items() if k not in {"name", "ipam"}}
            raw[kind][key]["labels"] = {**(raw[kind][key].get("labels") or {}), **labels}
    return json.dumps(raw)


def _ports(declared: Iterable[Mapping[str, Any]], reach: Iterable[int]) -> list[dict[str, Any]]:
    wanted = {(int(port["target"]), port.get("protocol", "tcp")) for port in declared}
    wanted |= {(port, "tcp") for port in reach}
    return [
        {"target": target, "protocol": protocol, "host_ip": LOOPBACK, "mode": "ingress"}
        for target, protocol in sorted(wanted)
    ]
