"""Secrets in what an image says of itself: its configuration, and the history of how it was made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.arguments import secrets_in_words
from hullmark._secrets.engine import find, plain
from hullmark._secrets.redaction import fingerprint, likeness
from hullmark._secrets.variables import hidden_in, url_passwords
from hullmark.model.secret import Secret, Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.image import Image, ImageConfiguration
    from hullmark.model.secret import Likeness

NAMED = "named-secret"
"""The format of what only its name makes a secret, of whatever form."""
_ARGUMENTS = re.compile(r"\|(\d{1,4})\s+(?P<rest>.*)", re.DOTALL)
_ARGUMENT = re.compile(
    r"(?P<name>[A-Za-z_]\w{0,200})=(?P<value>.*?)(?=\s+[A-Za-z_]\w*=|\s+/\S*sh\s|\s+\S*sh\s+-|$)", re.DOTALL
)
_SHELL = re.compile(r"\s\S*sh -c ")
_ENV = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG)\s+(?P<rest>.*)", re.DOTALL)


def recorded(image: Image) -> Iterator[Secret]:
    """The secrets in the configuration and the history of `image`, each where it stands first."""
    seen: set[str] = set()
    for key, found in (*_in_configuration(image.configuration), *_in_history(image)):
        if found.hash not in seen:
            seen.add(found.hash)
            yield Secret(likeness=found, whereabouts=Whereabouts.RECORDED, key=key)


def _in_configuration(configuration: ImageConfiguration) -> Iterator[tuple[str, Likeness]]:
    for name, value in configuration.environment:
        yield from _variable(f"Env.{name}", name, value)
    for name, value in configuration.labels:
        yield from _variable(f"Labels.{name}", name, value)
    yield from _words("Entrypoint", configuration.entrypoint)
    yield from _words("Cmd", configuration.command)
    if configuration.health_check is not None:
        yield from _words("Healthcheck", configuration.health_check.test)


def _in_history(image: Image) -> Iterator[tuple[str, Likeness]]:
    for position, step in enumerate(image.history):
        key = f"history[{position}]"
        for name, value in _arguments(step.created_by):
            yield from _variable(key, name, value)
        yield from _text(key, step.created_by)
        if _ENV.match(step.created_by) is None:
            # In front of the shell stand the build arguments.
            yield from _words(key, (_SHELL.split(step.created_by, maxsplit=1)[-1],))
        yield from _text(key, step.comment)


def _arguments(created_by: str) -> Iterator[tuple[str, str]]:
    """The variables that a step was given: build arguments before the shell, and those that it sets."""
    arguments = _ARGUMENTS.search(created_by)
    if arguments is not None:
        for number, each in enumerate(_ARGUMENT.finditer(arguments["rest"])):
            if number < int(arguments[1]):
                yield each["name"], each["value"]
    if (assigned := _ENV.match(created_by)) is not None:
        for each in _ARGUMENT.finditer(assigned["rest"]):
            yield each["name"], each["value"].strip("\"'")


def _variable(key: str, name: str, value: str) -> Iterator[tuple[str, Likeness]]:
    found = list(_text(key, value))
    yield from found
    if not found and (secret := hidden_in(name, value)) is not None:
        yield key, likeness(NAMED, f"the value of `{name}`", secret)


def _words(key: str, words: Sequence[str]) -> Iterator[tuple[str, Likeness]]:
    """What stands in a command; what is within something that was found is found with it."""
    found = list(_text(key, " ".join(words)))
    yield from found
    there = {each.hash for _, each in found}
    for option, value in secrets_in_words(words):
        raw = value.encode("utf-8", "surrogateescape")
        if fingerprint(raw) not in there and not find(raw, plain()):
            yield key, likeness(NAMED, f"the value of `{option}`", raw)


def _text(key: str, text: str) -> Iterator[tuple[str, Likeness]]:
    matches = find(text.encode("utf-8", "surrogateescape"), plain())
    for match in matches:
        yield key, likeness(match.detector.id, match.detector.what, match.secret)
    told = [match.secret for match in matches]
    for password in url_passwords(text):
        raw = password.encode("utf-8", "surrogateescape")
        if not any(raw in each or each in raw for each in told):
            yield key, likeness("url-password", "a URL with a password", raw)
