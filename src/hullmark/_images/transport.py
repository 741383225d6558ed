"""HTTP as a registry needs it: connections that are kept, TLS, proxies, redirects, patience, and an end to waiting."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as PoolSSLError

from hullmark import __version__
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from types import TracebackType

    from urllib3.response import BaseHTTPResponse

PIECE = 256 << 10
"""Bytes that are read at once."""
CERTIFICATES = Path("/etc/docker/certs.d")
"""Where Docker looks for the authorities of single registries."""
INSECURE = "HULLMARK_INSECURE_REGISTRIES"
"""The variable that lists hosts which may be spoken to without TLS."""
_REDIRECTS = 5
_AT_ONCE = 16
"""Connections to one host that are kept for the next request."""
_TICK = 0.1
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_SAME_AGAIN = frozenset({307, 308})
"""Redirects of which the method and the body stay as they are."""
_SENT = 64 << 10
"""Bytes that are sent at once: each has the time of a connection to be taken."""
_READING = frozenset({"GET", "HEAD"})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOO_MANY = 429
_PORTS = {"http": 80, "https": 443}
_SECRET = 4
"""Characters below which a text hides nothing and would take half of a message with it."""
_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a registry is waited for, and how often it is asked again. Times in seconds."""

    attempts: int = 5
    """Of one request, and of one blob without a single byte between them."""
    transfers: int = 12
    """Of one blob altogether."""
    first_delay: float = 0.3
    """Before the second attempt; doubled before each further one, and shortened by up to a half at random."""
    longest_delay: float = 20.0
    longest_request: float = 60.0
    """What a registry may ask for with `Retry-After`; more is too long for whoever sits in front of it."""
    connect: float = 10.0
    answer: float = 60.0
    """Until the headers of an answer are complete."""
    piece: float = 60.0
    """For 256 KiB of a body."""

    def delay(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        longest = min(self.longest_delay, self.first_delay * float(1 << min(16, max(0, failures - 1))))
        # So that those who failed together do not come back together.
        return longest * _RANDOM.uniform(0.5, 1.0)


class Transient(Exception):  # says what kind of failure it is, and never leaves this package
    """Something that another attempt may find gone."""

    def __init__(self, message: str, *, hint: str | None = None, after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.after = after
        """Seconds that the other side asks to be left alone for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Which hosts may be spoken to without TLS, or with TLS that proves nothing."""

    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, environ: Mapping[str, str], more: Iterable[str] = ()) -> Self:
        """Those that `HULLMARK_INSECURE_REGISTRIES` lists, and `more`."""
        listed = (*environ.get(INSECURE, "").split(","), *more)
        return cls(hosts=frozenset(host.strip().lower() for host in listed if host.strip()))

    def allows(self, origin: Origin) -> bool:
        """Whether that is one of them; this machine always is."""
        name, _, _ = origin.authority.rpartition(":")
        return is_loopback(origin.host) or bool(self.hosts & {origin.host, name, origin.authority})


def is_loopback(name: str) -> bool:
    """Whether the name is one of this very machine; no resolver is asked."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whom a URL is a request to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of `url`; raises `ValueError` when it has none that can be asked."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("not a URL of HTTP")
        return cls(scheme=parts.scheme, host=parts.hostname, port=parts.port or _PORTS[parts.scheme])

    @property
    def name(self) -> str:
        """For people: the host, with its port where that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def authority(self) -> str:
        """The host and its port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What goes with a request; it can be sent again."""

    size: int
    pieces: Callable[[], Generator[bytes]] = field(repr=False)
    """From its beginning; what it raises ends the request."""
    media_type: str = "application/octet-stream"

    @classmethod
    def of(cls, content: bytes, media_type: str = "application/octet-stream") -> Self:
        """One that holds `content`."""

        def pieces() -> Generator[bytes]:
            for start in range(0, len(content), _SENT):
                yield content[start : start + _SENT]

        return cls(size=len(content), pieces=pieces, media_type=media_type)


class Watch:
    """Ends what waits on a socket for too long, or when the user asks to stop.

    A time limit on a socket counts from one byte to the next, and a server that sends one byte a minute never
    meets it. So a thread looks at the clock, and shuts down the sockets that are waited on for too long.
    """

    def __init__(self, cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._waiting: dict[socket.socket, float] = {}
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._here = threading.local()

    def start(self) -> None:
        """Begins to look at the clock, unless it does."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="hullmark-watch", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stops looking, and ends what is still waited for."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._shut_down()

    def begin(self, sock: socket.socket | None, seconds: float) -> float:
        """From now on the socket is waited on, for `seconds` at most; when that will be."""
        deadline = time.monotonic() + seconds
        self._here.socket = sock
        if sock is not None:
            self._waiting[sock] = deadline
        return deadline

    def end(self, sock: socket.socket | None) -> None:
        """What was waited for has come, or never will."""
        if sock is not None:
            self._waiting.pop(sock, None)

    def ends(self, deadline: float) -> bool:
        """Whether what is waited for until then is given up."""
        return self.closed or self._cancelled.is_set() or time.monotonic() > deadline

    @property
    def closed(self) -> bool:
        """Whether nothing may be waited for any more."""
        return self._closed.is_set()

    @property
    def latest(self) -> socket.socket | None:
        """The socket that this thread waited on last."""
        return getattr(self._here, "socket", None)

    def _look(self) -> None:
        while not self._closed.wait(_TICK):
            self._shut_down()

    def _shut_down(self) -> None:
        for sock, deadline in list(self._waiting.items()):
            if self.ends(deadline):
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which would take the encryption away under its reader.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Remembering(http.client.HTTPConnection):
    """Keeps the last answer, to close it when what stands above it finds fault with its headers and drops it."""

    _last: http.client.HTTPResponse | None = None

    def getresponse(self) -> http.client.HTTPResponse:
        self._last = super().getresponse()
        return self._last

    def forget(self) -> None:
        """Closes the connection and its last answer."""
        if self._last is not None:
            self._last.close()
        self.close()


def _watched(watch: Watch, seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections are watched while they wait for an answer."""

    class Plain(HTTPConnection, _Remembering):
        def send(self, data: Any) -> None:
            sock = self.sock if isinstance(self.sock, socket.socket) else None
            watch.begin(sock, seconds)
            try:
                super().send(data)
            finally:
                watch.end(sock)

        def getresponse(self) -> Any:
            sock = self.sock if isinstance(self.sock, socket.socket) else None
            deadline = watch.begin(sock, seconds)
            try:
                response = super().getresponse()
                if watch.ends(deadline):
                    # Headers that are cut off look as if they were complete.
                    raise TimeoutError
            except BaseException:
                self.forget()
                raise
            finally:
                watch.end(sock)
            return response

    class Secure(Plain, HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            # That somebody may be a stranger was asked for. Otherwise strangers are not spoken to at all, and the
            # warning that would be printed here says nothing new.
            self.is_verified = True

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class Answer:
    """What came back: status and headers are there, the body is still to be read."""

    def __init__(
        self, transport: Transport, response: BaseHTTPResponse, url: str, *, bodiless: bool = False
    ) -> None:
        self._bodiless = bodiless
        self._transport = transport
        self._response = response
        self._socket = transport.watch.latest
        self.url = url
        """What answered in the end, behind all redirects."""
        self.status = response.status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of it. A connection that was read to the end of the answer has gone back for the next one."""
        self._response.close()
        self._response.release_conn()

    def finish(self) -> None:
        """Closes it, but reads what is left first where that is little, so that the connection can be kept."""
        with contextlib.suppress(Transient):
            if self._bodiless or (self.length is not None and self.length <= PIECE):
                for _ in self.pieces():
                    pass
        self.close()

    def header(self, name: str) -> str:
        """A header, or an empty text."""
        return str(self._response.headers.get(name) or "")

    def header_lines(self, name: str) -> list[str]:
        """A header that may be there several times."""
        return list(self._response.headers.getlist(name))

    @property
    def length(self) -> int | None:
        """Bytes of the body, where that is said."""
        text = self.header("Content-Length")
        return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None

    def pieces(self) -> Iterator[bytes]:
        """The body as it is transferred; raises `Transient` when it ends too early or comes too slowly."""
        transport, sock = self._transport, self._socket
        patience, watch, read = transport.patience, transport.watch, self._response.read
        while True:
            deadline = watch.begin(sock, patience.piece)
            try:
                piece = read(PIECE, decode_content=False)
            except (HTTPError, OSError) as error:
                raise transport.failure(error, self.url, deadline, patience.piece) from error
            finally:
                watch.end(sock)
            if watch.ends(deadline):
                # The last bytes before an end that was made here, which looks like that of the transfer.
                raise transport.failure(TimeoutError(), self.url, deadline, patience.piece)
            if not piece:
                return
            yield piece

    def read(self, limit: int) -> bytes | None:
        """The whole body, or `None` when it has more than `limit` bytes."""
        if self._bodiless:
            return b""
        if (self.length or 0) > limit:
            return None
        body = bytearray()
        for piece in self.pieces():
            body += piece
            if len(body) > limit:
                return None
        if self.length is not None and len(body) != self.length:
            raise Transient(f"the answer of {Origin.of(self.url).name} ended after {len(body)} bytes")
        return bytes(body)


@dataclass(kw_only=True)
class Transport:
    """Sends requests, over connections that are kept until it is closed."""

    environ: Mapping[str, str] = field(repr=False)
    trust: Trust
    patience: Patience
    cancelled: threading.Event
    certificates: Path = CERTIFICATES
    secrets: set[str] = field(default_factory=set, repr=False)
    """What no message may show."""
    relief: str = "`docker login {name}` as a user who may ask more often"
    """What helps who has asked the host called `name` too often."""
    watch: Watch = field(init=False)
    _managers: dict[Origin, urllib3.PoolManager] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.cancelled)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # First, so that no other thread goes on with a connection of which nobody knows.
        self.watch.close()
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    def hide(self, text: str) -> str:
        """`text` without secrets, control characters and great length: fit for a message."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SECRET:
                text = text.replace(secret, "***")
        text = "".join(char if char.isprintable() else " " for char in text)
        return text if len(text) <= 300 else f"{text[:300]}..."  # noqa: PLR2004  # three lines of a terminal

    def pause(self, failures: int, after: float | None = None) -> None:
        """Waits before another attempt; raises `Interrupted` when the user asks to stop meanwhile."""
        if self.cancelled.wait(self.patience.delay(failures) if after is None else after):
            raise Interrupted

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        fields: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        """The answer to one request, wherever redirects lead.

        `Authorization` stays with the host that it is for, and so do `fields`, which hold credentials. Raises `Transient` for what another attempt may find
        gone, be it a broken connection or a status that says so, and `Unavailable` for everything else.
        """
        sent = {"User-Agent": f"hullmark/{__version__}", "Accept-Encoding": "identity", **headers}
        for _ in range(_REDIRECTS + 1):
            answer = self._exchange(method, url, sent, fields, body)
            location = answer.header("Location")
            if answer.status not in _REDIRECTING or not location:
                break
            answer.finish()
            target = self.target(url, location)
            if fields is not None:
                raise Unavailable(
                    f"{Origin.of(url).name} redirects a request that holds credentials; not followed"
                )
            if method not in _READING and answer.status not in _SAME_AGAIN:
                raise Unavailable(
                    f"{Origin.of(url).name} redirects a request that is to change something; not followed"
                )
            if Origin.of(target) != Origin.of(url):
                sent.pop("Authorization", None)
            url = target
        else:
            raise Unavailable(f"{Origin.of(url).name} redirects in circles")
        if answer.status in _TRY_AGAIN:
            with answer:
                raise self._again(answer)
        return answer

    def target(self, url: str, location: str) -> str:
        """Where `location` leads that was said at `url`; raises `Unavailable` where nobody should go."""
        here = Origin.of(url)
        try:
            target = urljoin(url, location)
            there = Origin.of(target)
        except ValueError as error:
            raise Unavailable(f"{here.name} redirects to something that is no URL") from error
        if there.scheme == "http" and here.scheme == "https" and not self.trust.allows(there):
            raise Unavailable(
                f"{here.name} redirects to {there.name} without TLS; not followed",
                hint=f"set {INSECURE}={there.name} if that may be",
            )
        return target

    def _again(self, answer: Answer) -> Transient:
        name = Origin.of(answer.url).name
        after = _seconds(answer.header("Retry-After"))
        if after is not None and after > self.patience.longest_request:
            raise Unavailable(
                f"{name} answered {answer.status} and asks to be left alone for {after:.0f} s",
                hint=f"try again then, or {self.relief.format(name=name)}"
                if answer.status == _TOO_MANY
                else "try again then",
            )
        if answer.status == _TOO_MANY:
            return Transient(
                f"{name} answered 429: it has been asked too often",
                hint="wait, or log in as a user who may ask more often",
                after=after,
            )
        return Transient(f"{name} answered {answer.status}", hint="try again later", after=after)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None,
        body: Body | None,
    ) -> Answer:
        if self.cancelled.is_set():
            raise Interrupted
        if self.watch.closed:
            raise _closed(Origin.of(url))
        manager = self._manager(Origin.of(url))
        patience = self.patience
        self.watch.start()
        sent = dict(headers)
        if fields is not None:
            body = Body.of(urlencode(fields).encode(), "application/x-www-form-urlencoded")
        if body is not None:
            sent |= {"Content-Type": body.media_type, "Content-Length": str(body.size)}
        deadline = time.monotonic() + patience.answer
        pieces = None if body is None else body.pieces()
        try:
            response = manager.request(
                method,
                url,
                headers=sent,
                body=pieces,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(connect=patience.connect, read=patience.answer),
            )
        except (HTTPError, OSError) as error:
            raise self.failure(error, url, deadline, patience.answer) from error
        finally:
            if pieces is not None:
                pieces.close()
        return Answer(self, response, url, bodiless=method == "HEAD")

    def failure(self, error: Exception, url: str, deadline: float, seconds: float) -> Transient:
        """What to raise for an error of the connection; raises what no other attempt will change."""
        origin = Origin.of(url)
        name = origin.name
        if self.cancelled.is_set():
            raise Interrupted from error
        if self.watch.closed:
            raise _closed(origin) from error
        if time.monotonic() >= deadline or isinstance(error, ReadTimeoutError | TimeoutError):
            return Transient(f"{name} did not go on within {seconds:g} s", hint="is it overloaded?")
        if isinstance(error, ProxyError):
            proxy = proxy_for(origin, self.environ)
            where = f" {Origin.of(proxy).name}" if proxy else ""
            return Transient(
                f"{name} cannot be reached through the proxy{where}: {self.hide(_reason(error))}",
                hint="look at HTTPS_PROXY and NO_PROXY",
            )
        if isinstance(error, PoolSSLError | ssl.SSLError) and not isinstance(_cause(error), ssl.SSLEOFError):
            raise self._untrusted(error, name) from error
        if isinstance(error, ProtocolError):
            return Transient(f"the connection to {name} broke: {self.hide(_reason(error))}")
        return Transient(f"{name} cannot be reached: {self.hide(_reason(error))}")

    def _untrusted(self, error: Exception, name: str) -> Unavailable:
        cause = _cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(
                f"the certificate of {name} cannot be trusted: {cause.verify_message}",
                hint=f"put the certificate of its authority into {self.certificates / name / 'ca.crt'}, or name a "
                "bundle that has it with SSL_CERT_FILE",
            )
        return Unavailable(
            f"no TLS can be spoken with {name}: {self.hide(_reason(error))}",
            hint=f"set {INSECURE}={name} if it is a registry without TLS",
        )

    def _manager(self, origin: Origin) -> urllib3.PoolManager:
        with self._lock:
            if origin not in self._managers:
                self._managers[origin] = self._new_manager(origin)
            return self._managers[origin]

    def _new_manager(self, origin: Origin) -> urllib3.PoolManager:
        options: dict[str, Any] = {"maxsize": _AT_ONCE}
        if origin.scheme == "https":
            options["ssl_context"] = self._context(origin)
        if proxy := proxy_for(origin, self.environ):
            manager: urllib3.PoolManager = self._proxy(proxy, options)
        else:
            manager = urllib3.PoolManager(**options)
        manager.pool_classes_by_scheme = _watched(self.watch, self.patience.answer)
        return manager

    def _proxy(self, proxy: str, options: Mapping[str, Any]) -> urllib3.ProxyManager:
        headers = None
        parts = urlsplit(proxy)
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.secrets.update({proxy, parts.password or "", unquote(parts.password or "")})
            headers = urllib3.make_headers(proxy_basic_auth=pair)
            proxy = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        to_proxy = self._authorities() if proxy.startswith("https:") else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=to_proxy, **options)

    def _authorities(self) -> ssl.SSLContext:
        """TLS as this machine trusts it, or as the environment says."""
        file, directory = self.environ.get("SSL_CERT_FILE"), self.environ.get("SSL_CERT_DIR")
        try:
            return ssl.create_default_context(cafile=file or None, capath=directory or None)
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"{file or directory}: no certificates can be read from it ({_reason(error)})",
                hint="look at SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error

    def _context(self, origin: Origin) -> ssl.SSLContext:
        if self.trust.allows(origin):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = self._authorities()
        own = self.certificates / origin.name
        try:
            if own.is_dir():
                for path in sorted(own.glob("*.crt")):
                    context.load_verify_locations(cafile=path)
                for path in sorted(own.glob("*.cert")):
                    context.load_cert_chain(path, path.with_suffix(".key"))
        except (OSError, ValueError) as error:
            raise Unavailable(f"{own}: its certificates cannot be used: {_reason(error)}") from error
        return context


def _closed(origin: Origin) -> Unavailable:
    return Unavailable(f"nothing more is asked of {origin.name}: the image has been closed")


def proxy_for(origin: Origin, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy for requests to `origin`: by the rules of Docker."""
    proxy = _variable(environ, f"{origin.scheme}_proxy")
    if not proxy or is_loopback(origin.host):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        Origin.of(proxy)
    except ValueError:
        raise Unavailable(
            "the proxy that the environment names is none that can be used",
            hint="HTTPS_PROXY is the URL of an HTTP proxy",
        ) from None
    exempt = (_variable(environ, "no_proxy") or "").split(",")
    return None if any(_matches(origin, entry.strip().lower()) for entry in exempt) else proxy


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper())


def _matches(origin: Origin, entry: str) -> bool:
    """Whether an entry of NO_PROXY is about that host: a name and all names below it, an address or a network."""
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry, strict=False)
    name, _, port = entry.partition(":")
    if port and port != str(origin.port):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return bool(name) and (origin.host == name or origin.host.endswith(f".{name}"))


def _seconds(text: str) -> float | None:
    """What `Retry-After` asks for, as a number of seconds or as a date."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment.timestamp() - time.time())


def _cause(error: BaseException) -> BaseException:
    """The error that stands behind those of the libraries."""
    seen = {id(error)}
    while True:
        inner = error.__cause__ or error.__context__ or next(iter(error.args), None)
        inner = getattr(error, "original_error", None) or inner
        if not isinstance(inner, BaseException) or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner


def _reason(error: BaseException) -> str:
    """The innermost cause in few words."""
    if isinstance(error, NameResolutionError):
        return "its name cannot be resolved"
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NameResolutionError):
        cause = _cause(error)
        if isinstance(cause, TimeoutError) or cause is error:
            return "nobody answers"
    cause = _cause(error)
    if isinstance(cause, IncompleteRead | http.client.IncompleteRead):
        return "it ended too early"
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return cause.reason.replace("_", " ").lower()
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(cause)
