"""What is known of a project's services without asking them, and which of the others each must be able to reach."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOOPBACK = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?HOSTNAME\}?)"
_CHECKED = re.compile(rf"\b(https?)://{_LOOPBACK}(?::(\d{{1,5}}))?(?![\w:])(/[^\s\"'`)\]|;&$]*)?")
_NAMED = re.compile(r"\b([a-z][a-z0-9+.-]*)://(?:[^\s/@]*@)?([A-Za-z0-9][A-Za-z0-9_.-]*)(?::(\d+))?")
_BARE = re.compile(r"(?<![\w.:@-])([A-Za-z0-9][A-Za-z0-9_.-]*):(\d{1,5})(?![\w:.-])")
"""`HOST:PORT`; what follows the credentials of a URL, or is part of a longer text, is read by `_NAMED` or not at all."""
_NO_ADDRESS = re.compile(r"IMAGE|TAG|VERSION|PASSW|SECRET|TOKEN|AUTH", re.IGNORECASE)
"""Names of variables in which `db:15` is something else."""
_HOST = re.compile(r"(?P<prefix>.*?)(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)", re.IGNORECASE)
"""Names of variables that hold a host alone; what says its port has the same beginning."""
_SCHEMES = ("SCHEME", "PROTOCOL", "CONNECTION", "DRIVER", "TYPE", "ENGINE")
"""How a variable goes on that says what is spoken with such a host."""
_SERVICE_RECORDS = "srv"
"""What is found by another kind of record in DNS, which no service of a project has."""
_PORTS = {
    "http": 80,
    "https": 443,
    "ws": 80,
    "wss": 443,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongodb": 27017,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "kafka": 9092,
}
"""The ports that the schemes of URLs stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is known of one service."""

    name: str
    built: bool
    ports: tuple[int, ...] = ()
    """Container ports that are published."""
    exposed: tuple[int, ...] = ()
    """Container ports that its image says it listens on."""
    health_check: str | None = None
    """The command of its health check, `None` where none is known."""
    user: str | None = None
    """Whom its image runs as; empty for root, `None` where that is not known."""
    size: int | None = None
    """Bytes of its image, unpacked; `None` where there is no image yet."""
    depends_on: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    one_shot: bool = False
    """Whether it is to run and end."""
    networks: frozenset[str] | None = None
    """The networks that it is part of; `None` where that is not known."""

    @property
    def checked(self) -> tuple[str, int, str] | None:
        """Scheme, port and path of the URL that its health check asks for, if it asks for one on itself."""
        for scheme, port, path in _CHECKED.findall(self.health_check or ""):
            number = int(port) if port else _PORTS[scheme]
            if _is_port(number):
                return scheme, number, path or "/"
        return None

    @property
    def url(self) -> str | None:
        """How others reach it: where its health check asks, else one port it is known to listen on."""
        if self.checked is not None:
            scheme, port, path = self.checked
            return f"{scheme}://{self.name}:{port}{path}"
        return None if self.port is None else f"tcp://{self.name}:{self.port}"

    @property
    def port(self) -> int | None:
        """The port that it is most likely to listen on, as far as anything says one."""
        if self.checked is not None:
            return self.checked[1]
        both = [port for port in self.exposed if port in self.ports]
        return next(iter((*both, *self.exposed, *self.ports)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A connection that a service will want to make, by what its own files say."""

    caller: str
    to: Candidate
    port: int
    because: str
    """What says so, without what may be secret."""

    @property
    def url(self) -> str:
        """Where it leads: to what the other's health check asks for, where it has the same port."""
        if self.to.url is not None and self.to.port == self.port:
            return self.to.url
        return f"tcp://{self.to.name}:{self.port}"


def calls(services: Mapping[str, Candidate]) -> Iterator[Call]:
    """Whatever a service waits for, or has the address of, it must be able to reach; each once."""
    seen = set()
    for service in services.values():
        for call in (*_waited_for(service, services), *_addressed(service, services)):
            target = (service.name, call.to.name, call.port)
            if target not in seen and not service.one_shot and call.to is not service:
                seen.add(target)
                yield call


def _waited_for(service: Candidate, services: Mapping[str, Candidate]) -> Iterator[Call]:
    for name in service.depends_on:
        other = services.get(name)
        if other is None or other.one_shot or other.port is None or _apart(service, other):
            continue
        yield Call(caller=service.name, to=other, port=other.port, because="`depends_on`")


def _apart(service: Candidate, other: Candidate) -> bool:
    """Whether the two share no network, so that one waits for the other and nothing more."""
    if service.networks is None or other.networks is None:
        return False
    return service.networks.isdisjoint(other.networks)


def _addressed(service: Candidate, services: Mapping[str, Candidate]) -> Iterator[Call]:
    environment = dict(service.environment)
    for variable, value in service.environment:
        found = list(_addresses(variable, value, environment))
        if not found and holds_a_host(variable) and value in services:
            # Nothing beside it says a port: it is the one that the other listens on.
            found = [(value, services[value].port or 0)]
        for host, port in found:
            other = services.get(host)
            if other is None or other.one_shot or not _is_port(port):
                continue
            yield Call(
                caller=service.name, to=other, port=port, because=f"the environment variable `{variable}`"
            )


def _addresses(variable: str, value: str, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Hosts and ports that an environment variable holds."""
    for host, port in named(value):
        if port is not None:
            yield host, port
    if not _NO_ADDRESS.search(variable):
        yield from ((host, int(port)) for host, port in _BARE.findall(value))
    port = _beside(variable, environment)
    if port is not None:
        yield value, port


def named(value: str) -> Iterator[tuple[str, int | None]]:
    """The hosts of the URLs in `value`, and the port of each: its own or that of its scheme, `None` where neither is."""
    for scheme, host, port in _NAMED.findall(value):
        # What follows the plus is how a program speaks it, as in `postgresql+asyncpg`.
        spoken, _, way = scheme.partition("+")
        usual = None if way == _SERVICE_RECORDS else _PORTS.get(spoken)
        yield host, int(port[:6]) if port else usual


def holds_a_host(variable: str) -> bool:
    """Whether a variable of that name holds a host alone."""
    return _HOST.fullmatch(variable) is not None and not _NO_ADDRESS.search(variable)


def _beside(variable: str, environment: Mapping[str, str]) -> int | None:
    """The port that other variables say of the host in `variable`: as a number, or as what is spoken with it."""
    found = _HOST.fullmatch(variable)
    if found is None or not holds_a_host(variable):
        return None
    # `db_host` has `db_port` beside it, and `DB_HOST` has `DB_PORT`.
    lower = variable[-1].islower()
    said = [
        environment.get(found["prefix"] + (key.lower() if lower else key), "") for key in ("PORT", *_SCHEMES)
    ]
    if said[0].isdecimal():
        return int(said[0][:6])
    return next(
        (_PORTS[each.lower().partition("+")[0]] for each in said if each.lower().partition("+")[0] in _PORTS),
        None,
    )


def _is_port(number: int) -> bool:
    return 0 < number < 1 << 16
