"""A copy of the resolved project that cannot meet any other: own name, own ports, own volumes, all labelled.

The resolved configuration is rewritten instead of merged with an override, because Compose concatenates the
`ports` of files. It holds secrets, so it is only ever handed over as standard input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hullmark._compose.mounts import Mounts
from hullmark._compose.outside import unisolated
from hullmark.errors import nearest
from hullmark.model.stack_copy import StackCopy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.project import Project

LOOPBACK = "127.0.0.1"
DOOR = "hullmark-door"
"""The network through which this host reaches services that the project keeps to internal networks."""
# An address or a name on the host that two copies cannot both have.
_FIXED_IN_NETWORK = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
_FIXED_IN_SERVICE = ("build", "container_name", "mac_address", "profiles")
_BRIDGE_NAME = "com.docker.network.bridge.name"


def isolate(
    project: Project,
    *,
    name: str,
    labels: Mapping[str, str],
    reach: Mapping[str, Iterable[int]],
    start_interval: bool = False,
    start_periods: Mapping[str, str] | None = None,
    needed: Iterable[str] = (),
) -> StackCopy:
    """A copy of `project` called `name`: its Compose configuration, as JSON, and what has to be copied into it.

    Every published port is published on a free port of the loopback interface, chosen by the engine, and so are
    the ports in `reach` (by service), which need not be published otherwise. Fixed container names stay known as
    aliases inside of the networks; names and addresses of networks and names of volumes are dropped, so that
    Compose derives them from `name`. A service on the network of the host gets a network like any other; what else of
    this machine is shared, and cannot be isolated, is said in the notes. Networks
    and volumes that are external to the project become private ones, empty at first, and directories of this host
    that services may write to become volumes (see `Mounts`); what `smoke.shared` lists stays as it is. Everything
    created carries `labels`. Images are never built, and those of the project never pulled. With `start_interval`,
    health checks are tried every second in their start period, which `start_periods` gives for services whose image
    defines it. Of the services that are `needed` there is a container even if the project wants none. Restart policies
    are off, so that what comes up has come up at the first try, but for services that may be started again.
    """
    raw: dict[str, Any] = json.loads(project.resolved)
    raw["name"] = name
    services: dict[str, dict[str, Any]] = raw.get("services") or {}
    networks: dict[str, Any] = raw.get("networks") or {}
    internal = {key for key, value in networks.items() if (value or {}).get("internal")}
    wanted = _wanted(services, reach)
    shared = frozenset(project.settings.smoke_shared)
    notes = _take_private(raw, shared)
    mounts = Mounts(project=project, name=name)
    mounts.replace(services, raw)
    notes += unisolated(services)
    notes += [f"`{each}` runs `{project.service(each).image}`, as it was asked for" for each in project.given]
    for service in project.services:
        value = services[service.name]
        if service.name in needed and service.name in unscaled(project):
            value.pop("scale", None)
            (value.get("deploy") or {}).pop("replicas", None)
        value["image"] = service.image
        value["labels"] = {**(value.get("labels") or {}), **labels}
        if value.get("build"):
            value["pull_policy"] = "never"
        if value.get("network_mode") == "host":
            del value["network_mode"]
            # Compose would make this network itself, without the labels by which it is removed.
            value["networks"] = {"default": None}
            networks.setdefault("default", {})
        _join(value, value.get("container_name"))
        _release(value, restarts=bool(project.settings.service(service.name).restarts))
        value["ports"] = wanted[service.name]
        if value["ports"] and internal.issuperset(value.get("networks") or {"": None}):
            value["networks"][DOOR] = None
            # No masquerading: the host gets in, and the service still does not get out.
            networks.setdefault(
                DOOR, {"driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"}}
            )
        if start_interval:
            _hurry(value, (start_periods or {}).get(service.name))
    if networks:
        raw["networks"] = networks
    for kind in ("networks", "volumes"):
        raw[kind] = {key: _renewed(value or {}, labels) for key, value in (raw.get(kind) or {}).items()}
    return StackCopy(
        name=name,
        configuration=json.dumps(raw),
        directories=tuple(mounts.directories),
        files=tuple(mounts.files),
        notes=(*notes, *mounts.notes),
    )


def _release(service: dict[str, Any], *, restarts: bool) -> None:
    """Drops what two copies cannot both have, and the restart policy of a service that may not be started again."""
    for fixed in _FIXED_IN_SERVICE:
        service.pop(fixed, None)
    if not restarts:
        service.pop("restart", None)
        (service.get("deploy") or {}).pop("restart_policy", None)


def with_restart_policies(project: Project, configuration: str) -> str:
    """`configuration`, which is that of a copy of `project`, with the restart policies that the project declares."""
    raw: dict[str, Any] = json.loads(configuration)
    declared: dict[str, dict[str, Any]] = json.loads(project.resolved)["services"]
    for name, value in raw["services"].items():
        if "restart" in declared[name]:
            value["restart"] = declared[name]["restart"]
        if policy := (declared[name].get("deploy") or {}).get("restart_policy"):
            value["deploy"] = {**(value.get("deploy") or {}), "restart_policy": policy}
    return json.dumps(raw)


def unscaled(project: Project) -> frozenset[str]:
    """The services of which the project wants no container: `scale` or `deploy.replicas` is 0."""
    services: dict[str, dict[str, Any]] = json.loads(project.resolved).get("services") or {}
    return frozenset(
        name
        for name, value in services.items()
        # Where both are given Compose has made sure that they agree.
        if 0 in {value.get("scale"), (value.get("deploy") or {}).get("replicas")}
    )


def unshareable(project: Project) -> tuple[str, ...]:
    """What is wrong with `smoke.shared`, one sentence for each name that is nothing the copy could share."""
    names = project.settings.smoke_shared
    if not names:
        return ()
    raw: dict[str, Any] = json.loads(project.resolved)
    valid = {
        key
        for kind in ("networks", "volumes")
        for key, value in (raw.get(kind) or {}).items()
        if _outside(value or {})
    }
    sources = Mounts(project=project, name="").sources(raw)
    problems = []
    for name in names:
        if name in valid or Mounts.path(project, name) in sources:
            continue
        meant = nearest(name, valid)
        question = f"did you mean `{meant}`? " if meant else ""
        problems.append(
            f"`smoke.shared`: `{name}` is no external network or volume of the project, and no directory or file "
            f"that it mounts; {question}(external: {', '.join(sorted(valid)) or 'none'})"
        )
    return tuple(problems)


def _outside(resource: Mapping[str, Any]) -> bool:
    """Whether a network or volume is one that exists, or keeps its contents, outside of the project."""
    options = resource.get("driver_opts") or {}
    kind, device = str(options.get("type") or ""), str(options.get("device") or "")
    bound = "bind" in str(options.get("o") or "").split(",")
    return bool(resource.get("external")) or (bool(device) and kind != "tmpfs" and not bound)


def _take_private(raw: dict[str, Any], shared: frozenset[str]) -> list[str]:
    """Makes networks and volumes that exist outside of the project private, but for those that are `shared`."""
    notes = []
    for kind in ("networks", "volumes"):
        for key, value in sorted((raw.get(kind) or {}).items()):
            if not _outside(value or {}) or key in shared:
                continue
            word = "external " if value.get("external") else ""
            notes.append(
                f"{word}{kind.removesuffix('s')} `{key}` is replaced by a private one, empty at first"
            )
            raw[kind][key] = {"labels": value["labels"]} if value.get("labels") else {}
    return notes


def carrier(project: Project, service: str) -> str:
    """The service whose network `service` is on, and which publishes its ports: itself, or one that it names."""
    return _carrier(json.loads(project.resolved)["services"], service)


def _carrier(services: Mapping[str, Mapping[str, Any]], name: str) -> str:
    seen = {name}
    while str(services[name].get("network_mode")).startswith("service:"):
        name = services[name]["network_mode"].removeprefix("service:")
        if name in seen or name not in services:
            break
        seen.add(name)
    return name


def _wanted(
    services: Mapping[str, Mapping[str, Any]], reach: Mapping[str, Iterable[int]]
) -> dict[str, list[dict[str, Any]]]:
    """For each service the ports to publish: its own, and those of services that share its network."""
    found: dict[str, set[tuple[int, str]]] = {name: set() for name in services}
    for name, value in services.items():
        owner = _carrier(services, name)
        if owner in found and _may_publish(services[owner]):
            declared = value.get("ports") or ()
            found[owner] |= {(int(port["target"]), port.get("protocol", "tcp")) for port in declared}
            found[owner] |= {(port, "tcp") for port in reach.get(name, ())}
    return {
        name: [
            {"target": target, "protocol": protocol, "host_ip": LOOPBACK, "mode": "ingress"}
            for target, protocol in sorted(ports)
        ]
        for name, ports in found.items()
    }


def _may_publish(service: Mapping[str, Any]) -> bool:
    """Whether it has a network of its own; `none` and the network of another container publish nothing."""
    mode = str(service.get("network_mode") or "")
    return mode != "none" and not mode.startswith(("container:", "service:"))


def _join(service: dict[str, Any], alias: str | None) -> None:
    """Drops fixed addresses, and keeps the fixed name by which others may call the service."""
    if service.get("network_mode"):
        return
    joined = service.get("networks") or {"default": None}
    service["networks"] = {}
    for network, settings in joined.items():
        kept = {key: value for key, value in (settings or {}).items() if key not in _FIXED_IN_NETWORK}
        if alias:
            kept["aliases"] = sorted({*(kept.get("aliases") or ()), alias})
        service["networks"][network] = kept or None


def _hurry(service: dict[str, Any], start_period: str | None) -> None:
    """Has the health check tried every second in its start period.

    Without such a period an interval for it has no effect, and newer versions of Compose refuse it.
    """
    check = service.get("healthcheck") or {}
    period = check.get("start_period") or start_period
    if period and not check.get("disable") and (check.get("test") or [""])[0] != "NONE":
        service["healthcheck"] = {"start_interval": "1s", "start_period": period, **check}


def _renewed(resource: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """A network or volume without what only one of its kind can have; a shared one as it is."""
    if resource.get("external"):
        return dict(resource)
    renewed = {key: value for key, value in resource.items() if key not in {"name", "ipam"}}
    if "driver_opts" in renewed:
        options = {key: value for key, value in (renewed["driver_opts"] or {}).items() if key != _BRIDGE_NAME}
        renewed["driver_opts"] = options
    if (resource.get("ipam") or {}).get("config"):
        # Engines before 27 make no IPv6 network without a subnet, and the subnet is gone.
        renewed.pop("enable_ipv6", None)
    renewed["labels"] = {**(renewed.get("labels") or {}), **labels}
    return renewed
