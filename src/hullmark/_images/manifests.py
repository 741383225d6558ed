"""Manifests and indexes of the OCI image specification and of Docker, and the way from an index to one image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from hullmark._images.platforms import Platform, best
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPTED = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
"""What is read, the preferred first."""
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
_REFERENCE_TYPE = "vnd.docker.reference.type"
"""The annotation of what stands in an index beside the images and is none, such as attestations."""
_UNKNOWN = "unknown"
_DEEPEST = 4
"""Indexes in indexes."""
_MOST_FETCHED = 64
"""Documents that are fetched on the way through one index."""
_MOST_LISTED = 20


class DeclaredPlatform(msgspec.Struct, frozen=True):
    """The platform of an image, as an index declares it."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    def known(self) -> Platform | None:
        """The platform, or `None` where it says that it is none."""
        if not self.os or not self.architecture or _UNKNOWN in {self.os, self.architecture}:
            return None
        return Platform.of(self.os, self.architecture, self.variant)


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """What points at a blob or a manifest, and how it says that it is."""

    digest: str
    size: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
    media_type: str = ""
    platform: DeclaredPlatform | None = None
    annotations: dict[str, str] | None = None
    urls: tuple[str, ...] | None = None

    def checked_digest(self, name: str) -> Digest:
        """The digest; raises `DamagedImage`, naming the document by `name`, unless it is one."""
        try:
            return Digest.parse(self.digest)
        except ValueError as error:
            raise DamagedImage(f"{name}: {error}") from error

    @property
    def leads_to_images(self) -> bool:
        """Whether an image, or an index of images, can stand behind it."""
        if (self.annotations or {}).get(_REFERENCE_TYPE):
            return False
        if self.platform is not None and _UNKNOWN in {self.platform.os, self.platform.architecture}:
            return False
        return not self.media_type or self.media_type in INDEXES | MANIFESTS


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """One image."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    """From the bottom up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Several images, usually one per platform."""

    manifests: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The manifest that an index leads to."""

    content: bytes
    manifest: ImageManifest
    platform: Platform | None
    """As the index declares it; `None` where there is no index."""


def digest_of(content: bytes) -> Digest:
    """What `content` is called in a registry."""
    return Digest.parse(f"sha256:{hashlib.sha256(content).hexdigest()}")


def check_bytes(content: bytes, digest: Digest, said_by: str, name: str) -> None:
    """Raises `DamagedImage`, naming both sides, unless `digest` is that of `content`."""
    computed = hashlib.sha256(content).hexdigest()
    if str(digest) != f"sha256:{computed}":
        raise DamagedImage(
            f"{name}: {said_by} says {digest}, and the {len(content)} bytes that came have sha256:{computed}"
        )


def not_distributed(descriptor: Descriptor) -> bool:
    """Whether the layer is of a kind that is left with whoever publishes it, such as parts of Windows."""
    return "nondistributable" in descriptor.media_type or ".foreign." in descriptor.media_type


def parse_manifest(content: bytes, name: str, media_type: str = "") -> ImageManifest | Index:
    """The manifest or index in `content`, which was handed over as `media_type`.

    Raises `DamagedImage`, naming it by `name`, when it is neither, or could be read as both, and `Unavailable` for
    Docker's first format.
    """
    try:
        document = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedImage(f"{name}: the manifest cannot be read: {error}") from error
    types = {document.media_type, media_type.partition(";")[0].strip().lower()}
    if document.schema_version == 1 or any(each.startswith(_SCHEMA_1) for each in types):
        raise Unavailable(
            f"{name} is kept in Docker's manifest schema 1, which names neither configuration nor diff IDs",
            hint="push it again with a Docker Engine of this decade",
        )
    if document.manifests is not None:
        if document.layers is not None or document.config is not None or types & MANIFESTS:
            raise DamagedImage(f"{name}: the manifest says that it is an image and an index at once")
        return Index(manifests=document.manifests)
    if types & INDEXES:
        raise DamagedImage(f"{name}: the manifest says that it is an index, and lists no manifests")
    if document.config is None:
        raise DamagedImage(f"{name}: the manifest has neither a configuration nor a list of manifests")
    # Some write no list where there is no layer.
    return ImageManifest(config=document.config, layers=document.layers or ())


def choose(
    content: bytes,
    parsed: ImageManifest | Index,
    wanted: Platform,
    fetch: Callable[[Descriptor], bytes],
    platform_of: Callable[[ImageManifest], Platform | None],
    name: str,
) -> Chosen:
    """The manifest for `wanted` that `parsed`, read from `content`, is or leads to.

    `fetch` hands over the verified bytes behind a descriptor; `platform_of` looks into the configuration, which is
    done only where an index does not say for which platform an image is. Raises `Unavailable`, listing what there
    is, when nothing serves `wanted`.
    """
    if isinstance(parsed, ImageManifest):
        return Chosen(content=content, manifest=parsed, platform=None)
    search = _Search(fetch=fetch, name=name)
    found = list(search.walk(parsed, 0))
    declared = [each.platform.known() if each.platform is not None else None for each in found]
    index = best(wanted, declared)
    if index is None:
        # Only now, because every look costs a manifest and a configuration.
        for number, each in enumerate(found):
            if each.platform is None:
                declared[number] = platform_of(search.manifest(each))
        index = best(wanted, declared)
    if index is None:
        raise Unavailable(
            f"{name} is not there for {wanted}; {_listed(declared)}",
            hint="name one of these with `--platform`" if any(declared) else None,
        )
    bytes_of = search.fetched(found[index])
    manifest = search.manifest(found[index])
    return Chosen(content=bytes_of, manifest=manifest, platform=declared[index])


def _listed(platforms: Iterable[Platform | None]) -> str:
    known = sorted({str(each) for each in platforms if each is not None})
    if not known:
        return "the index holds no image for any platform"
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"there is {', '.join(known[:_MOST_LISTED])}{more}"


class _Search:
    """The way through an index and the indexes in it, fetching each document once."""

    def __init__(self, *, fetch: Callable[[Descriptor], bytes], name: str) -> None:
        self._fetch = fetch
        self._name = name
        self._kept: dict[str, bytes] = {}

    def fetched(self, descriptor: Descriptor) -> bytes:
        """The bytes behind `descriptor`."""
        if descriptor.digest not in self._kept:
            if len(self._kept) >= _MOST_FETCHED:
                raise DamagedImage(
                    f"{self._name}: more than {_MOST_FETCHED} documents would have to be fetched to find one image"
                )
            self._kept[descriptor.digest] = self._fetch(descriptor)
        return self._kept[descriptor.digest]

    def manifest(self, descriptor: Descriptor) -> ImageManifest:
        """The image manifest behind `descriptor`."""
        parsed = self._parsed(descriptor)
        if isinstance(parsed, Index):
            raise DamagedImage(f"{self._name}: {descriptor.digest} is listed as an image and is an index")
        return parsed

    def _parsed(self, descriptor: Descriptor) -> ImageManifest | Index:
        name = f"{self._name}: {descriptor.digest}"
        return parse_manifest(self.fetched(descriptor), name, descriptor.media_type)

    def walk(self, index: Index, depth: int) -> Iterator[Descriptor]:
        """The images of `index`, those of indexes in it in their place."""
        if depth >= _DEEPEST:
            raise DamagedImage(f"{self._name}: indexes are nested more than {_DEEPEST} deep")
        for each in index.manifests:
            if not each.leads_to_images:
                continue
            if each.media_type in INDEXES:
                inner = self._parsed(each)
                assert isinstance(inner, Index)
                yield from self.walk(inner, depth + 1)
            else:
                yield each
