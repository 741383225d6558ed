"""What was seen of a project and could not be turned into a probe or a link, as comments for its `hullmark.toml`.

Of what may hold a secret no more is told than a name: the program of a health check, the host of a URL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._settings.candidates import calls, holds_a_host, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._settings.candidates import Candidate

_FORM = re.compile(r"\s*(?:CMD(?:-SHELL)?\b)?[\s\[\"',]*")
"""What stands in front of the command of a health check, in Compose, in an image and in a Dockerfile."""
_PROGRAM = re.compile(r"(?:\w+=\S*\s+)*(?P<name>[\w./+-]+)")
_NONE = re.compile(r"\s*NONE\b")
_HERE = frozenset({"localhost", "0.0.0.0", "host.docker.internal"})  # noqa: S104  # nothing is bound to it
_MORE_THAN_A_GET = re.compile(
    r"(?:^|[\s\"'])(?:-X[\s=\"',]*(?!GET\b)[A-Z]+|--request[\s=\"',]+(?!GET\b)[A-Z]+|-I\b|--head\b|-d\b|--data[\w-]*"
    r"|-F\b|--form\b|-T\b|--upload-file\b|--post-(?:data|file)\b|--method[\s=\"',]+(?!GET\b)[A-Z]+|-H\b|--header\b"
    r"|-u\b|--user\b|-[Eb]\b|--cert\b|--cookie\b)"
)
"""Options of curl and wget with which a request is another than the one that a probe makes."""


def asks_more(service: Candidate) -> bool:
    """Whether its health check makes a request that a plain GET does not stand for."""
    return _MORE_THAN_A_GET.search(service.health_check or "") is not None


def of_service(service: Candidate) -> Iterator[str]:
    """What of `service` became no probe, and why."""
    ports = _listed(service.ports or service.exposed)
    check = service.health_check
    if service.one_shot:
        if ports:
            yield f"{ports}: no probe, as it runs and ends"
        return
    if check is None or _NONE.match(check):
        if service.ports:
            yield f"{ports}: no health check says what is to be asked there, so that only a connection is made"
        elif ports:
            yield f"{ports}: no probe, as it has no health check and publishes no port"
    elif service.checked is None or asks_more(service):
        what = "sends more than a plain GET" if service.checked is not None else "is no plain HTTP request"
        yield f"its health check{_program(check)} {what}, so that no probe was made of it"


def of_links(services: Mapping[str, Candidate]) -> Iterator[str]:
    """Whom services wait for, or have the address of, without a link that could be made of it, and why."""
    linked = {(call.caller, call.to.name) for call in calls(services)}
    for service in services.values():
        if service.one_shot:
            continue
        for name in service.depends_on:
            other = services.get(name)
            if other is not None and not other.one_shot and (service.name, name) not in linked:
                yield f"{service.name} waits for {name}, of which nothing says a port"
        for variable, value in service.environment:
            hosts = [host for host, _ in named(value)] or ([value] if holds_a_host(variable) else [])
            for host in dict.fromkeys(hosts):
                yield from _of_host(service, variable, host, services, linked)


def _of_host(
    service: Candidate,
    variable: str,
    host: str,
    services: Mapping[str, Candidate],
    linked: set[tuple[str, str]],
) -> Iterator[str]:
    other = services.get(host)
    if other is None:
        # A host alone that is not written as one may be anything.
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", host) and not (
            host in _HERE or host.startswith("127.")
        ):
            yield f"{service.name}: {variable} leads to {host}, which is no service"
    elif other is not service and not other.one_shot and (service.name, host) not in linked:
        yield f"{service.name}: {variable} leads to {host}, and nothing says a port"


def _program(check: str) -> str:
    found = _PROGRAM.match(check, _FORM.match(check).end())  # type: ignore[union-attr]  # matches nothing as well
    return "" if found is None else f" runs `{found['name'].rpartition('/')[2]}`, which"


def _listed(ports: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, ports))
    return f"port{'s' if len(ports) > 1 else ''} {shown}" if ports else ""
