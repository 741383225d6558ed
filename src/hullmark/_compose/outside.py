"""What an isolated copy still shares with this machine, or with containers outside of the project: said, not hidden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMESPACES = {
    "pid": "the processes",
    "ipc": "the shared memory",
    "uts": "the host name",
    "userns_mode": "the users",
    "cgroup": "the control groups",
}
"""Keys that have a service share a namespace, and what is seen through it."""
_JOINED = ("network_mode", "pid", "ipc")
"""Keys that may name a container or, to the same effect, a service."""


def name_services(raw: Mapping[str, Any]) -> bool:
    """Has `raw`, a resolved project, name its services where it names their containers; whether it did that anywhere.

    A copy has containers of its own, and one that names a container would join that of the original. Whoever names a
    service depends on it, as Compose has it.
    """
    services: Mapping[str, dict[str, Any]] = raw.get("services") or {}
    fixed = {
        str(value["container_name"]): name for name, value in services.items() if value.get("container_name")
    }
    derived = re.compile(rf"{re.escape(str(raw['name']))}[-_](?P<service>.+)[-_]\d+")

    def owner(entry: object) -> tuple[str, str]:
        """The service whose container `entry` names, and what follows the name; both empty for any other."""
        kind, _, rest = str(entry or "").partition(":")
        name, colon, mode = rest.partition(":")
        if kind != "container":
            return "", ""
        found = derived.fullmatch(name)
        service = fixed.get(name) or (found["service"] if found else "")
        return (service, f"{colon}{mode}") if service in services else ("", "")

    named = False
    for name, value in services.items():
        others = []
        for key in _JOINED:
            if (other := owner(value.get(key))[0]) not in {"", name}:
                value[key] = f"service:{other}"
                others.append(other)
        for at, entry in enumerate(value.get("volumes_from") or ()):
            other, mode = owner(entry)
            if other not in {"", name}:
                value["volumes_from"][at] = f"{other}{mode}"
                others.append(other)
        for other in others:
            named = True
            depends_on = value["depends_on"] = value.get("depends_on") or {}
            depends_on.setdefault(other, {"condition": "service_started", "required": True, "restart": True})
    return named


def unisolated(services: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What of `services` cannot be isolated, a sentence each; `services` are those of the copy but for their networks."""
    for name, service in sorted(services.items()):
        yield from _network(name, str(service.get("network_mode") or ""))
        for key, what in _NAMESPACES.items():
            value = str(service.get(key) or "")
            if value == "host":
                yield f"`{name}` shares {what} of this machine (`{key}: host`), which cannot be isolated"
            elif value.startswith("container:"):
                other = value.removeprefix("container:")
                yield f"`{name}` shares {what} of the container `{other}`, which is none of the copy"
        if service.get("privileged"):
            yield f"`{name}` is privileged: nothing of this machine is out of its reach"
        if devices := _devices(service):
            yield f"`{name}` uses {', '.join(devices)} of this machine, as any other copy does"
        for entry in service.get("volumes_from") or ():
            if str(entry).startswith("container:"):
                other = str(entry).split(":")[1]
                yield f"`{name}` mounts the volumes of the container `{other}`, which is none of the copy"


def _network(name: str, mode: str) -> Iterator[str]:
    if mode == "host":
        yield f"`{name}` gets a network like the others instead of that of this machine (`network_mode: host`)"
    elif mode.startswith("container:"):
        other = mode.removeprefix("container:")
        yield f"`{name}` is in the network of the container `{other}`, which is none of the copy"


def _devices(service: Mapping[str, Any]) -> list[str]:
    """The devices of the host that a service asks for, as it names them."""
    found = []
    for device in service.get("devices") or ():
        path = device.get("source") if isinstance(device, dict) else str(device).partition(":")[0]
        found.append(f"`{path}`")
    if service.get("gpus"):
        found.append("the GPUs")
    limits = (service.get("deploy") or {}).get("resources") or {}
    for device in (limits.get("reservations") or {}).get("devices") or ():
        wanted = ", ".join(str(each) for each in device.get("capabilities") or ())
        found.append(f"devices ({wanted})" if wanted else "devices")
    return found
