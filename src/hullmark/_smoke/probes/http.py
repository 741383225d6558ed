"""A request from this host, and whether its answer is the expected one."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._smoke.probes.answers import LARGEST, LARGEST_TEXT, HttpAnswer, fits, wrong
from hullmark._smoke.probes.attempt import ATTEMPT, Answer, shorten
from hullmark._smoke.probes.redirect import Place, next_place
from hullmark.errors import Unavailable
from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from hullmark._smoke.probes.filling import Filling
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import HttpProbe

MOST_REDIRECTIONS = 10
_ENOUGH_TO_QUOTE = 4096
"""Bytes of an answer with a wrong status that are looked at."""
_CHANGES_TO_GET = frozenset({301, 302, 303})


def ask(
    stack: Stack, service: str, probe: HttpProbe, filling: Filling, left: float, *, whole: bool = False
) -> Answer:
    """One request, with the redirections that it leads to where these are to be followed, and what it is worth.

    Of a body no more is read than says whether it is the expected one, unless `whole` asks for all of it. Raises `Unavailable` when there is nothing to ask, or nothing to ask it with.
    """
    limit = min(ATTEMPT if probe.within is None else probe.within, left)
    started = time.monotonic()
    enough = _judge(probe, filling, whole=whole)
    answer = _followed(stack, service, probe, filling, enough, started + limit)
    if isinstance(answer, str):
        return Answer(passed=False, seen=_late(answer, probe, limit))
    reason = wrong(answer, probe, filling)
    took = time.monotonic() - started
    if not reason and probe.within is not None and took > probe.within:
        reason = f"status {answer.status} after {format_duration(took)}"
    return Answer(passed=not reason, seen=reason or f"status {answer.status}", body=answer.body)


def _late(why: str, probe: HttpProbe, limit: float) -> str:
    own = probe.within is not None and limit == probe.within
    return f"no answer within {format_duration(limit)}" if why == "no answer in time" and own else why


def _followed(
    stack: Stack,
    service: str,
    probe: HttpProbe,
    filling: Filling,
    enough: Callable[[int, bytes], bool],
    deadline: float,
) -> HttpAnswer | str:
    """The answer at the end of the redirections, or why there is none."""
    request = _request(probe, filling)
    secure = probe.tls != "off"
    host = filling.text(probe.host) if probe.host else ""
    place = Place(service=service, port=probe.port, secure=secure, path=filling.path(probe.path), host=host)
    for _ in range(MOST_REDIRECTIONS + 1):
        answer = _once(stack, place, probe, request, enough, deadline)
        if isinstance(answer, str) or not (probe.follow and answer.location):
            return answer
        found = next_place(place, answer.location, stack.project)
        if isinstance(found, str):
            return f"status {answer.status}: {filling.quote(found)}"
        if answer.status in _CHANGES_TO_GET and request.method not in {"GET", "HEAD"}:
            request = _Request(method="GET", headers=request.without_body())
        if found.service != place.service:
            request = _Request(method=request.method, headers=request.without_secrets(), body=request.body)
        place = found
    return f"more than {MOST_REDIRECTIONS} redirections, the last one to {filling.quote(place.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is sent."""

    method: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def without_body(self) -> dict[str, str]:
        return {name: text for name, text in self.headers.items() if not name.lower().startswith("content-")}

    def without_secrets(self) -> dict[str, str]:
        secret = {"authorization", "cookie", "proxy-authorization"}
        return {name: text for name, text in self.headers.items() if name.lower() not in secret}


def _request(probe: HttpProbe, filling: Filling) -> _Request:
    headers = {"User-Agent": "hullmark"}
    body = None
    if probe.json is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(filling.json(probe.json), ensure_ascii=False).encode()
    elif probe.body is not None:
        body = filling.text(probe.body).encode()
    for name, template in probe.headers:
        for known in [each for each in headers if each.lower() == name.lower()]:
            del headers[known]
        text = filling.text(template)
        if not text.isprintable() or not text.isascii():
            raise Unavailable(f"header `{name}` cannot be sent: its value is not printable ASCII")
        headers[name] = text
    return _Request(method=probe.method, headers=headers, body=body)


def _once(
    stack: Stack,
    place: Place,
    probe: HttpProbe,
    request: _Request,
    enough: Callable[[int, bytes], bool],
    deadline: float,
) -> HttpAnswer | str:
    """The answer to one request, or why there is none."""
    import urllib3  # noqa: PLC0415  # loaded only where a stack is probed

    headers = dict(request.headers)
    if not any(name.lower() == "host" for name in headers):
        headers["Host"] = place.host or f"localhost:{place.port}"
    timeout = deadline - time.monotonic()
    if timeout <= 0:
        return "no answer in time"
    # The configuration says `insecure`; urllib3 need not say it again. For good: filters that are put back are shared
    # by all threads, and probes run side by side.
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    with _pool(stack, place, probe, timeout) as pool:
        try:
            answer = pool.request(
                request.method,
                place.path,
                body=request.body,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            body, complete = _body(answer, enough, deadline)
        except urllib3.exceptions.HTTPError as error:
            return _why(error)
    return HttpAnswer(
        status=answer.status,
        headers=tuple((name.lower(), text) for name, text in answer.headers.items()),
        body=body,
        complete=complete,
    )


def _pool(stack: Stack, place: Place, probe: HttpProbe, timeout: float) -> HTTPConnectionPool:
    import urllib3  # noqa: PLC0415

    host, port = stack.address(place.service, place.port)
    limits = urllib3.Timeout(total=timeout)
    if not place.secure:
        return urllib3.HTTPConnectionPool(host, port, timeout=limits)
    insecure = probe.tls == "insecure"
    # A certificate is for names, and TLS sends one: unless another is asked for, that of the loopback address.
    name = urlsplit(f"//{place.host}").hostname or "localhost"
    return urllib3.HTTPSConnectionPool(
        host,
        port,
        timeout=limits,
        server_hostname=name,
        ssl_context=None if insecure or probe.ca is None else _trusting(probe.ca),
        cert_reqs="CERT_NONE" if insecure else "CERT_REQUIRED",
        assert_hostname=False if insecure else None,
    )


def _trusting(file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        # What is no certificate is such an error as well.
        why = error.strerror or str(error)
        raise Unavailable(f"the certificates in `{file}` cannot be read: {why}") from error


def _body(
    answer: BaseHTTPResponse, enough: Callable[[int, bytes], bool], deadline: float
) -> tuple[str, bool]:
    """The answer's body, as far as it comes before `deadline` and is worth looking at, and whether that is all of it.

    An answer may go on for ever, such as a stream of events; its beginning says whether it is the right one.
    """
    data = b""
    with contextlib.closing(answer):
        endless = "text/event-stream" in answer.headers.get("Content-Type", "")
        if endless and enough(answer.status, data):
            # It may be silent for as long as nothing happens.
            return "", False
        while len(data) < LARGEST and time.monotonic() < deadline:
            chunk = answer.read1(1 << 16)
            if not chunk:
                return data.decode("utf-8", "replace"), True
            data += chunk
            if enough(answer.status, data):
                break
    return data.decode("utf-8", "replace"), False


def _judge(probe: HttpProbe, filling: Filling, *, whole: bool) -> Callable[[int, bytes], bool]:
    """Says of a status and the beginning of a body whether the rest would change nothing."""
    text = None if probe.body_contains is None else filling.text(probe.body_contains).encode()
    pattern = None if probe.body_matches is None else re.compile(probe.body_matches)

    def enough(status: int, data: bytes) -> bool:
        if not fits(status, probe.status):
            return len(data) >= _ENOUGH_TO_QUOTE
        if whole or probe.json_holds:
            return False
        if text is not None and text not in data:
            return len(data) >= LARGEST_TEXT
        if pattern is not None and not pattern.search(data.decode("utf-8", "replace")):
            return len(data) >= LARGEST_TEXT
        return True

    return enough


def _why(error: Exception) -> str:
    text = str(error)
    for sign, meaning in (
        ("Connection refused", "connection refused"),
        ("timed out", "no answer in time"),
        ("RemoteDisconnected", "connection closed without an answer"),
        ("IncompleteRead", "connection closed in the middle of the answer"),
        ("Connection reset", "connection reset"),
        (
            "Hostname mismatch",
            "the certificate is for another name (`host` says for which one is asked)",
        ),
        ("CERTIFICATE_VERIFY_FAILED", 'the certificate is not trusted (`ca`, or `tls = "insecure"` for any)'),
        ("WRONG_VERSION_NUMBER", "the port does not speak TLS"),
    ):
        if sign in text:
            return meaning
    return shorten(text)
