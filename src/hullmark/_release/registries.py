"""The repositories that a release writes to: each connected once, and asked about tags and manifests."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

from hullmark._images.artifacts import fetch, keep
from hullmark._images.manifests import ACCEPTED, check_bytes, digest_of
from hullmark._images.push import Content, Push
from hullmark._images.registry import Registry
from hullmark._images.transport import Origin
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from hullmark._images.artifacts import Kind
    from hullmark._images.distribution import Repository
    from hullmark._images.transport import Answer, Patience
    from hullmark._process import Commands
    from hullmark.model.journal import Place

LARGEST = 4 << 20
"""Bytes of a manifest, an index or a list of tags."""
_PAGES = 1000
_AT_ONCE = 1000
_OK, _ACCEPTED, _NO_CONTENT, _NOT_FOUND = 200, 202, 204, 404
_NOT_ALLOWED = frozenset({400, 405})
"""How registries say that nothing, or no tag, can be taken away from them."""
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manifest or an index, verified."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """What it is called."""
        return str(digest_of(self.content))


@dataclass(kw_only=True)
class Registries:
    """The repositories, while its context is entered; repositories are named with their registry.

    Everything raises `Unavailable` for what a registry refuses, and `Interrupted` soon after the user asks to stop.
    """

    commands: Commands
    environ: Mapping[str, str] = field(repr=False)
    cancelled: threading.Event
    patience: Patience | None = None
    writing: bool = True
    """Whether the right to change something is asked for."""
    _open: dict[str, Repository] = field(default_factory=dict, init=False, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def repository(self, name: str) -> Repository:
        """The repository called `name`, connected."""
        with self._lock:
            if name not in self._open:
                registry = Registry(commands=self.commands, environ=self.environ, patience=self.patience)
                self._open[name] = self._stack.enter_context(
                    registry.repository(name, self.cancelled, pushing=self.writing)
                )
            return self._open[name]

    def fetch(self, name: str, which: str) -> Document | None:
        """The manifest or index with that tag or digest; `None` where there is none."""
        repository = self.repository(name)
        subject = f"{name}: {which}"

        def attempt() -> Document | None:
            url = repository.url(f"manifests/{which}")
            with repository.request("GET", url, {"Accept": ", ".join((*ACCEPTED, "*/*"))}) as answer:
                if answer.status == _NOT_FOUND:
                    answer.finish()
                    return None
                if answer.status != _OK:
                    raise repository.refused(answer, _missing(subject))
                content = answer.read(LARGEST)
                if content is None:
                    raise DamagedImage(f"{subject} has more than {LARGEST} bytes; refused")
                if which.startswith("sha256:"):
                    check_bytes(content, Digest.parse(which), "what leads to it", subject)
                # Registries may leave it out, or compute it by another algorithm.
                with contextlib.suppress(ValueError):
                    said = Digest.parse(answer.header("Docker-Content-Digest"))
                    check_bytes(content, said, "the registry", subject)
                return Document(content=content, media_type=_bare(answer.header("Content-Type")))

        return repository.patiently(attempt)

    def digest(self, name: str, which: str) -> str | None:
        """What the tag leads to; `None` where there is no such tag."""
        found = self.fetch(name, which)
        return None if found is None else found.digest

    def seen(self, places: Iterable[Place]) -> dict[Place, str | None]:
        """What each of the tags leads to now."""
        return {place: self.digest(*place) for place in places}

    def tags(self, name: str) -> tuple[str, ...]:
        """Every tag of the repository; none where it does not exist yet.

        Raises `DamagedImage` for a list without an end: a part of it would look like all of it.
        """
        repository = self.repository(name)
        found: dict[str, None] = {}
        seen: set[str] = set()
        url: str | None = repository.url(f"tags/list?n={_AT_ONCE}")
        while url is not None:
            if url in seen or len(seen) >= _PAGES:
                raise DamagedImage(f"{name}: the registry's list of tags has no end; refused")
            seen.add(url)
            page, url = repository.patiently(lambda url=url: _page(repository, url))  # type: ignore[misc]  # a page's own
            found |= dict.fromkeys(page)
        return tuple(found)

    def blob(self, name: str, content: bytes) -> Digest:
        """Has the repository hold `content`; its digest."""
        made = Content.of(content)
        Push(repository=self.repository(name)).blob(made)
        return made.digest

    def put(self, name: str, content: bytes, media_type: str, *tags: str) -> str:
        """Has the repository hold a manifest or index, by its digest or by `tags`; its digest."""
        return str(Push(repository=self.repository(name)).manifest(content, media_type, *tags).digest)

    def remove(self, name: str, which: str) -> bool:
        """Takes a tag, or a manifest with all of its tags, away; whether the registry lets anybody do that."""
        repository = self.repository(name)

        def attempt() -> bool:
            with repository.request("DELETE", repository.url(f"manifests/{which}"), {}) as answer:
                answer_to = answer.status
                if answer_to in {_OK, _ACCEPTED, _NO_CONTENT, _NOT_FOUND}:
                    answer.finish()
                    return True
                if answer_to in _NOT_ALLOWED:
                    answer.finish()
                    return False
                raise repository.refused(answer, _missing(f"{name}: {which}"))

        return repository.patiently(attempt)

    def keep(self, name: str, kind: Kind, content: bytes, tag: str) -> str:
        """Has the repository hold a document under `tag`; the digest of its manifest."""
        return str(keep(Push(repository=self.repository(name)), kind, content, tags=(tag,)).digest)

    def kept(self, name: str, kind: Kind, tag: str, limit: int) -> bytes | None:
        """The document under that tag; `None` where there is none."""
        if self.digest(name, tag) is None:
            return None
        return fetch(self.repository(name), kind, tag, limit).content

    def check_writable(self, name: str) -> None:
        """Raises `Unavailable` unless something may be put into the repository; nothing is."""
        repository = self.repository(name)

        def attempt() -> None:
            with repository.request("POST", repository.url("blobs/uploads/"), {}) as answer:
                if answer.status != _ACCEPTED:
                    raise repository.refused(answer, _missing(name))
                location = urljoin(answer.url, answer.header("Location"))
                answer.finish()
            # It would otherwise lie there until the registry clears up.
            with contextlib.suppress(Unavailable, ValueError):
                if Origin.of(location) == Origin.of(answer.url):
                    repository.request("DELETE", location, {}).finish()

        repository.patiently(attempt)


def _page(repository: Repository, url: str) -> tuple[list[str], str | None]:
    with repository.request("GET", url, {}) as answer:
        if answer.status == _NOT_FOUND:
            answer.finish()
            return [], None
        if answer.status != _OK:
            raise repository.refused(answer, _missing(repository.name))
        body = answer.read(LARGEST)
        following = _NEXT.search(answer.header("Link"))
        there = answer.url
    try:
        listed = json.loads(body or b"").get("tags") or []
    except (ValueError, AttributeError, RecursionError) as error:
        raise DamagedImage(f"{repository.name}: the registry's list of tags cannot be read") from error
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise DamagedImage(f"{repository.name}: the registry's list of tags is none")
    target = None if following is None else urljoin(there, following[1])
    if target is not None and Origin.of(target) != Origin.of(there):
        raise Unavailable(
            f"{repository.name}: the registry's list of tags goes on at another host; not followed"
        )
    return listed, target


def _missing(subject: str) -> Callable[[Answer], Unavailable]:
    def error(_answer: Answer) -> Unavailable:
        return Unavailable(f"{subject}: the registry knows of no such thing")

    return error


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
