"""One repository of a registry, asked as version 1.1 of the OCI distribution specification says."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from hullmark._images.authentication import Authenticator
from hullmark._images.manifests import ACCEPTED, OCI_INDEX, check_bytes, not_distributed
from hullmark._images.transport import Origin, Transient, is_loopback
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest
from hullmark.model.reference import DOCKER_HUB, Pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from hullmark._images.credentials import Login
    from hullmark._images.manifests import Descriptor
    from hullmark._images.transport import Answer, Body, Transport
    from hullmark.model.reference import Reference

Read = TypeVar("Read")
_HUB_ENDPOINT = f"registry-1.{DOCKER_HUB}"
"""Where Docker Hub answers."""
_RENEWALS = 2
"""Times that one request is repeated with new credentials: for a token that has run out, and for a broader scope."""
_LARGEST_ERROR = 64 << 10
_OK, _PARTIAL, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 206, 401, 403, 404
_GREETED = frozenset({_OK, _UNAUTHORIZED, _FORBIDDEN})
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


class Absent(Unavailable):
    """The registry answers that there is no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A manifest as it came, verified."""

    content: bytes
    media_type: str
    """As the registry says."""


class _Error(msgspec.Struct):
    code: str = ""
    message: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Errors)


@dataclass(kw_only=True)
class Repository:
    """The repository that a reference names; safe to use from several threads once it is connected."""

    reference: Reference
    name: str
    """As the user wrote the reference, for messages."""
    # What these hold are partly secrets, and a repr ends up in logs.
    transport: Transport = field(repr=False)
    find_login: Callable[[], Login] = field(repr=False)
    pushing: bool = False
    """Whether more than reading is to be allowed."""
    authenticator: Authenticator = field(init=False, repr=False)
    _base: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.authenticator = Authenticator(
            transport=self.transport,
            registry=self.reference.registry,
            scope=f"repository:{self.reference.repository}:{'pull,push' if self.pushing else 'pull'}",
            find_login=self.find_login,
            verb="push" if self.pushing else "pull",
        )

    def connect(self) -> None:
        """Greets the registry, and finds out whether it speaks TLS where it may do without.

        Raises `Unavailable` when nobody answers, or somebody who is no registry.
        """
        registry = self.reference.registry
        host = _HUB_ENDPOINT if registry == DOCKER_HUB else registry
        try:
            plain = Origin.of(f"http://{host}")
        except ValueError as error:
            raise Unavailable(f"{self.name}: `{registry}` is no address of a registry") from error
        if not self.transport.trust.allows(plain):
            schemes: tuple[str, ...] = ("https",)
        elif is_loopback(plain.host):
            schemes = ("http", "https")
        else:
            # What may go without TLS may still have it, and then nothing goes over the network in the clear.
            schemes = ("https", "http")
        self._base = self.patiently(lambda: self._greet(host, schemes))

    def _greet(self, host: str, schemes: tuple[str, ...]) -> str:
        """The address of the registry with the scheme at which it answers."""
        refusals: list[Transient | Unavailable] = []
        for scheme in schemes:
            url = f"{scheme}://{host}/v2/"
            try:
                answer = self.transport.send("GET", url, {})
            except (Transient, Unavailable) as error:
                refusals.append(error)
                continue
            status = answer.status
            answer.finish()
            if status in _GREETED:
                there = Origin.of(answer.url)
                if status == _UNAUTHORIZED and there.host == Origin.of(url).host:
                    self.authenticator.renew(answer, None, scoped=False)
                same = Origin.of(url).host == there.host
                return f"{there.scheme if same else scheme}://{host}"
            refusals.append(
                Unavailable(
                    f"{self.name}: what answers at {Origin.of(url).name} is no registry (status {status})",
                    hint="is the name of the registry right?",
                )
            )
        # That nobody is there says more than that somebody speaks otherwise; what was tried first says most.
        raise next((error for error in refusals if isinstance(error, Transient)), refusals[0])

    def manifest(self, which: str | Digest, limit: int, *, size: int | None = None) -> Fetched:
        """The manifest or index with that tag or digest, of at most `limit` bytes, and of `size` where that is known."""
        headers = {"Accept": ", ".join(ACCEPTED)}
        path = f"manifests/{which}"
        subject = f"{self.name}: the manifest {which}" if isinstance(which, Digest) else self.name
        _check_size(size or 0, limit, subject)

        def read(answer: Answer) -> Fetched:
            content = self._whole(answer, limit, size, subject)
            if isinstance(which, Digest):
                check_bytes(content, which, "what leads to it", subject)
            # Registries may leave it out, or compute it by another algorithm.
            with contextlib.suppress(ValueError):
                check_bytes(
                    content, Digest.parse(answer.header("Docker-Content-Digest")), "the registry", subject
                )
            return Fetched(content=content, media_type=answer.header("Content-Type"))

        return self._get(path, headers, read, self._missing_manifest)

    def referrers(self, digest: Digest, limit: int) -> bytes | None:
        """The index of what refers to a manifest; `None` where nothing does, or the registry keeps none.

        Older registries keep it under a tag that is made of the digest.
        """
        subject = f"{self.name}: what refers to {digest}"

        def read(answer: Answer) -> bytes:
            return self._whole(answer, limit, None, subject)

        def missing(_answer: Answer) -> Unavailable:
            return Absent(f"{subject} is not listed")

        for path in (f"referrers/{digest}", f"manifests/{str(digest).replace(':', '-')}"):
            with contextlib.suppress(Absent):
                return self._get(path, {"Accept": OCI_INDEX}, read, missing)
        return None

    def document(self, descriptor: Descriptor, limit: int, *, kind: str = "configuration") -> bytes:
        """A small blob, such as a configuration, verified; messages call it `kind`."""
        subject = f"{self.name}: the {kind} {descriptor.digest}"
        digest = descriptor.checked_digest(self.name)
        _check_size(descriptor.size, limit, subject)

        def read(answer: Answer) -> bytes:
            content = self._whole(answer, limit, descriptor.size, subject)
            check_bytes(content, digest, "the manifest", subject)
            return content

        def missing(_answer: Answer) -> Unavailable:
            return Unavailable(f"{subject} is not in the registry, although its manifest is")

        return self._get(f"blobs/{digest}", {}, read, missing)

    @contextlib.contextmanager
    def blob(self, descriptor: Descriptor, *, urls: tuple[str, ...] = ()) -> Iterator[Iterator[bytes]]:
        """The bytes of a blob as they come, as many as `descriptor` says; their digest is the reader's to compute.

        A transfer that breaks is taken up where it broke. `urls` are where else it may be, when the registry does
        not have it.
        """
        pieces = self._pieces(descriptor, urls)
        try:
            yield pieces
        finally:
            pieces.close()

    def _pieces(self, descriptor: Descriptor, urls: tuple[str, ...]) -> Generator[bytes]:
        digest = descriptor.checked_digest(self.name)
        subject, size = f"{self.name}: the layer {digest}", descriptor.size
        patience = self.transport.patience
        elsewhere = [each for each in urls if self._usable(each)]
        url: str | None = None
        offset = transfers = failures = 0
        while True:
            before = offset
            transfers += 1
            try:
                headers = {"Range": f"bytes={offset}-"} if offset else {}
                with self._ask(f"blobs/{digest}", headers, url) as answer:
                    if answer.status not in {_OK, _PARTIAL}:
                        if answer.status == _NOT_FOUND and elsewhere:
                            url = elsewhere.pop(0)
                            transfers -= 1
                            continue
                        raise self.refused(answer, lambda _: self._missing_layer(descriptor, urls))
                    skip = self._begin(answer, offset, size, subject)
                    for piece in answer.pieces():
                        fresh = piece[skip:] if skip else piece
                        skip -= len(piece) - len(fresh)
                        offset += len(fresh)
                        if offset > size:
                            raise DamagedImage(
                                f"{subject} goes on after the {size} bytes that its manifest says"
                            )
                        if fresh:
                            yield fresh
                if offset == size:
                    return
                raise Transient(f"the transfer ended after {offset} of {size} bytes")
            except Transient as error:
                failures = 1 if offset > before else failures + 1
                if failures >= patience.attempts or transfers >= patience.transfers:
                    raise Unavailable(
                        f"{subject} could not be pulled in {transfers} attempts: {error.message}",
                        hint=error.hint,
                    ) from error
                self.transport.pause(failures, error.after)

    def _usable(self, url: str) -> bool:
        """Whether a layer may be fetched from there."""
        try:
            origin = Origin.of(url)
        except ValueError:
            return False
        return origin.scheme == "https" or self.transport.trust.allows(origin)

    @staticmethod
    def _begin(answer: Answer, offset: int, size: int, subject: str) -> int:
        """How many bytes at the beginning of `answer` are known already."""
        start = 0
        if answer.status == _PARTIAL:
            found = _RANGE.fullmatch(answer.header("Content-Range").strip())
            if found is None or int(found[1]) != offset or found[2] not in {"*", str(size)}:
                raise Unavailable(
                    f"{subject}: bytes from {offset} of {size} were asked for, and the registry sends "
                    f"`{answer.header('Content-Range')[:80]}`"
                )
            start = offset
        if answer.length is not None and answer.length != size - start:
            raise DamagedImage(
                f"{subject} has {answer.length + start} bytes in the registry, and {size} by its manifest"
            )
        # A server that knows no ranges begins anew.
        return offset - start

    def _whole(self, answer: Answer, limit: int, size: int | None, subject: str) -> bytes:
        content = answer.read(limit if size is None else size)
        if content is None and size is None:
            _check_size(limit + 1, limit, subject)
        found = answer.length if content is None else len(content)
        if size is None or found == size:
            return content or b""
        if content is not None and answer.length is None:
            raise Transient(f"the answer ended after {found} of {size} bytes")
        raise DamagedImage(f"{subject} should have {size} bytes and has {'more' if found is None else found}")

    def patiently(self, attempt: Callable[[], Read]) -> Read:
        """What `attempt` returns once it does not fail in passing any more, with the patience that the transport has."""
        failures = 0
        while True:
            try:
                return attempt()
            except Transient as error:
                failures += 1
                if failures >= self.transport.patience.attempts:
                    raise Unavailable(f"{self.name}: {error.message}", hint=error.hint) from error
                self.transport.pause(failures, error.after)

    def _get(
        self,
        path: str,
        headers: Mapping[str, str],
        read: Callable[[Answer], Read],
        missing: Callable[[Answer], Unavailable],
    ) -> Read:
        """What `read` makes of the answer, with the patience that the transport has."""

        def attempt() -> Read:
            with self._ask(path, headers) as answer:
                if answer.status != _OK:
                    raise self.refused(answer, missing)
                return read(answer)

        return self.patiently(attempt)

    def _ask(self, path: str, headers: Mapping[str, str], elsewhere: str | None = None) -> Answer:
        """The answer to a request for something of this repository, or for the same thing from `elsewhere`."""
        if elsewhere is not None:
            return self.transport.send("GET", elsewhere, headers)
        return self.request("GET", self.url(path), headers)

    def url(self, path: str) -> str:
        """The address of something of this repository."""
        return f"{self._base}/v2/{self.reference.repository}/{path}"

    def request(self, method: str, url: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
        """The answer to one request; the registry, and nobody else, is told who asks.

        Raises as `Transport.send` does; whatever the registry answers for good is an answer.
        """
        if Origin.of(url) != Origin.of(self._base):
            return self.transport.send(method, url, headers, body=body)
        renewals = 0
        while True:
            header = self.authenticator.header
            authorization = {"Authorization": header} if header else {}
            answer = self.transport.send(method, url, {**headers, **authorization}, body=body)
            # The host that a redirect has led to is not asked to judge the registry's credentials.
            judged = answer.status == _UNAUTHORIZED and Origin.of(answer.url) == Origin.of(url)
            if not judged or renewals == _RENEWALS:
                return answer
            renewals += 1
            try:
                renewed = self.authenticator.renew(answer, header)
            except BaseException:
                answer.close()
                raise
            if not renewed:
                return answer
            answer.finish()

    def refused(self, answer: Answer, missing: Callable[[Answer], Unavailable]) -> Exception:
        """The error for a status that is none of success."""
        registry = self.reference.registry
        where = Origin.of(answer.url)
        if where != Origin.of(self._base):
            return Unavailable(
                f"{self.name}: {where.name}, where {registry} keeps it, answered {answer.status}"
            )
        if answer.status == _NOT_FOUND:
            return missing(answer)
        _, said = self.said(answer)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            verb = "wants to know who asks for" if answer.status == _UNAUTHORIZED else "denies"
            return self.authenticator.denied(f"{registry} {verb} {self.name}{said}")
        return Unavailable(f"{self.name}: {registry} answered {answer.status}{said}")

    def said(self, answer: Answer) -> tuple[str, str]:
        """The code of the registry's first error, and its text for a message."""
        try:
            body = answer.read(_LARGEST_ERROR)
            found = _DECODER.decode(body or b"").errors
        except (Transient, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = []
        if not found:
            return "", ""
        text = self.transport.hide(found[0].message or found[0].code)
        return found[0].code, f" ({text})" if text else ""

    def _missing_manifest(self, answer: Answer) -> Absent:
        registry, repository = self.reference.registry, self.reference.repository
        code, _ = self.said(answer)
        if code == "NAME_UNKNOWN":
            what = f"no repository `{repository}`"
        elif isinstance(self.reference, Pinned):
            what = f"no {self.reference.digest} in `{repository}`"
        else:
            what = f"no tag `{self.reference.tag}` in `{repository}`"
        return Absent(
            f"{self.name}: {registry} has {what}",
            hint="look at the spelling; some registries answer so, too, to whoever may not pull",
        )

    def _missing_layer(self, descriptor: Descriptor, urls: tuple[str, ...]) -> Unavailable:
        if not_distributed(descriptor) and not urls:
            return Unavailable(
                f"{self.name}: the layer {descriptor.digest} is of a kind that registries do not distribute, "
                "and was not asked for from anywhere else"
            )
        return Unavailable(
            f"{self.name}: the layer {descriptor.digest} is not in the registry, although its manifest is"
        )


def _check_size(size: int, limit: int, subject: str) -> None:
    """Raises `DamagedImage` for a document that is larger than any honest one."""
    if size > limit:
        raise DamagedImage(f"{subject} has more than {limit} bytes; refused")
