"""Images on disk in the layout of the OCI image specification: directories and archives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._images.archive import archive_at, opened
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Blob, Core
from hullmark._images.manifests import (
    Index,
    check_bytes,
    choose,
    not_distributed,
    parse_manifest,
)
from hullmark._images.place import Said
from hullmark._images.platforms import Platform, asked_for, host_platform
from hullmark._images.tags import ambiguous, listed, means, split
from hullmark.errors import DamagedImage, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from hullmark._images.interface import Request, Unreadable, Walked
    from hullmark._images.manifests import (
        Descriptor,
        ImageManifest,
    )
    from hullmark._images.place import Place
    from hullmark.model.digest import Digest

Beside = tuple["Callable[[str], Iterator[tuple[bytes, bool]]]", "Callable[[Descriptor], bytes]"]
"""By the digest of an image: indexes, each with whether it lists what refers to images; and what fetches the rest."""

INDEX = "index.json"
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
"""Annotations that hold what an image in a layout is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OciDirectory:
    """Directories in the OCI layout; references are `PATH[:TAG]`."""

    @contextlib.contextmanager
    def open(
        self,
        reference: str,
        platform: str | None,
        request: Request,
        cancelled: threading.Event,  # noqa: ARG002  # only documents are read here; layers are, by whoever opens them
    ) -> Iterator[Core]:
        """See `Source.open`."""
        path, tag = split(reference)
        if not path.is_dir():
            raise Unavailable(f"{path} is no directory", hint="`oci-archive:` reads archives in this layout")
        place = _with_index(_Directory(path), str(path))
        yield Layout(place, str(path), reference, request).core(tag, asked_for(platform))

    @contextlib.contextmanager
    def beside(
        self,
        reference: str,
        request: Request,
        cancelled: threading.Event,  # noqa: ARG002  # as above
    ) -> Iterator[Beside]:
        """What is kept beside the images; see `hullmark._images.attestations`."""
        path, _ = split(reference)
        yield Layout(_with_index(_Directory(path), str(path)), str(path), reference, request).beside()


@dataclass(frozen=True, slots=True, kw_only=True)
class OciArchive:
    """Archives in the OCI layout, plain or compressed; references are `PATH[:TAG]`."""

    @contextlib.contextmanager
    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Iterator[Core]:
        """See `Source.open`."""
        asked = asked_for(platform)
        with archive_at(reference, request, cancelled) as (place, path, tag):
            yield Layout(_with_index(place, path), path, reference, request).core(tag, asked)

    @contextlib.contextmanager
    def beside(self, reference: str, request: Request, cancelled: threading.Event) -> Iterator[Beside]:
        """What is kept beside the images; see `hullmark._images.attestations`."""
        with archive_at(reference, request, cancelled) as (place, path, _):
            yield Layout(_with_index(place, path), path, reference, request).beside()


def _with_index(place: Place, path: str) -> Place:
    """`place`, which has an index; raises `Unavailable` where it has none."""
    if not place.has(INDEX):
        saved = place.has("manifest.json")
        raise Unavailable(
            f"{path} holds no images: there is no {INDEX} in it",
            hint="`docker-archive:` reads what `docker save` writes"
            if saved
            else "images in this layout are written by a build with `--output type=oci,dest=FILE`",
        )
    return place


def platform_said(os_: str | None, architecture: str | None, variant: str | None) -> Platform | None:
    """The platform that a configuration says, where it says one."""
    return Platform.of(os_, architecture, variant or "") if os_ and architecture else None


def check_platform(found: Platform | None, asked: Platform | None, reference: str) -> None:
    """A single image is what it is, unless something else was asked for."""
    if found is not None and asked is not None and asked.rank(found) is None:
        raise Unavailable(
            f"{reference} is not there for {asked}; it is one image, for {found}",
            hint=f"name it with `--platform {found}`, or name no platform",
        )


def content_core(
    root: Path, descriptor: Descriptor, reference: str, platform: str | None, request: Request
) -> Core:
    """The core of the image that `descriptor` leads to, where `root` has blobs as a directory of OCI has them."""
    layout = Layout(_Directory(root), str(root), reference, request)
    return layout.chosen(layout.held(descriptor), asked_for(platform))


class Layout:
    """The way from the index of an OCI layout to one image."""

    def __init__(self, place: Place, path: str, reference: str, request: Request) -> None:
        self._place = place
        self._path = path
        self._reference = reference
        self._limits = request.limits

    def core(self, tag: str | None, asked: Platform | None) -> Core:
        """The core of the image called `tag` for the platform that was asked for, or for this host's."""
        content = self._place.read(INDEX, self._limits.manifest)
        index = parse_manifest(content, f"{self._path}: {INDEX}")
        if not isinstance(index, Index):
            raise DamagedImage(f"{self._path}: {INDEX} is no index")
        return self.chosen(self._candidates(index, tag), asked)

    def beside(self) -> Beside:
        """The index, which may list what refers to an image, and the way to what it lists."""
        content = self._place.read(INDEX, self._limits.manifest)
        return lambda _digest: iter([(content, True)]), self._document

    def held(self, descriptor: Descriptor) -> tuple[Descriptor, ...]:
        """What `descriptor` leads to and is there: of an index the images of the platforms that were pulled."""
        parsed = parse_manifest(
            self._document(descriptor), f"{self._path}: {descriptor.digest}", descriptor.media_type
        )
        if not isinstance(parsed, Index):
            return (descriptor,)
        return tuple(
            each
            for each in parsed.manifests
            if each.leads_to_images and self._place.has(_blob(each.checked_digest(self._path)))
        )

    def chosen(self, candidates: tuple[Descriptor, ...], asked: Platform | None) -> Core:
        """The core of the one of `candidates`, or of what they lead to, that is for the platform."""
        name = self._reference
        content = b""
        parsed: ImageManifest | Index = Index(manifests=candidates)
        if len(candidates) == 1:
            content = self._document(candidates[0])
            parsed = parse_manifest(
                content, f"{self._path}: {candidates[0].digest}", candidates[0].media_type
            )
        chosen = choose(content, parsed, asked or host_platform(), self._document, self._platform_of, name)
        config = self._document(chosen.manifest.config)
        found = self._platform_of(chosen.manifest)
        if chosen.platform is None:
            check_platform(found, asked, name)
        return Core(
            reference=name,
            how=f"read from {self._path} as sha256:{hashlib.sha256(chosen.content).hexdigest()[:12]}",
            manifest=chosen.content,
            config=config,
            layers=tuple(self._layer(each) for each in chosen.manifest.layers),
            platform=str(chosen.platform or found or "") or None,
        )

    def _candidates(self, index: Index, tag: str | None) -> tuple[Descriptor, ...]:
        """What in the index is called `tag`, or everything where there is but one name."""
        images = [each for each in index.manifests if each.leads_to_images]
        names = {each.digest: [_name(each)] for each in images}
        if not images:
            raise Unavailable(f"{self._path} holds no images")
        if tag is None:
            found = sorted({name for each in images for name in names[each.digest] if name})
            if len(found) > 1:
                raise ambiguous(self._path, found, len(found))
            return tuple(images)
        matching = tuple(
            each for each in images if each.digest == tag or any(means(tag, n) for n in _called(each))
        )
        if not matching:
            raise Unavailable(
                f"{self._path} holds no image `{tag}`; {listed(n for each in images for n in _called(each))}"
            )
        return matching

    def _document(self, descriptor: Descriptor) -> bytes:
        """The bytes behind a descriptor, verified."""
        digest = descriptor.checked_digest(self._path)
        path = _blob(digest)
        if descriptor.size > self._limits.manifest:
            raise DamagedImage(
                f"{self._path}: `{path}` has {descriptor.size} bytes; at most {self._limits.manifest} are read"
            )
        content = self._place.read(path, self._limits.manifest)
        if len(content) != descriptor.size:
            raise DamagedImage(
                f"{self._path}: `{path}` should have {descriptor.size} bytes by what leads to it, and has "
                f"{len(content)}"
            )
        check_bytes(content, digest, "what leads to it", f"{self._path}: `{path}`")
        return content

    def _platform_of(self, manifest: ImageManifest) -> Platform | None:
        document = parse_configuration(self._document(manifest.config), self._path)
        return platform_said(document.os, document.architecture, document.variant)

    def _layer(self, descriptor: Descriptor) -> Blob | Walked | Unreadable:
        digest = descriptor.checked_digest(self._path)
        path = _blob(digest)
        if not_distributed(descriptor) and not self._place.has(path):
            raise Unavailable(
                f"{self._reference}: the layer {digest} is of a kind that is not distributed with images, and is not "
                "there"
            )
        said = Said(digest=digest, transfer=descriptor.size, media_type=descriptor.media_type)
        return self._place.layer(path, said)


def _called(descriptor: Descriptor) -> list[str]:
    annotations = descriptor.annotations or {}
    return [annotations[key] for key in _NAMES if annotations.get(key)]


def _name(descriptor: Descriptor) -> str:
    return next(iter(_called(descriptor)), "")


def _blob(digest: Digest) -> str:
    return f"blobs/sha256/{str(digest).removeprefix('sha256:')}"


class _Directory:
    """A directory as a `Place`; what leads out of it is not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, path: str) -> Path | None:
        """Where the file is; `None` where there is none, and `DamagedImage` where it is anywhere else."""
        root = os.path.realpath(self._root)
        try:
            found = Path(os.path.realpath(self._root / path, strict=True))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedImage(
                f"{self._root / path} cannot be read: {(error.strerror or '').lower()}"
            ) from error
        if not found.is_relative_to(root):
            raise DamagedImage(f"{self._root / path} leads out of {self._root}; not followed")
        if not stat.S_ISREG(found.stat().st_mode):
            raise DamagedImage(f"{self._root / path} is no file")
        return found

    def has(self, path: str) -> bool:
        """See `Place`."""
        return self._path(path) is not None

    def _found(self, path: str) -> Path:
        found = self._path(path)
        if found is None:
            raise DamagedImage(f"{self._root} does not hold `{path}`")
        return found

    def read(self, path: str, limit: int) -> bytes:
        """See `Place`."""
        with opened(self._found(path)) as file:
            if file.size > limit:
                raise DamagedImage(f"{file.name} has {file.size} bytes; at most {limit} are read")
            return file.read(0, file.size)

    def layer(self, path: str, said: Said) -> Blob:
        """See `Place`."""
        found = self._found(path)
        # Of a layer that the cache knows nothing else is looked at.
        if said.transfer not in {None, size := found.stat().st_size}:
            raise DamagedImage(
                f"{self._root}: `{path}` should have {said.transfer} bytes by its manifest, and has {size}"
            )
        return Blob(
            digest=said.digest,
            transfer=said.transfer,
            open=partial(_whole, found),
            media_type=said.media_type,
            place=path,
            said_by=said.by,
        )


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Iterator[memoryview]]:
    """The bytes of the file at `path`."""
    with opened(path) as file:
        yield file.pieces(0, file.size)
