"""A first `hullmark.toml` for a project that has none: what its own files already promise, written down."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark.model.size import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LOOPBACK = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?HOSTNAME\}?)"
_CHECKED = re.compile(rf"\b(https?)://{_LOOPBACK}(?::(\d{{1,5}}))?(?![\w:])(/[^\s\"'`)\]|;&$]*)?")
_NAMED = re.compile(r"\b([a-z][a-z0-9+.-]*)://(?:[^\s/@]*@)?([A-Za-z0-9][A-Za-z0-9_.-]*)(?::(\d+))?")
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
_HEADER = """\
# What this project promises, and hullmark holds it to. `hullmark check` does; `hullmark explain` says what a finding
# means. Every option: docs/configuration.md of hullmark."""
HEADROOM = 10
"""Per cent that a proposed budget leaves for growth."""
_ROOT = frozenset({"", "root", "0"})


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
        known = (*self.exposed, *self.ports)
        return f"tcp://{self.name}:{known[0]}" if known else None


def propose(
    candidates: Iterable[Candidate], *, compose: tuple[str, ...] = (), env_file: str | None = None
) -> str:
    """The text of a `hullmark.toml` for these services; `compose` and `env_file` where Compose's defaults do not do."""
    services = {each.name: each for each in sorted(candidates, key=lambda each: each.name)}
    blocks = [
        _HEADER,
        *_project(compose, env_file),
        '[policy]\nfail-on = "error" # or "warning": the least severe finding that fails',
    ]
    for service in services.values():
        blocks += _service(service)
    blocks += _links(services)
    return "\n\n".join(blocks) + "\n"


def _project(compose: tuple[str, ...], env_file: str | None) -> Iterator[str]:
    lines = [f"compose = [{', '.join(map(_quoted, compose))}]"] if compose else []
    lines += [f"env-file = {_quoted(env_file)}"] if env_file else []
    if lines:
        yield "\n".join(["[project]", *lines])


def _service(service: Candidate) -> Iterator[str]:
    lines = [f"[services.{_key(service.name)}]"]
    if service.built:
        lines += [_budget(service), _user(service)]
    probes = [] if service.one_shot else list(_probes(service))
    if service.built or probes:
        yield "\n".join(line for line in lines if line)
    for probe in probes:
        yield f"[[services.{_key(service.name)}.probes]]\n{probe}"


def _budget(service: Candidate) -> str:
    if service.size is None:
        return '# budget = "600 MB" # no image yet: build it, then `hullmark budget update`'
    return f"budget = {_quoted(budget(service.size))} # it has {service.size / UNITS['MB']:.1f} MB, and {HEADROOM} % to grow"


def budget(size: int, headroom: int = HEADROOM) -> str:
    """A budget for an image of `size` bytes that leaves `headroom` per cent, in whole megabytes."""
    return f"{-(-size * (100 + headroom) // (100 * UNITS['MB']))} MB"


def _user(service: Candidate) -> str:
    if service.user is None:
        return '# user = "non-root" # nothing says whom it runs as'
    if service.user.partition(":")[0] in _ROOT:
        return '# user = "non-root" # it runs as root; "drops-to:NAME" where its entrypoint gives that up'
    return 'user = "non-root"'


def _probes(service: Candidate) -> Iterator[str]:
    asked = None
    if service.checked is not None:
        scheme, asked, path = service.checked
        # The certificate of a service that is asked by its loopback address is nobody's to trust.
        tls = '\ntls = "insecure"' if scheme == "https" else ""
        yield f"http = {_quoted(path)}\nport = {asked}{tls}"
    for port in service.ports:
        if port != asked:
            yield f"tcp = {port}"


def _links(services: Mapping[str, Candidate]) -> Iterator[str]:
    """Whatever a service waits for, or has the address of, it must be able to reach."""
    seen = set()
    for service in services.values():
        for other, url in (*_waited_for(service, services), *_addressed(service, services)):
            target = (service.name, other, urlsplit(url).port)
            if target not in seen and not service.one_shot and other != service.name:
                seen.add(target)
                tls = '\ntls = "insecure"' if url.startswith("https:") else ""
                yield f"[[links]]\nfrom = {_quoted(service.name)}\nto = {_quoted(url)}{tls}"


def _waited_for(service: Candidate, services: Mapping[str, Candidate]) -> Iterator[tuple[str, str]]:
    for name in service.depends_on:
        other = services.get(name)
        if other is not None and not other.one_shot and other.url is not None:
            yield name, other.url


def _addressed(service: Candidate, services: Mapping[str, Candidate]) -> Iterator[tuple[str, str]]:
    for _, value in service.environment:
        for scheme, host, port in _NAMED.findall(value):
            other = services.get(host)
            number = int(port) if port else _PORTS.get(scheme)
            if other is None or other.one_shot or number is None or not _is_port(number):
                continue
            if other.checked is not None and other.checked[1] == number and other.url is not None:
                yield host, other.url
            else:
                yield host, f"tcp://{host}:{number}"


def _is_port(number: int) -> bool:
    return 0 < number < 1 << 16


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
