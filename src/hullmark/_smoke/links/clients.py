"""The programs that images may hold to connect with, and how each is asked to say what it meets on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._smoke.probes import ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark.model.project import Link

_PYTHON_HTTP = """
import http.client, socket, sys, urllib.parse
u = urllib.parse.urlsplit(sys.argv[1]); t = float(sys.argv[3]); tls = u.scheme == "https"
try:
    if tls:
        import ssl
        c = ssl.create_default_context()
        if sys.argv[2] == "insecure": c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    p = u.port or (443 if tls else 80)
    print("ADDRESS", socket.getaddrinfo(u.hostname, p, type=socket.SOCK_STREAM)[0][4][0], flush=True)
    s = socket.create_connection((u.hostname, p), t); print("CONNECTED", flush=True)
    if tls: s = c.wrap_socket(s, server_hostname=u.hostname)
    h = (http.client.HTTPSConnection if tls else http.client.HTTPConnection)(u.hostname, u.port, timeout=t); h.sock = s
    h.request("GET", (u.path or "/") + ("?" + u.query if u.query else "")); print("HTTP/1.1", h.getresponse().status)
except Exception as e: sys.exit("%s: %s" % (type(e).__name__, e))
"""
_PYTHON_TCP = """
import socket, sys
try:
    a = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_STREAM)[0][4][0]; print("ADDRESS", a, flush=True)
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
except Exception as e: sys.exit("%s: %s" % (type(e).__name__, e))
"""
_NODE_HTTP = """
const [url, tls, t] = process.argv.slice(1);
const m = require(url.startsWith("https") ? "https" : "http");
const r = m.get(url, {timeout: t * 1000, rejectUnauthorized: tls !== "insecure"}, a => {
  console.log("HTTP/1.1", a.statusCode); process.exit(0); });
r.on("socket", s => { s.on("lookup", (e, a) => { if (!e) console.log("ADDRESS", a); });
  s.on("connect", () => console.log("CONNECTED")); });
r.on("timeout", () => r.destroy(new Error("timed out")));
r.on("error", e => { console.error(e.message || e.code); process.exit(1); });
"""
_NODE_TCP = """
const [host, port, t] = process.argv.slice(1);
const s = require("net").connect(port, host, () => process.exit(0));
s.on("lookup", (e, a) => { if (!e) console.log("ADDRESS", a); });
s.setTimeout(t * 1000, () => { console.error("timed out"); process.exit(1); });
s.on("error", e => { console.error(e.message || e.code); process.exit(1); });
"""
_BASH_TCP = 'exec 3<>"/dev/tcp/$0/$1"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that images may hold, and how it is asked to connect."""

    name: str
    http: Callable[[str, bool, int], tuple[str, ...]] | None = None
    """From URL, whether any certificate will do, and seconds to the command."""
    tcp: Callable[[str, int, int], tuple[str, ...]] | None = None
    """From host, port and seconds to the command."""


def _curl(url: str, insecure: bool, seconds: int) -> tuple[str, ...]:  # noqa: FBT001  # a column of a table
    options = ("-k",) if insecure else ()
    return (
        "curl",
        "-sSv",
        *options,
        "-o",
        "/dev/null",
        "-w",
        "\\nHTTP/1.1 %{http_code}",
        "-m",
        str(seconds),
        url,
    )


def _wget(url: str, insecure: bool, seconds: int) -> tuple[str, ...]:  # noqa: FBT001
    options = ("--no-check-certificate",) if insecure else ()
    return ("wget", "-S", *options, "-T", str(seconds), "-O", "/dev/null", url)


def _busybox_wget(url: str, insecure: bool) -> tuple[str, ...]:  # noqa: FBT001
    options = ("--no-check-certificate",) if insecure else ()
    return ("wget", "-S", *options, "-O", "/dev/null", url)


def _busybox_nc(host: str, port: int, seconds: int) -> tuple[str, ...]:
    # What runs once it is connected takes the place of `-z`.
    return ("/bin/busybox", "nc", "-w", str(seconds), host, str(port), "-e", "/bin/busybox", "true")


def _python(url: str, insecure: bool, seconds: int) -> tuple[str, ...]:  # noqa: FBT001
    return ("python3", "-c", _PYTHON_HTTP, url, "insecure" if insecure else "verify", str(seconds))


def _node(url: str, insecure: bool, seconds: int) -> tuple[str, ...]:  # noqa: FBT001
    return ("node", "-e", _NODE_HTTP, url, "insecure" if insecure else "verify", str(seconds))


CLIENTS = (
    Client(name="curl", http=_curl),
    Client(
        name="python3",
        http=_python,
        tcp=lambda host, port, seconds: ("python3", "-c", _PYTHON_TCP, host, str(port), str(seconds)),
    ),
    Client(
        name="node",
        http=_node,
        tcp=lambda host, port, seconds: ("node", "-e", _NODE_TCP, host, str(port), str(seconds)),
    ),
    Client(name="wget", http=_wget),
    # Busybox is built with or without most of its options, so that only those are used that it always has.
    Client(
        name="busybox",
        http=lambda url, insecure, _: ("/bin/busybox", *_busybox_wget(url, insecure)),
        tcp=_busybox_nc,
    ),
    Client(
        name="nc", tcp=lambda host, port, seconds: ("nc", "-v", "-w", str(seconds), "-z", host, str(port))
    ),
    Client(name="bash", tcp=lambda host, port, _: ("bash", "-c", _BASH_TCP, host, str(port))),
)
"""What links are tried with, best first."""


def commands(link: Link) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What `link` can be tried with: the names of the programs and what they are called with, best first."""
    target = urlsplit(link.to)
    seconds = max(1, min(int(ATTEMPT), int(link.timeout)))
    if target.scheme == "tcp":
        assert target.hostname is not None
        assert target.port is not None
        return tuple((c.name, c.tcp(target.hostname, target.port, seconds)) for c in CLIENTS if c.tcp)
    return tuple((c.name, c.http(link.to, link.tls == "insecure", seconds)) for c in CLIENTS if c.http)
