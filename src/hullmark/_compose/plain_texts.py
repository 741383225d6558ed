"""What Compose files say besides variables: arguments of builds, commands, labels, contents of configs, fragments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.arguments import secrets_in_words
from hullmark.model.composition import Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hullmark._compose.positions import Declarations
    from hullmark.model.location import SourceSpan

_PAIR = re.compile(
    r"(?:build\.args|build\.labels|deploy\.labels|labels|annotations)\.(?P<name>.+)", re.DOTALL
)
_COMMAND = re.compile(r"(?P<name>command|entrypoint|healthcheck\.test)(?:\.\d+)?")
_CONTENT = re.compile(r"configs\.(?P<name>.+)\.content", re.DOTALL)
_FRAGMENT = re.compile(r"x-[^.]*\.?(?P<name>.*)", re.DOTALL)
_LINE = re.compile(
    r"^[ \t]*(?P<name>[A-Za-z_][\w.-]{0,100})[ \t]*[=:][ \t]*[\"']?(?P<value>[^\s\"']+)", re.MULTILINE
)
_ANYTHING = ""
"""The name of a text of which only its form can tell that it is a secret."""


def plain_texts(service: str, declared: Declarations, but: Collection[SourceSpan]) -> Iterator[Literal]:
    """What `service` says apart from what stands at the places `but`."""
    commands: dict[str, list[tuple[str, SourceSpan]]] = {}
    start = f"services.{service}."
    for path, texts in declared.texts.items():
        if not path.startswith(start):
            continue
        key = path.removeprefix(start)
        pair, command = _PAIR.fullmatch(key), _COMMAND.fullmatch(key)
        for text, span in texts:
            if span in but or key.startswith("environment."):
                continue
            if command is not None:
                commands.setdefault(command["name"], []).append((text, span))
            yield _literal(pair["name"] if pair is not None else _ANYTHING, text, span, key)
    for key, words in commands.items():
        yield from _in_command(key, words)


def shared_texts(declared: Declarations, but: Collection[SourceSpan]) -> Iterator[Literal]:
    """The same of what belongs to no service: contents of configs, and fragments (`x-...`)."""
    for path, texts in declared.texts.items():
        content, fragment = _CONTENT.fullmatch(path), _FRAGMENT.fullmatch(path)
        for text, span in texts:
            if span in but:
                continue
            if content is not None:
                yield _literal(_ANYTHING, text, span, path)
                for line in _LINE.finditer(text):
                    yield _literal(line["name"], line["value"], span, path)
            elif fragment is not None:
                yield _literal(fragment["name"], text, span, path)


def _literal(name: str, text: str, span: SourceSpan, key: str) -> Literal:
    """With its own name where it stands in a list: `- API_TOKEN=...`."""
    if name.rpartition(".")[2].isdecimal() and "=" in text:
        name, _, text = text.partition("=")
    return Literal(name=name, value=text, span=span, key=key)


def _in_command(key: str, words: list[tuple[str, SourceSpan]]) -> Iterator[Literal]:
    """The secrets in a command. Compose doubles the dollars that a shell in the container gets to see."""
    texts = [text.replace("$$", "$") for text, _ in words]
    for option, value in secrets_in_words(texts):
        span = next((span for text, span in words if value in text.replace("$$", "$")), words[0][1])
        yield Literal(name=option, value=value, span=span, key=key, told=True)
