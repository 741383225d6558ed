"""What an image in a registry is called, by the grammar of the distribution project."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hullmark.model.digest import Digest

DOCKER_HUB = "docker.io"
"""The registry of names that name none."""
LATEST = "latest"
"""The tag of names that have neither tag nor digest."""
_OFFICIAL = "library/"
"""Where Docker Hub keeps repositories that are written without an owner."""
_LONGEST = 255
"""Characters of a repository."""
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A name that may stand for another image tomorrow."""

    registry: str
    """The host, with its port where one is written; `docker.io` where none is."""
    repository: str
    tag: str = LATEST

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A name that stands for the same bytes for ever."""

    registry: str
    """As in `Tagged`."""
    repository: str
    digest: Digest
    tag: str | None = None
    """A tag that is written beside the digest, and decides nothing."""

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        return f"{self.registry}/{self.repository}{tag}@{self.digest}"


Reference = Tagged | Pinned


def parse_reference(text: str) -> Reference:
    """What `text` names, in full: `debian` is `docker.io/library/debian:latest`.

    Raises `ValueError`, saying what is wrong, for what is no name of an image. `str()` of what comes back is
    parsed to the same.
    """
    name, at, digest = text.partition("@")
    # A colon belongs to the tag only behind the last slash; before it, it is a port.
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    registry, repository = _split(f"{head}{slash}{last}")
    if not _REGISTRY.fullmatch(registry):
        raise ValueError(f"`{_shown(text)}`: `{_shown(registry)}` is no host of a registry")
    _check_repository(repository, text)
    if colon and not tag:
        raise ValueError(f"`{_shown(text)}`: a tag is missing behind the colon")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(
            f"`{_shown(text)}`: `{_shown(tag)}` is no tag; expected up to 128 letters, digits, `_`, `.` and `-`"
        )
    if at:
        try:
            pinned = Digest.parse(digest)
        except ValueError as error:
            raise ValueError(f"`{_shown(text)}`: {error}") from error
        return Pinned(registry=registry, repository=repository, digest=pinned, tag=tag or None)
    if not slash and not colon and _IMAGE_ID.fullmatch(last):
        raise ValueError(f"`{_shown(text)}` is the ID of an image; registries know images by name or digest")
    return Tagged(registry=registry, repository=repository, tag=tag or LATEST)


def _split(name: str) -> tuple[str, str]:
    """Registry and repository. What stands first is a host when it could be no part of a repository."""
    first, slash, rest = name.partition("/")
    if not slash or not (first == "localhost" or {".", ":"} & set(first) or first != first.lower()):
        registry, repository = DOCKER_HUB, name
    else:
        registry, repository = first, rest
    if registry in {DOCKER_HUB, f"index.{DOCKER_HUB}"}:
        registry = DOCKER_HUB
        if "/" not in repository:
            repository = f"{_OFFICIAL}{repository}"
    return registry, repository


def _check_repository(repository: str, text: str) -> None:
    if len(repository) > _LONGEST:
        raise ValueError(f"`{_shown(text)}`: a repository has at most {_LONGEST} characters")
    if not _REPOSITORY.fullmatch(repository):
        written = repository.removeprefix(_OFFICIAL)
        better = written.lower()
        also = f" (`{better}`?)" if better != written and _REPOSITORY.fullmatch(better) else ""
        raise ValueError(
            f"`{_shown(text)}`: `{_shown(written)}` is no repository{also}; expected lower-case letters and digits, "
            "joined by `.`, `_`, `__` or `-`, in parts with `/` between them"
        )


def _shown(text: str) -> str:
    """The beginning of `text`, for a message."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
