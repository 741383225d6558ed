"""Which services are configured differently than they were: by the Compose files, and by hullmark.toml.

Not the text of the files is compared but what they mean, so that a change for one service is one for that service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BUILDS = ("build", "image", "platform")
"""What of a service's configuration decides about its image."""
_SHARED = ("networks", "volumes", "configs", "secrets")
"""What is declared beside the services and used by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something of a service's configuration that is not as it was."""

    service: str | None
    """`None` stands for all."""
    key: str
    """Such as `build.args.VERSION`; never the value, which may be secret."""
    path: tuple[str, ...]
    """Where it stands in a Compose file."""

    @property
    def builds(self) -> bool:
        """Whether the image may be another one."""
        return self.service is None or self.key.partition(".")[0] in _BUILDS or self.key == ""


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """What differs between two answers of `docker compose config`, for the services that the later one has."""
    old, new = json.loads(before), json.loads(after)
    if old.get("name") != new.get("name"):
        return (Difference(service=None, key="name", path=("name",)),)
    return tuple(_differences(old, new))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    services: dict[str, dict[str, Any]] = old.get("services") or {}
    shared = {
        (kind, name)
        for kind in _SHARED
        for name, value in (new.get(kind) or {}).items()
        if (old.get(kind) or {}).get(name, _ABSENT) != value
    }
    for name, service in (new.get("services") or {}).items():
        if name not in services:
            yield Difference(service=name, key="", path=("services", name))
            continue
        for key in _keys(services[name], service):
            yield Difference(service=name, key=".".join(key), path=("services", name, *key))
        for kind, each in sorted(shared.intersection(used(service))):
            # A secret of a build is not in the image, and its content is not in the configuration.
            yield Difference(service=name, key=f"{kind}.{each} of the project", path=(kind, each))


_ABSENT = object()


def _keys(old: Mapping[str, Any], new: Mapping[str, Any], depth: int = 3) -> Iterator[tuple[str, ...]]:
    """The keys at which the two differ, as deep as there are tables in both."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict) and depth > 1:
            yield from ((key, *rest) for rest in _keys(before, after, depth - 1))
        else:
            yield (key,)


def used(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a service uses of all that is declared beside the services: kind and name."""
    for name in service.get("networks") or {}:
        yield "networks", name
    for mount in service.get("volumes") or ():
        if mount.get("type") == "volume" and mount.get("source"):
            yield "volumes", mount["source"]
    for kind in ("configs", "secrets"):
        for entry in (*(service.get(kind) or ()), *((service.get("build") or {}).get(kind) or ())):
            yield kind, entry["source"] if isinstance(entry, dict) else str(entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDifference:
    """What differs between two versions of hullmark.toml."""

    services: frozenset[str]
    """Those with a section that differs."""
    linked: frozenset[str]
    """Those with a link, from them or to them, that differs: no image is another one for that."""
    everything: bool
    """Whether something differs that is about all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """How the configuration differs from what it was."""

    differences: tuple[Difference, ...] = ()
    files: tuple[str, ...] = ()
    """The files that Compose reads and that changed, relative to the top of the repository."""
    settings: SettingsDifference | None = None
    settings_file: str = ""
    everything: str | None = None
    """Why nothing can be said about it, so that all has to count as changed."""


def settings_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> SettingsDifference:
    """What differs between two tables of settings, as TOML has them."""
    old, new = before.get("services") or {}, after.get("services") or {}
    services = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    links = [link for link in _linked(before) if link not in _linked(after)]
    links += [link for link in _linked(after) if link not in _linked(before)]
    ends = ((str(link.get("from", "")), _host(str(link.get("to", "")))) for link in links)
    rest = {
        key
        for key in {*before, *after} - {"services", "links"}
        if before.get(key, _ABSENT) != after.get(key, _ABSENT)
    }
    return SettingsDifference(
        services=frozenset(services), linked=frozenset(chain.from_iterable(ends)), everything=bool(rest)
    )


def _linked(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(table.get("links") or ())


def _host(target: str) -> str:
    """The name of the service in `http://name:port/path`."""
    return target.partition("://")[2].partition("/")[0].partition(":")[0]
