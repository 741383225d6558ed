"""Links: a connection tried from inside the calling container, with whatever client its image holds."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._smoke.probes import ATTEMPT, PAUSE, run_inside, shorten, status_fits
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.stack import LinkRun, Unlinkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Link

NOT_THERE = frozenset({126, 127})
"""Exit codes of a program that the container has not got, or that cannot be run."""
KILLED = 128
"""The first exit code that stands for a signal: a program that crashed has not tried anything."""
_OTHER_OPTIONS = re.compile(r"(invalid|unrecognized|unknown|illegal) option|^Usage:", re.MULTILINE)
"""What a program says that knows other options than the one that usually has its name."""
_NO_TLS = re.compile(
    r"not an http or ftp url"  # busybox
    r"|certificate validation not implemented"  # busybox, and it goes on as if there had been one
    r"|[Pp]rotocol .?https.? (not supported|disabled)"  # curl
    r"|HTTPS support not compiled in"  # wget
    r"|No module named '_?ssl'"  # Python
    r"|(not compiled with|without) (OpenSSL )?crypto support"  # Node.js
)
"""What a program says that was built without TLS, or that takes any certificate for a good one."""

_PYTHON_HTTP = """
import http.client, sys, urllib.parse
u = urllib.parse.urlsplit(sys.argv[1]); t = float(sys.argv[3])
if u.scheme == "https":
    import ssl
    c = ssl.create_default_context()
    if sys.argv[2] == "insecure": c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    h = http.client.HTTPSConnection(u.hostname, u.port, timeout=t, context=c)
else:
    h = http.client.HTTPConnection(u.hostname, u.port, timeout=t)
try:
    h.request("GET", (u.path or "/") + ("?" + u.query if u.query else "")); print("HTTP/1.1", h.getresponse().status)
except Exception as e: sys.exit("%s" % e)
"""
_PYTHON_TCP = """
import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
except Exception as e: sys.exit("%s" % e)
"""
_NODE_HTTP = """
const [url, tls, t] = process.argv.slice(1);
const m = require(url.startsWith("https") ? "https" : "http");
const r = m.get(url, {timeout: t * 1000, rejectUnauthorized: tls !== "insecure"}, a => {
  console.log("HTTP/1.1", a.statusCode); process.exit(0); });
r.on("timeout", () => r.destroy(new Error("timed out")));
r.on("error", e => { console.error(e.message || e.code); process.exit(1); });
"""
_NODE_TCP = """
const [host, port, t] = process.argv.slice(1);
const s = require("net").connect(port, host, () => process.exit(0));
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
        "-sS",
        *options,
        "-o",
        "/dev/null",
        "-w",
        "HTTP/1.1 %{http_code}",
        "-m",
        str(seconds),
        url,
    )


def _wget(url: str, insecure: bool, seconds: int) -> tuple[str, ...]:  # noqa: FBT001
    options = ("--no-check-certificate",) if insecure else ()
    return ("wget", "-q", "-S", *options, "-T", str(seconds), "-O", "/dev/null", url)


def _busybox_wget(url: str, insecure: bool) -> tuple[str, ...]:  # noqa: FBT001
    options = ("--no-check-certificate",) if insecure else ()
    return ("wget", "-q", "-S", *options, "-O", "/dev/null", url)


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
    Client(name="nc", tcp=lambda host, port, seconds: ("nc", "-w", str(seconds), "-z", host, str(port))),
    Client(name="bash", tcp=lambda host, port, _: ("bash", "-c", _BASH_TCP, host, str(port))),
)
"""What links are tried with, best first."""


def run_link(stack: Stack, link: Link) -> LinkRun | Unlinkable:
    """Tries `link` until it holds or its time is over, with the first client that the calling container has."""
    started = time.monotonic()
    deadline = started + link.timeout
    commands = _commands(link)
    while True:
        try:
            attempt = _attempt(stack, link, commands)
        except Unavailable as error:
            attempt = (False, error.message)
        if attempt is None:
            tried = ", ".join(name for name, _ in commands)
            kind = ""
            if link.to.startswith("https:"):
                kind = " that verifies certificates" if link.tls == "verify" else " that speaks TLS"
            return Unlinkable(
                link=link,
                reason=f"the image of `{link.from_service}` holds no program to connect with{kind} ({tried})",
            )
        passed, seen = attempt
        if passed or time.monotonic() + PAUSE > deadline:
            return LinkRun(link=link, passed=passed, seen=seen, seconds=time.monotonic() - started)
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def _commands(link: Link) -> tuple[tuple[str, tuple[str, ...]], ...]:
    target = urlsplit(link.to)
    seconds = max(1, min(int(ATTEMPT), int(link.timeout)))
    if target.scheme == "tcp":
        assert target.hostname is not None
        assert target.port is not None
        return tuple((c.name, c.tcp(target.hostname, target.port, seconds)) for c in CLIENTS if c.tcp)
    return tuple((c.name, c.http(link.to, link.tls == "insecure", seconds)) for c in CLIENTS if c.http)


def _attempt(
    stack: Stack, link: Link, commands: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[bool, str] | None:
    """Whether the link holds and what was seen; `None` when the container has none of the programs."""
    for name, command in commands:
        code, output = run_inside(stack, link.from_service, command, ATTEMPT + 2)
        if code is None:
            return False, "no answer in time"
        if code in NOT_THERE or code >= KILLED or (code != 0 and _OTHER_OPTIONS.search(output)):
            continue
        if _is_beyond(link, output):
            continue
        if link.to.startswith("tcp:"):
            return (True, f"connected (by {name})") if code == 0 else (False, _reason(output, code))
        statuses = re.findall(r"HTTP/\d(?:\.\d)? (\d{3})", output)
        if not statuses or statuses[0] == "000":
            return False, _reason(output, code)
        # The first: some clients go where the answer sends them, and that is no longer this link.
        status = int(statuses[0])
        return status_fits(status, link.status), f"status {status} (by {name})"
    return None


def _is_beyond(link: Link, output: str) -> bool:
    """Whether what a program printed says nothing of `link`: it cannot do TLS, or not as the link asks for it."""
    said = _NO_TLS.search(output) if link.to.startswith("https:") else None
    return said is not None and (link.tls == "verify" or "validation" not in said[0])


def _reason(output: str, code: int) -> str:
    return shorten(output.replace("HTTP/1.1 000", "")) or f"exit code {code}"
