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
        for host, port in _addresses(variable, value, environment):
            other = services.get(host)
            if other is None or other.one_shot or not _is_port(port):
                continue
            yield Call(
                caller=service.name, to=other, port=port, because=f"the environment variable `{variable}`"
            )


def _addresses(variable: str, value: str, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Hosts and ports that an environment variable holds."""
    for scheme, host, port in _NAMED.findall(value):
        if port or scheme in _PORTS:
            yield host, int(port) if port else _PORTS[scheme]
    if not _NO_ADDRESS.search(variable):
        yield from ((host, int(port)) for host, port in _BARE.findall(value))
    if variable.upper().endswith("HOST"):
        # A host that has a variable for its port beside it.
        beside = f"{variable[:-4]}{'PORT' if variable[-4:].isupper() else 'port'}"
        if environment.get(beside, "").isdecimal():
            yield value, int(environment[beside][:6])


def _is_port(number: int) -> bool:
    return 0 < number < 1 << 16
