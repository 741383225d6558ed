"""What came of one attempt at a link: from what a client printed, or met, to how far the link holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._smoke.probes import shorten, status_fits
from hullmark.model.stack import LinkRun

if TYPE_CHECKING:
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
# Each client has words of its own for the same trouble; those of the C library are among them.
_NAME = re.compile(
    r"resolv|name or service not known|no address associated|bad address|invalid host|unknown host"
    r"|host lookup failed|nodename nor servname|ENOTFOUND|EAI_AGAIN|gaierror",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"refused|couldn't connect to server", re.IGNORECASE)
_NO_WAY = re.compile(
    r"no route to host|(network|host) is unreachable|E(HOST|NET)UNREACH|permission denied", re.IGNORECASE
)
_LATE = re.compile(r"time-?d?[ -]?out|ETIMEDOUT", re.IGNORECASE)
_TLS = re.compile(r"certificate|\bssl|\btls|handshake|unable to (get|verify)", re.IGNORECASE)
_CLOSED = re.compile(
    r"empty reply|reset by peer|ECONNRESET|closed|hang up|error getting response|short (read|header)|bad header"
    r"|no data received|received HTTP/0\.9|parse error|BadStatusLine|status line",
    re.IGNORECASE,
)
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})")
_ADDRESS = re.compile(r"^ADDRESS (\S+)|(?<![\w.:/-])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.-])", re.MULTILINE)
_CONNECTED = re.compile(
    r"^CONNECTED|^\* (Connected to|Established connection)|\.\.\. connected\.|^HTTP request sent",
    re.MULTILINE,
)
_CURL = re.compile(r"^(?:curl: .*|\* connect to .* failed: .*)$", re.MULTILINE)


def judge(link: Link, by: str, code: int | None, output: str) -> LinkRun | None:
    """What a client that `by` names says of `link` with its exit code and output.

    `None` when it says nothing of it: it is not there, crashed, knows other options or cannot do TLS as the link asks
    for it. No exit code stands for one that did not end in time.
    """
    if code is None:
        return LinkRun(link=link, passed=False, seen=f"no answer in time (by {by})", by=by)
    if code in NOT_THERE or code >= KILLED or (code != 0 and _OTHER_OPTIONS.search(output)):
        return None
    if _is_beyond(link, output):
        return None
    found = _ADDRESS.search(output)
    address = (found[1] or found[2]) if found else ""
    plain = link.to.startswith("tcp:")
    if plain and code == 0:
        return connected(link, by, address)
    statuses = [] if plain else [text for text in _STATUS.findall(output) if text != "000"]
    if statuses:
        # The first: some clients go where the answer sends them, and that is no longer this link.
        return answered(link, by, address, int(statuses[0]))
    # What curl tells besides, of its handshakes, is no trouble.
    trouble = "\n".join(_CURL.findall(output)) or re.sub(
        r"^(ADDRESS|CONNECTED).*$", "", output, flags=re.MULTILINE
    )
    return failed(link, by, address, trouble, code=code, connected=bool(_CONNECTED.search(output)))


def connected(link: Link, by: str, address: str) -> LinkRun:
    """The link of a plain connection that was accepted."""
    return LinkRun(
        link=link,
        passed=True,
        seen=f"connected (by {by})",
        by=by,
        resolved=True,
        address=address,
        connected=True,
    )


def answered(link: Link, by: str, address: str, status: int) -> LinkRun:
    """The link that was answered with an HTTP status."""
    return LinkRun(
        link=link,
        passed=status_fits(status, link.status),
        seen=f"status {status} (by {by})",
        by=by,
        resolved=True,
        address=address,
        connected=True,
        secured=True if link.to.startswith("https:") else None,
        status=status,
    )


def failed(
    link: Link,
    by: str,
    address: str,
    trouble: str,
    *,
    code: int = 1,
    connected: bool = False,
) -> LinkRun:
    """The link that failed with what a client calls `trouble`, before or after it was `connected`."""
    host = urlsplit(link.to).hostname or ""
    secret = link.to.startswith("https:")
    resolved: bool | None = True if address or connected else None
    accepted: bool | None = True if connected else None
    secured: bool | None = None
    known = f"resolves to {address}, " if address and address != host else ""
    if not address and not connected and _NAME.search(trouble):
        resolved, seen = False, f"`{host}` does not resolve"
    elif not connected and _REFUSED.search(trouble):
        resolved, accepted, seen = True, False, f"{known}connection refused"
    elif not connected and _NO_WAY.search(trouble):
        resolved, accepted, seen = True, False, f"{known}no way there"
    elif _LATE.search(trouble):
        # Without a word of the connection either may be what took too long.
        seen = "connected, no answer in time" if connected else f"{known}timed out"
        accepted = True if connected else False if address else None
    elif secret and _TLS.search(trouble):
        resolved, accepted, secured = True, True, False
        seen = f"TLS: {shorten(_last(trouble))}"
    elif _CLOSED.search(trouble):
        resolved, accepted, seen = True, True, "connected, no answer in HTTP"
    else:
        seen = shorten(trouble) or f"exit code {code}"
    return LinkRun(
        link=link,
        passed=False,
        seen=f"{seen} (by {by})",
        by=by,
        resolved=resolved,
        address=address,
        connected=accepted,
        secured=secured,
    )


def _last(trouble: str) -> str:
    """The line that says what TLS does not like."""
    lines = [line.strip() for line in trouble.splitlines() if _TLS.search(line)]
    return lines[-1] if lines else trouble


def _is_beyond(link: Link, output: str) -> bool:
    """Whether what a program printed says nothing of `link`: it cannot do TLS, or not as the link asks for it."""
    said = _NO_TLS.search(output) if link.to.startswith("https:") else None
    return said is not None and (link.tls == "verify" or "validation" not in said[0])
