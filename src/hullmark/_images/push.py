"""Blobs and manifests put into a repository, as version 1.1 of the OCI distribution specification says."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from hullmark._images.manifests import ACCEPTED, OCI_INDEX, digest_of
from hullmark._images.referrers import refers_to, with_referrer
from hullmark._images.transport import Body, Origin, Transient
from hullmark.errors import DamagedImage, Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from hullmark._images.distribution import Repository
    from hullmark._images.interface import Buffer
    from hullmark._images.transport import Answer
    from hullmark.model.digest import Digest

PIECE = 16 << 20
"""Bytes of a piece, where a blob goes in several; they are held in memory."""
_LARGEST_PIECE = 1 << 28
_ROUNDS = 5
"""Attempts to be on a list that others are writing to at the same time."""
_LARGEST_LIST = 4 << 20
_OK, _CREATED, _ACCEPTED, _NO_CONTENT = 200, 201, 202, 204
_BAD, _NOT_FOUND, _TOO_LARGE, _NOT_THERE = 400, 404, 413, 416
_GOT = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


class Arrival(enum.Enum):
    """How a blob came to be where it is."""

    THERE = "there"
    """It has been there before."""
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of a blob, and what they are called."""

    digest: Digest
    """Verified while they are sent."""
    size: int
    open: Callable[[], AbstractContextManager[Iterator[Buffer]]] = field(repr=False)
    """From their beginning; each piece is valid until the next one is asked for."""

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Those of `content`."""

        @contextlib.contextmanager
        def opened() -> Iterator[Iterator[bytes]]:
            yield Body.of(content).pieces()

        return cls(digest=digest_of(content), size=len(content), open=opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A manifest or index that is in the registry."""

    digest: Digest
    size: int
    media_type: str


@dataclass(slots=True, kw_only=True)
class _Session:
    """One upload as the registry knows it."""

    url: str
    """It may hold what only this client is to know."""
    offset: int = 0
    """Bytes that the registry has."""
    smallest: int = 0
    """Bytes that it wants a piece to have at least."""
    largest: int = _LARGEST_PIECE
    """Bytes that it has been found to take at once."""


@dataclass(kw_only=True)
class Push:
    """Puts blobs and manifests into one repository; safe to use from several threads.

    What is there already is not sent. Everything raises `Unavailable` for what the registry refuses, `DamagedImage`
    for bytes that are not what they are called, and `Interrupted` soon after the user asks to stop.
    """

    repository: Repository
    """Connected, and asked for with the right to change it."""
    piece: int = PIECE

    def has(self, digest: Digest) -> bool:
        """Whether the repository has that blob."""
        return self._is_there(f"blobs/{digest}")

    def _is_there(self, path: str) -> bool:
        repository = self.repository

        def attempt() -> bool:
            url = repository.url(path)
            with repository.request("HEAD", url, {"Accept": ", ".join(ACCEPTED)}) as answer:
                if answer.status not in {_OK, _NOT_FOUND}:
                    raise repository.refused(answer, self._unknown)
                return answer.status == _OK

        return repository.patiently(attempt)

    def blob(self, content: Content) -> Arrival:
        """Sees to it that the repository has the blob.

        It goes in one request. Where that breaks off, or is too large for the registry, it goes on in pieces from
        where the registry has got to.
        """
        if self.has(content.digest):
            return Arrival.THERE
        patience, transport = self.repository.transport.patience, self.repository.transport
        session: _Session | None = None
        failures = transfers = 0
        whole = True
        while True:
            before = 0 if session is None else session.offset
            transfers += 1
            try:
                if transfers > 1 and session is not None:
                    session = self._resumed(session, content)
                if session is None:
                    session = self._begin()
                if whole and session.offset == 0 and self._send_whole(session, content):
                    return Arrival.SENT
                whole = False
                self._send_pieces(session, content)
            except Transient as error:
                whole = whole and content.size <= self.piece
                failures = 1 if session is not None and session.offset > before else failures + 1
                if failures >= patience.attempts or transfers >= patience.transfers:
                    raise Unavailable(
                        f"{self._called(content)} could not be pushed in {transfers} attempts: {error.message}",
                        hint=error.hint,
                    ) from error
                transport.pause(failures, error.after)
            else:
                return Arrival.SENT

    def _called(self, content: Content) -> str:
        return f"{self.repository.name}: the blob {content.digest}"

    def _begin(self) -> _Session:
        """A new upload."""
        repository = self.repository
        url = repository.url("blobs/uploads/")
        with repository.request("POST", url, {}) as answer:
            if answer.status != _ACCEPTED:
                raise repository.refused(answer, self._unknown)
            return self._session(answer, 0)

    def _session(self, answer: Answer, offset: int, before: _Session | None = None) -> _Session:
        """Where the upload goes on after `answer`."""
        url = "" if before is None else before.url
        if location := answer.header("Location"):
            url = self.repository.transport.target(answer.url, location)
        if not url:
            raise Unavailable(
                f"{self.repository.name}: {Origin.of(answer.url).name} begins an upload and does not say where"
            )
        smallest = answer.header("OCI-Chunk-Min-Length")
        known = re.fullmatch(r"[0-9]{1,12}", smallest) is not None
        answer.finish()
        return _Session(
            url=url,
            offset=offset,
            smallest=min(int(smallest), _LARGEST_PIECE) if known else before.smallest if before else 0,
            largest=before.largest if before else _LARGEST_PIECE,
        )

    def _resumed(self, session: _Session, content: Content) -> _Session | None:
        """The upload as far as the registry has got, or `None` where it cannot go on with it."""
        with self.repository.request("GET", session.url, {}) as answer:
            got = _GOT.fullmatch(answer.header("Range").strip())
            # Nothing and a single byte are said alike.
            if answer.status != _NO_CONTENT or got is None or not 0 < int(got[1]) < content.size:
                answer.finish()
                return None
            return self._session(answer, int(got[1]) + 1, session)

    def _send_whole(self, session: _Session, content: Content) -> bool:
        """Sends all in one request; whether the registry takes that."""
        body = Body(size=content.size, pieces=lambda: self._verified(content))
        with self.repository.request("PUT", _with_digest(session.url, content.digest), {}, body) as answer:
            if answer.status == _TOO_LARGE and content.size > 1:
                session.largest = content.size // 2
                answer.finish()
                return False
            self._finished(answer, content)
            return True

    def _verified(self, content: Content) -> Generator[bytes]:
        """All bytes; raises `DamagedImage` where they are others than they are called."""
        computed, size = hashlib.sha256(), 0
        cancelled = self.repository.transport.cancelled
        with content.open() as pieces:
            for piece in pieces:
                if cancelled.is_set():
                    raise Interrupted
                computed.update(piece)
                size += len(piece)
                if size > content.size:
                    raise DamagedImage(f"{self._called(content)} has more than {content.size} bytes")
                yield bytes(piece)
        if size < content.size:
            raise DamagedImage(f"{self._called(content)} should have {content.size} bytes and has {size}")
        if f"sha256:{computed.hexdigest()}" != str(content.digest):
            raise DamagedImage(
                f"{self._called(content)} is made of bytes whose digest is sha256:{computed.hexdigest()}"
            )

    def _send_pieces(self, session: _Session, content: Content) -> None:
        """Sends what the registry does not have yet, piece by piece, and completes the upload."""
        wanted = max(min(self.piece, session.largest), session.smallest)
        held = bytearray()
        skip = session.offset
        with contextlib.closing(self._verified(content)) as pieces:
            for piece in pieces:
                fresh = piece[skip:]
                skip -= len(piece) - len(fresh)
                held += fresh
                while len(held) >= wanted:
                    self._send_piece(session, bytes(held[:wanted]))
                    del held[:wanted]
        if held:
            self._send_piece(session, bytes(held))
        if session.offset != content.size:
            raise Transient(f"the registry has {session.offset} of {content.size} bytes")
        url = _with_digest(session.url, content.digest)
        with self.repository.request("PUT", url, {}, Body.of(b"")) as answer:
            self._finished(answer, content)

    def _send_piece(self, session: _Session, piece: bytes) -> None:
        end = session.offset + len(piece)
        headers = {"Content-Range": f"{session.offset}-{end - 1}"}
        with self.repository.request("PATCH", session.url, headers, Body.of(piece)) as answer:
            if answer.status in {_NOT_FOUND, _NOT_THERE}:
                raise Transient("the registry has lost track of the upload")
            if answer.status != _ACCEPTED:
                raise self.repository.refused(answer, self._unknown)
            got = _GOT.fullmatch(answer.header("Range").strip())
            if got is not None and int(got[1]) + 1 != end:
                raise Transient(f"the registry has taken {int(got[1]) + 1} bytes of {end}")
            session.url, session.offset = self._session(answer, end, session).url, end

    def _finished(self, answer: Answer, content: Content) -> None:
        """Raises unless the registry has the whole blob."""
        if answer.status in {_NOT_FOUND, _NOT_THERE}:
            raise Transient("the registry has lost track of the upload")
        if answer.status == _BAD:
            code, said = self.repository.said(answer)
            if code in {"DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID"}:
                # The bytes that left this machine were the right ones.
                raise Transient(f"other bytes have come to the registry than were sent{said}")
        if answer.status not in {_OK, _CREATED, _NO_CONTENT}:
            raise self.repository.refused(answer, self._unknown)
        self._confirm(answer, content.digest, self._called(content))
        answer.finish()

    def _confirm(self, answer: Answer, digest: Digest, what: str) -> None:
        """Raises `DamagedImage` where the registry says that it holds something else."""
        said = answer.header("Docker-Content-Digest")
        if said.startswith("sha256:") and said != str(digest):
            raise DamagedImage(f"{what} has been pushed, and the registry says that it holds {said[:80]}")

    def manifest(self, content: bytes, media_type: str, *tags: str) -> Pushed:
        """Puts a manifest or an index into the repository, by its digest and then by each of `tags`.

        What it names has to be there before. Where it refers to another manifest, it is listed with that: by the
        registry, or by a tag for it where the registry does not know of such things.
        """
        digest = digest_of(content)
        listed = False
        for which in tags or (str(digest),):
            listed = self._put(content, media_type, which, digest) or listed
        subject = None if listed else refers_to(content)
        pushed = Pushed(digest=digest, size=len(content), media_type=media_type)
        if subject is not None:
            self._list(subject, content, pushed)
        return pushed

    def _put(self, content: bytes, media_type: str, which: str, digest: Digest) -> bool:
        """Whether the registry has taken note of what the manifest refers to."""
        repository = self.repository
        what = f"{repository.name}: the manifest {which}"

        def attempt() -> bool:
            url = repository.url(f"manifests/{which}")
            with repository.request("PUT", url, {}, Body.of(content, media_type)) as answer:
                if answer.status not in {_OK, _CREATED, _ACCEPTED}:
                    raise repository.refused(answer, self._unknown)
                self._confirm(answer, digest, what)
                answer.finish()
                return bool(answer.header("OCI-Subject"))

        return repository.patiently(attempt)

    def _list(self, subject: Digest, content: bytes, pushed: Pushed) -> None:
        """Puts a manifest on the list of those that refer to `subject`, which a tag stands for."""
        tag = str(subject).replace(":", "-")
        for _ in range(_ROUNDS):
            index = with_referrer(
                self._listed(tag), content, str(pushed.digest), pushed.media_type, self.repository.name
            )
            if index is None:
                return
            self._put(index, OCI_INDEX, tag, digest_of(index))
            # Whoever wrote at the same time may have taken it off again: it is looked for once more.
        raise Unavailable(
            f"{self.repository.name}: others are changing the list of what refers to {subject} all the time",
            hint="try again",
        )

    def _listed(self, tag: str) -> bytes | None:
        repository = self.repository

        def attempt() -> bytes | None:
            url = repository.url(f"manifests/{tag}")
            with repository.request("GET", url, {"Accept": OCI_INDEX}) as answer:
                if answer.status == _NOT_FOUND:
                    return None
                if answer.status != _OK:
                    raise repository.refused(answer, self._unknown)
                found = answer.read(_LARGEST_LIST)
                if found is None:
                    raise DamagedImage(
                        f"{repository.name}: the list {tag} has more than {_LARGEST_LIST} bytes"
                    )
                return found

        return repository.patiently(attempt)

    def _unknown(self, answer: Answer) -> Unavailable:
        """What 404 means for whoever pushes."""
        repository = self.repository
        _, said = repository.said(answer)
        return Unavailable(
            f"{repository.name}: {repository.reference.registry} takes nothing for "
            f"`{repository.reference.repository}`{said}",
            hint="does the repository exist, and may you push to it?",
        )


def _with_digest(url: str, digest: Digest) -> str:
    """The address that completes an upload; what it holds already stays as it is."""
    return f"{url}{'&' if '?' in url else '?'}digest={quote(str(digest), safe=':')}"
