"""How a registry is told who asks: Basic, or tokens from the endpoint that it names."""

from __future__ import annotations

import base64
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from hullmark._images.credentials import IdentityToken, Password, RegistryToken
from hullmark._images.transport import Origin, Transient
from hullmark.errors import Unavailable
from hullmark.model.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hullmark._images.credentials import Login
    from hullmark._images.transport import Answer, Transport

_CLIENT = "hullmark"
_LARGEST_ANSWER = 1 << 20
_OK = 200
_REFUSED = frozenset({400, 401, 403})
_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAMETER = re.compile(rf'[\s,]*({_NAME})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(rf"[\s,]*({_NAME})(?=[\s,]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way in which a registry says that it can be convinced."""

    scheme: str
    """In lower case."""
    parameters: Mapping[str, str]


def parse_challenges(lines: Iterable[str]) -> Iterator[Challenge]:
    """What the lines of `WWW-Authenticate` say (RFC 9110); what cannot be understood ends its line."""
    for line in lines:
        position, scheme, parameters = 0, "", dict[str, str]()
        while True:
            if scheme and (found := _PARAMETER.match(line, position)):
                value = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
                parameters.setdefault(found[1].lower(), value)
            elif found := _SCHEME.match(line, position):
                if scheme:
                    yield Challenge(scheme=scheme, parameters=parameters)
                scheme, parameters = found[1].lower(), {}
            else:
                break
            position = found.end()
        if scheme:
            yield Challenge(scheme=scheme, parameters=parameters)


def join_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """All that `scopes` ask for, each thing once: `repository:NAME:pull` and `...:push` are `...:pull,push`."""
    actions: dict[str, set[str]] = {}
    for scope in scopes:
        for part in scope.split():
            name, colon, wanted = part.rpartition(":")
            if colon:
                actions.setdefault(name, set()).update(action for action in wanted.split(",") if action)
    return tuple(f"{name}:{','.join(sorted(actions[name]))}" for name in sorted(actions))


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Token)


@dataclass(kw_only=True)
class Authenticator:
    """Knows what to send as `Authorization` to one registry, for one repository; shared by threads."""

    transport: Transport = field(repr=False)
    registry: str
    """As the user writes it."""
    scope: str
    """What is asked for where the registry does not say what it wants."""
    find_login: Callable[[], Login] = field(repr=False)
    """Called once, and only when the registry wants to know who asks."""
    verb: str = "pull"
    """What is to be done there, for messages."""
    _scopes: tuple[str, ...] = ()
    _header: str | None = field(default=None, repr=False)
    _login: Login | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def header(self) -> str | None:
        """What to send now."""
        return self._header

    @property
    def login(self) -> Login:
        """What Docker's configuration holds for the registry."""
        if self._login is None:
            self._login = self.find_login()
            match self._login.credentials:
                case Password(password=secret) | IdentityToken(token=secret) | RegistryToken(token=secret):
                    self.transport.secrets.add(secret)
                case None:
                    pass
        return self._login

    def renew(self, answer: Answer, refused: str | None, *, scoped: bool = True) -> bool:
        """Whether there is something new to send after `answer` refused `refused`.

        `scoped` says whether the scope that it names is to be believed: on a request for something it is, and
        on the greeting some registries name an example.
        """
        challenges = list(parse_challenges(answer.header_lines("WWW-Authenticate")))
        with self._lock:
            if self._header != refused:
                return True  # another thread was quicker
            for scheme, way in (("bearer", self._bearer), ("basic", self._basic)):
                for challenge in challenges:
                    if challenge.scheme == scheme:
                        return way(challenge, answer.url, scoped=scoped)
            return False

    def _send(self, header: str) -> bool:
        new = header != self._header
        self._header = header
        self.transport.secrets.update({header, header.partition(" ")[2]})
        return new

    def _basic(self, _challenge: Challenge, _url: str, *, scoped: bool) -> bool:
        del scoped
        credentials = self.login.credentials
        return isinstance(credentials, Password) and self._send(_pair(credentials))

    def _bearer(self, challenge: Challenge, url: str, *, scoped: bool) -> bool:
        credentials = self.login.credentials
        if isinstance(credentials, RegistryToken):
            return self._send(f"Bearer {credentials.token}")
        realm = challenge.parameters.get("realm", "")
        named = challenge.parameters.get("scope", "") if scoped else ""
        self._scopes = join_scopes((*self._scopes, named or self.scope))
        self._check(realm, url)
        token = self._fetch(realm, challenge.parameters.get("service", ""))
        self._send(f"Bearer {token}")
        return True

    def _check(self, realm: str, url: str) -> None:
        """Raises `Unavailable` unless credentials may be sent to `realm`."""
        try:
            origin = Origin.of(realm)
        except ValueError as error:
            raise Unavailable(
                f"{self.registry} wants a token, and names no endpoint that could give one"
            ) from error
        if origin.scheme == "http" and not self.transport.trust.allows(origin):
            raise Unavailable(
                f"{self.registry} wants a token from {origin.name}, which is asked without TLS; nothing was sent"
            )
        if origin.scheme == "http" and Origin.of(url).scheme == "https":
            raise Unavailable(
                f"{self.registry} speaks TLS, and wants a token from {origin.name} without; nothing was sent"
            )

    def _fetch(self, realm: str, service: str) -> str:
        failures = 0
        while True:
            try:
                return self._token(realm, service)
            except Transient as error:
                failures += 1
                if failures >= self.transport.patience.attempts:
                    raise Unavailable(
                        f"no token for {self.registry}: {error.message}", hint=error.hint
                    ) from error
                self.transport.pause(failures, error.after)

    def _token(self, realm: str, service: str) -> str:
        credentials = self.login.credentials
        if isinstance(credentials, IdentityToken):
            fields = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": _CLIENT,
                "scope": " ".join(self._scopes),
                "refresh_token": credentials.token,
            }
            answer = self.transport.send("POST", realm, {}, fields=fields)
        else:
            query = [("service", service)] if service else []
            query += [("scope", scope) for scope in self._scopes]
            headers = {}
            if isinstance(credentials, Password):
                query.append(("account", credentials.username))
                headers["Authorization"] = _pair(credentials)
                self.transport.secrets.add(_pair(credentials).partition(" ")[2])
            parts = urlsplit(realm)
            joined = "&".join(part for part in (parts.query, urlencode(query)) if part)
            answer = self.transport.send("GET", parts._replace(query=joined, fragment="").geturl(), headers)
        with answer:
            if answer.status in _REFUSED:
                raise self.denied(f"{Origin.of(realm).name} answered {answer.status} when asked for a token")
            if answer.status != _OK:
                raise Unavailable(
                    f"no token for {self.registry}: {Origin.of(realm).name} answered {answer.status}"
                )
            body = answer.read(_LARGEST_ANSWER)
        try:
            token = _DECODER.decode(body or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            token = _Token()
        found = token.token or token.access_token or ""
        if not re.fullmatch(r"[\x21-\x7e]+", found):
            raise Unavailable(
                f"no token for {self.registry}: {Origin.of(realm).name} sent none that can be used"
            )
        return found

    def denied(self, what: str) -> Unavailable:
        """The error for whoever may not do what was tried, with what to do about it."""
        command = f"docker login {self.registry}" if self.registry != DOCKER_HUB else "docker login"
        login = self.login
        if login.problem is not None:
            return Unavailable(f"{what}; {self.transport.hide(login.problem)}", hint=f"`{command}`")
        match login.credentials:
            case None:
                return Unavailable(f"{what}; nobody is logged in there", hint=f"`{command}`")
            case Password(username=name):
                return Unavailable(
                    f"{what} as `{name}`", hint=f"`{command}` again, or as a user who may {self.verb} it"
                )
            case IdentityToken() | RegistryToken():
                return Unavailable(
                    f"{what} with the token of Docker's configuration",
                    hint=f"`{command}` again, or as a user who may {self.verb} it",
                )


def _pair(credentials: Password) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"
