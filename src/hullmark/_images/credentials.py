"""Who the user is to a registry, as `docker login` has left it: the configuration of Docker and its helpers."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._process import Commands

_HUB_KEY = f"https://index.{DOCKER_HUB}/v1/"
"""Under which Docker keeps the credentials for Docker Hub."""
_TOKEN_USER = "<token>"  # noqa: S105  # by which a helper says that its secret is a token
_HELPER_WITHIN = 60
"""Seconds: a helper may ask the user."""
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A name and the secret that goes with it."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityToken:
    """A token that is exchanged for others."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryToken:
    """A token that is shown to the registry as it is."""

    token: str = field(repr=False)


Credentials = Password | IdentityToken | RegistryToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What Docker's configuration holds for one registry."""

    credentials: Credentials | None = None
    problem: str | None = None
    """Why it may be missing something: told only when the registry wants to know who asks."""


def find_login(registry: str, commands: Commands, environ: Mapping[str, str]) -> Login:
    """What `docker login` has kept for `registry`.

    A configuration or a helper that does not work is no reason to fail yet: most images are for everybody.
    """
    path = _path(environ)
    if path is None:
        return Login()
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        configuration = json.loads(content) if len(content) <= _LARGEST else None
    except FileNotFoundError:
        return Login()
    except OSError as error:
        return Login(problem=f"{path} cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        configuration = None
    if not isinstance(configuration, dict):
        return Login(problem=f"{path} is no configuration of Docker")
    key = _HUB_KEY if registry == DOCKER_HUB else registry
    asked = Login()
    if helper := _helper(configuration, key):
        asked = _ask(helper, key, commands)
        if asked.credentials is not None:
            return asked
    try:
        return Login(credentials=_kept(configuration, key), problem=asked.problem)
    except ValueError as error:
        return Login(problem=f"{path}: what it holds for {registry} cannot be used: {error}")


def _path(environ: Mapping[str, str]) -> Path | None:
    if directory := environ.get("DOCKER_CONFIG"):
        return Path(directory) / "config.json"
    if home := environ.get("HOME"):
        return Path(home) / ".docker" / "config.json"
    return None


def _helper(configuration: Mapping[str, Any], key: str) -> str | None:
    helpers = configuration.get("credHelpers")
    for_all = configuration.get("credsStore")
    found = helpers.get(key, for_all) if isinstance(helpers, dict) else for_all
    return found if isinstance(found, str) and found else None


def _ask(helper: str, key: str, commands: Commands) -> Login:
    """What `docker-credential-HELPER get` says; its output holds secrets, and is shown to nobody."""
    program = f"docker-credential-{helper}"
    if "/" in helper:
        return Login(problem=f"`{program}` is no name of a credential helper")
    try:
        ran = commands.run((program, "get"), stdin=key, timeout=_HELPER_WITHIN)
    except Interrupted:
        raise
    except HullmarkError as error:
        return Login(problem=error.message)
    if ran.returncode != 0:
        if "credentials not found" in ran.stdout.lower():
            return Login()
        return Login(problem=f"`{program} get` ended with exit status {ran.returncode}")
    try:
        answer = json.loads(ran.stdout)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        return Login(problem=f"`{program} get` answered something else than a name and a secret")
    if not secret:
        return Login()
    if username == _TOKEN_USER:
        return Login(credentials=IdentityToken(token=secret))
    return Login(credentials=Password(username=username, password=secret))


def _kept(configuration: Mapping[str, Any], key: str) -> Credentials | None:
    """What stands in the file itself; raises `ValueError` for what cannot be understood."""
    entries = configuration.get("auths")
    entry = _entry(entries, key) if isinstance(entries, dict) else None
    if not isinstance(entry, dict):
        return None
    if token := _text(entry, "registrytoken"):
        return RegistryToken(token=token)
    if token := _text(entry, "identitytoken"):
        return IdentityToken(token=token)
    if pair := _text(entry, "auth"):
        try:
            decoded = base64.b64decode(pair, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("`auth` is not in base64") from error
        username, colon, password = decoded.partition(":")
        if not colon:
            raise ValueError("`auth` holds no name and password")
        return Password(username=username, password=password.rstrip("\0"))
    name, secret = _text(entry, "username"), _text(entry, "password")
    return Password(username=name, password=secret) if name and secret else None


def _entry(entries: Mapping[str, Any], key: str) -> Any:
    """The entry for a host, which older versions wrote as a URL."""
    if key in entries:
        return entries[key]
    host = _host(key)
    return next((entry for name, entry in entries.items() if _host(name) == host), None)


def _host(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _text(entry: Mapping[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) and value else None
