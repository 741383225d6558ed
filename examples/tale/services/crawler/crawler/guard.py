"""Keeps the crawler out of private networks.

The guard sits in the transport, below redirects: every hop is resolved here, every address it resolves to is checked,
and the connection goes to the address that was checked, so a name cannot change its mind in between.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

_NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenAddressError(httpx.TransportError):
    """The host leads to an address the crawler must not visit."""


def is_public(address: str) -> bool:
    """Whether an address, and any IPv4 address wrapped in it, belongs to the public internet."""
    ip = ip_address(address.partition("%")[0])
    wrapped: list[IPv4Address | None] = []
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        wrapped = [ip.sixtofour, *(ip.teredo or ()), IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None]
    return all(one.is_global and not one.is_multicast for one in (ip, *filter(None, wrapped)))


async def addresses_of(host: str, *, allow_private: bool) -> list[str]:
    """All addresses of a host, in the system's order, or an error if any of them is out of bounds."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"cannot resolve {host}: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenAddressError(f"{host} leads to a private address")
    return addresses


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to checked addresses only, keeping the host's name for the request and for TLS."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, allow_private: bool) -> None:
        self._inner = inner
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to an address its host was found at."""
        host = request.url.host
        addresses = await addresses_of(host, allow_private=self._allow_private)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=addresses[0]),
            headers=request.headers,  # the Host header keeps the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
