"""What a name stands for inside of a container, by the container's own files: `/etc/hosts` and `/etc/resolv.conf`."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 2.0
"""Seconds that a name server may take for an answer."""
_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!2HIH")
_RECURSE = 0x0100
_POINTER = 0xC0
_IN, _A, _AAAA = 1, 1, 28
_NO_SUCH_NAME = 3
_LARGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How a container looks names up."""

    hosts: tuple[tuple[str, str], ...] = ()
    """Names, in lower case, and addresses of `/etc/hosts`."""
    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    """From how many dots on a name is tried as it stands before the `search` domains."""

    @classmethod
    def parse(cls, hosts: str, resolv: str) -> Names:
        """From the texts of `/etc/hosts` and `/etc/resolv.conf`."""
        servers: list[str] = []
        search: tuple[str, ...] = ()
        ndots = 1
        for words in _lines(resolv, "#;"):
            match words:
                case ["nameserver", server, *_]:
                    servers.append(server)
                case ["search", *domains]:
                    search = tuple(domains)
                case ["domain", domain, *_]:
                    search = (domain,)
                case ["options", *options]:
                    given = [each.removeprefix("ndots:") for each in options if each.startswith("ndots:")]
                    ndots = next((int(each) for each in reversed(given) if each.isdecimal()), ndots)
                case _:
                    pass
        return cls(
            hosts=tuple((name.lower(), words[0]) for words in _lines(hosts, "#") for name in words[1:]),
            servers=tuple(servers),
            search=search,
            ndots=ndots,
        )

    def addresses(self, name: str, ask: Callable[[str, bytes], bytes] | None = None) -> tuple[str, ...]:
        """The addresses that `name` stands for, none where it stands for none; `ask` asks a server.

        Raises `OSError` when no server answers.
        """
        try:
            return (str(ipaddress.ip_address(name.strip("[]"))),)
        except ValueError:
            pass
        plain = name.rstrip(".").lower()
        if found := tuple(address for known, address in self.hosts if known == plain):
            return found
        for full in self._candidates(name.lower()):
            found = self._look_up(full, ask or ask_server)
            if found:
                return found
        return ()

    def _candidates(self, name: str) -> Iterator[str]:
        if name.endswith("."):
            yield name.rstrip(".")
            return
        longer = [f"{name}.{domain.strip('.')}" for domain in self.search if domain.strip(".")]
        yield from (name, *longer) if name.count(".") >= self.ndots else (*longer, name)

    def _look_up(self, name: str, ask: Callable[[str, bytes], bytes]) -> tuple[str, ...]:
        silent = OSError("the container knows no name server")
        for server in self.servers:
            found: list[str] = []
            try:
                for kind in (_A, _AAAA):
                    query = question(name, kind)
                    found += answer(query, ask(server, query))
            except OSError as error:
                silent = error
                if not found:
                    continue
            return tuple(found)
        raise silent


def question(name: str, kind: int = _A) -> bytes:
    """The message that asks for the addresses of `name`; raises `OSError` for what cannot be a name."""
    try:
        parts = (name if name.isascii() else name.encode("idna").decode()).encode("ascii").split(b".")
    except UnicodeError:
        parts = [b""]
    if not all(0 < len(part) < 64 for part in parts):  # noqa: PLR2004  # RFC 1035
        raise OSError(f"`{name}` is no name")
    encoded = b"".join(bytes([len(part)]) + part for part in parts)
    header = _HEADER.pack(secrets.randbits(16), _RECURSE, 1, 0, 0, 0)
    return header + encoded + b"\0" + struct.pack("!2H", kind, _IN)


def answer(query: bytes, message: bytes) -> tuple[str, ...]:
    """The addresses in the answer to `query`; raises `OSError` for what is none, or says that the server failed."""
    found: list[str] = []
    try:
        number, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
        if number != _HEADER.unpack_from(query)[0]:
            raise OSError("an answer to another question")
        if flags & 0xF not in {0, _NO_SUCH_NAME}:
            raise OSError(f"the name server failed with code {flags & 0xF}")
        at = _HEADER.size
        for _ in range(questions):
            at = _past_name(message, at) + 4
        for _ in range(answers):
            at = _past_name(message, at)
            kind, of, _, length = _RECORD.unpack_from(message, at)
            at += _RECORD.size
            if of == _IN and (kind, length) in {(_A, 4), (_AAAA, 16)}:
                found.append(str(ipaddress.ip_address(message[at : at + length])))
            at += length
    except (struct.error, IndexError, ValueError) as error:
        raise OSError("the name server's answer cannot be read") from error
    return tuple(found)


def _past_name(message: bytes, at: int) -> int:
    while True:
        length = message[at]
        if length & _POINTER == _POINTER:
            return at + 2
        at += 1 + length
        if length == 0:
            return at


def ask_server(server: str, query: bytes) -> bytes:
    """The answer of a name server, asked from where this thread is; raises `OSError` when there is none in time."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.connect((server, 53))
        channel.send(query)
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            channel.settimeout(left)
            message = channel.recv(_LARGEST)
            if message[:2] == query[:2]:
                return message
    raise TimeoutError("the name server does not answer")


def _lines(text: str, comment: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        for mark in comment:
            line = line.partition(mark)[0]  # noqa: PLW2901
        if words := line.split():
            yield words
