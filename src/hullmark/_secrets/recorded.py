"""Secrets in what an image says of itself: its configuration, and the history of how it was made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.engine import find, plain
from hullmark._secrets.redaction import likeness
from hullmark._secrets.variables import hidden_in
from hullmark.model.secret import Secret, Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.image import Image, ImageConfiguration
    from hullmark.model.secret import Likeness

_ARGUMENTS = re.compile(r"\|(\d{1,4})\s+(?P<rest>.*)", re.DOTALL)
_ARGUMENT = re.compile(
    r"(?P<name>[A-Za-z_]\w{0,200})=(?P<value>.*?)(?=\s+[A-Za-z_]\w*=|\s+/\S*sh\s|\s+\S*sh\s+-|$)", re.DOTALL
)
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
        yield from _text(f"Labels.{name}", value)
    yield from _text("Entrypoint", " ".join(configuration.entrypoint))
    yield from _text("Cmd", " ".join(configuration.command))
    if configuration.health_check is not None:
        yield from _text("Healthcheck", " ".join(configuration.health_check.test))


def _in_history(image: Image) -> Iterator[tuple[str, Likeness]]:
    for position, step in enumerate(image.history):
        key = f"history[{position}]"
        for name, value in _arguments(step.created_by):
            yield from _variable(key, name, value)
        yield from _text(key, step.created_by)
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
        yield key, likeness("named-secret", f"the value of `{name}`", secret)


def _text(key: str, text: str) -> Iterator[tuple[str, Likeness]]:
    for match in find(text.encode("utf-8", "surrogateescape"), plain()):
        yield key, likeness(match.detector.id, match.detector.what, match.secret)
