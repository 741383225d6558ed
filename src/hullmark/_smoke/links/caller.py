"""hullmark's own client: it looks the name up, connects, agrees on TLS and asks, and says how far it came."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._smoke.links.answers import answered, connected, failed

if TYPE_CHECKING:
    from hullmark._smoke.links.names import Names
    from hullmark.model.project import Link
    from hullmark.model.stack import LinkRun

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A container's view of the world, as far as a connection depends on it."""

    names: Names
    certificates: str | None
    """The authorities that it trusts, as PEM; `None` where it has none."""
    by: str
    """As whom it is told."""


def call(link: Link, caller: Caller, seconds: float) -> LinkRun:
    """`link` tried from where this thread is, within `seconds`."""
    target = urlsplit(link.to)
    host = target.hostname or ""
    port = target.port or PORTS[target.scheme]
    deadline = time.monotonic() + seconds
    try:
        addresses = caller.names.addresses(host)
    except OSError as error:
        return failed(link, caller.by, "", f"cannot resolve: {_words(error)}")
    if not addresses:
        return failed(link, caller.by, "", "does not resolve")
    trouble: OSError = TimeoutError("timed out")
    address = addresses[0]
    for address in addresses:
        try:
            left = max(deadline - time.monotonic(), 0.1)
            channel = socket.create_connection((address, port), timeout=left)
        except OSError as error:
            trouble = error
            continue
        with channel:
            if target.scheme == "tcp":
                return connected(link, caller.by, address)
            return _ask(link, caller, channel, address)
    return failed(link, caller.by, address, _words(trouble))


def _ask(link: Link, caller: Caller, channel: socket.socket, address: str) -> LinkRun:
    """What the other end answers through `channel`."""
    import http.client  # noqa: PLC0415  # loaded only where a link is tried

    target = urlsplit(link.to)
    secret = target.scheme == "https"
    if secret and link.tls == "verify" and not caller.certificates:
        trouble = "the image holds no certificates of authorities to verify the other's with"
        return failed(link, caller.by, address, trouble, connected=True)
    kind = http.client.HTTPSConnection if secret else http.client.HTTPConnection
    connection = kind(target.hostname or "", target.port)
    try:
        connection.sock = _secured(link, caller, channel) if secret else channel
        path = f"{target.path or '/'}{f'?{target.query}' if target.query else ''}"
        connection.request("GET", path, headers={"User-Agent": "hullmark"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return failed(link, caller.by, address, _words(error), connected=True)
    finally:
        connection.close()
    return answered(link, caller.by, address, status)


def _secured(link: Link, caller: Caller, channel: socket.socket) -> socket.socket:
    import ssl  # noqa: PLC0415

    if link.tls == "insecure":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = ssl.create_default_context(cadata=caller.certificates)
    return context.wrap_socket(channel, server_hostname=urlsplit(link.to).hostname)


def _words(error: Exception) -> str:
    """An error in words that say what kind of trouble it is."""
    if isinstance(error, TimeoutError):
        return "timed out"
    text = str(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or error)
    kind = type(error).__name__
    if kind.startswith("SSL"):
        return f"{'certificate: ' if kind == 'SSLCertVerificationError' else 'TLS: '}{text}"
    return text if isinstance(error, OSError) and text else f"{kind}: {text}"
