"""What is attested of an image where it is kept: beside it in its index, as BuildKit does, or referring to it."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import msgspec

from hullmark._images.interface import Request
from hullmark._images.layout import OciArchive, OciDirectory
from hullmark._images.manifests import INDEXES, Index, parse_manifest
from hullmark._images.reference import candidates
from hullmark._images.registry import Registry
from hullmark.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._images.manifests import Descriptor
    from hullmark._process import Commands

LARGEST = 1 << 24
"""Bytes of the largest document that is fetched."""
_TYPES = ("application/vnd.in-toto+json", "application/vnd.cyclonedx+json", "application/spdx+json")
_ENVELOPE = "application/vnd.dsse.envelope"
_REFERENCE = "vnd.docker.reference.digest"
_MOST = 64
"""Documents of one image that are fetched."""
_DEEPEST = 4


class _Subject(msgspec.Struct, frozen=True):
    digest: str = ""


class _Referring(msgspec.Struct, frozen=True):
    subject: _Subject | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Referring)


def attestations(
    reference: str,
    *,
    platform: str | None = None,
    environ: Mapping[str, str],
    commands: Commands,
    cancelled: threading.Event | None = None,
) -> tuple[bytes, ...]:
    """The documents that go with the image that `reference` names: statements, and bare lists of software.

    Raises `UsageError` where the image is where nothing is kept beside images, else as `open_image`.
    """
    scheme, name = candidates(reference)[0]
    request, cancelled = Request(), cancelled or threading.Event()
    source: Registry | OciDirectory | OciArchive
    match scheme:
        case "registry":
            source = Registry(commands=commands, environ=environ)
        case "oci-dir":
            source = OciDirectory()
        case "oci-archive":
            source = OciArchive()
        case _:
            raise UsageError(
                f"`{reference}` is in an engine, which keeps nothing beside an image",
                hint="name it as `registry:`, `oci-dir:` or `oci-archive:`",
            )
    with source.open(name, platform, request, cancelled) as core:
        if core.manifest is None:
            return ()
        digest = f"sha256:{hashlib.sha256(core.manifest).hexdigest()}"
    with source.beside(name, request, cancelled) as (indexes, fetch):
        return tuple(_found(indexes(digest), digest, fetch, reference))


def _found(
    indexes: Iterator[tuple[bytes, bool]], digest: str, fetch: Callable[[Descriptor], bytes], name: str
) -> Iterator[bytes]:
    seen = set[str]()
    for content, referring in indexes:
        index = parse_manifest(content, name)
        if not isinstance(index, Index):
            continue
        for each in _attesting(index, digest, fetch, name, referring=referring, depth=0):
            manifest = parse_manifest(fetch(each), f"{name}: {each.digest}", each.media_type)
            for blob in () if isinstance(manifest, Index) else manifest.layers:
                if not blob.media_type.startswith((*_TYPES, _ENVELOPE)) or blob.digest in seen:
                    continue
                if blob.size > LARGEST or len(seen) >= _MOST:
                    raise Unavailable(f"{name}: more is attested of it than is read")
                seen.add(blob.digest)
                yield fetch(blob)


def _attesting(
    index: Index, digest: str, fetch: Callable[[Descriptor], bytes], name: str, *, referring: bool, depth: int
) -> Iterator[Descriptor]:
    """The manifests in the index that attest something of the image."""
    for each in index.manifests:
        if (each.annotations or {}).get(_REFERENCE) == digest:
            yield each
        elif each.media_type in INDEXES:
            inner = parse_manifest(fetch(each), f"{name}: {each.digest}", each.media_type)
            if isinstance(inner, Index) and depth < _DEEPEST:
                yield from _attesting(inner, digest, fetch, name, referring=referring, depth=depth + 1)
        elif referring and each.digest != digest and _subject(fetch(each)) == digest:
            yield each


def _subject(manifest: bytes) -> str:
    try:
        found = _DECODER.decode(manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return found.subject.digest if found.subject is not None else ""
