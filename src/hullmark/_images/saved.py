"""Archives of engines, as `docker save` writes them: which image of several is meant, and its core."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hullmark._images.archive import archive_at
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Core
from hullmark._images.layout import INDEX, Layout, check_platform, platform_said
from hullmark._images.manifests import check_bytes
from hullmark._images.place import Said
from hullmark._images.platforms import asked_for
from hullmark._images.tags import HEX, ambiguous, is_id, listed, means
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from hullmark._images.interface import Request
    from hullmark._images.place import Place
    from hullmark._images.platforms import Platform

_MANIFEST = "manifest.json"


class _Saved(msgspec.Struct, frozen=True, rename="pascal"):
    """An image in the `manifest.json` of an engine's archive."""

    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(list[_Saved])


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerArchive:
    """Archives as `docker save` writes them, plain or compressed; references are `PATH[:TAG]`."""

    @contextlib.contextmanager
    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Iterator[Core]:
        """See `Source.open`."""
        asked = asked_for(platform)
        with archive_at(reference, request, cancelled) as (place, path, tag):
            yield archive_core(place, path, reference, request, tag, asked)


def archive_core(
    place: Place, path: str, reference: str, request: Request, tag: str | None, asked: Platform | None
) -> Core:
    """The core of the image called `tag` in an engine's archive, which is called `path` in messages."""
    if not place.has(_MANIFEST):
        if place.has(INDEX):
            return Layout(place, path, reference, request).core(tag, asked)
        raise Unavailable(
            f"{path} holds no images: there is neither {_MANIFEST} nor {INDEX} in it",
            hint="write it with `docker save -o FILE NAME`; `docker export` leaves out what makes an image",
        )
    content = place.read(_MANIFEST, request.limits.manifest)
    try:
        saved = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedImage(f"{path}: {_MANIFEST} cannot be read: {error}") from error
    one = _one_of(saved, tag, path)
    config = place.read(one.config, request.limits.manifest)
    if found := HEX(one.config):
        check_bytes(config, Digest.parse(f"sha256:{found[1]}"), "its name", f"{path}: `{one.config}`")
    document = parse_configuration(config, path)
    said = platform_said(document.os, document.architecture, document.variant)
    try:
        check_platform(said, asked, reference)
    except Unavailable:
        if not place.has(INDEX):
            raise
        # An image for several platforms is in this file for one of them, and for all in the index beside it.
        return Layout(place, path, reference, request).core(tag, asked)
    layers = one.layers or []
    return Core(
        reference=reference,
        how=f"read from {path}",
        manifest=None,
        config=config,
        layers=tuple(place.layer(each, Said(digest=_named_digest(each), by="its name")) for each in layers),
    )


def _named_digest(path: str) -> Digest | None:
    """The digest that the name of a file promises; older engines gave layers other names."""
    found = re.fullmatch(r"blobs/sha256/([0-9a-f]{64})", path)
    return Digest.parse(f"sha256:{found[1]}") if found else None


def _one_of(saved: Sequence[_Saved], tag: str | None, path: str) -> _Saved:
    """The image that `tag` means, or the only one."""
    tags = sorted(each for image in saved for each in image.repo_tags or ())
    if tag is None:
        if len(saved) == 1:
            return saved[0]
        if not saved:
            raise Unavailable(f"{path} holds no images: {_MANIFEST} in it lists none")
        raise ambiguous(path, tags, len(saved))
    matching = [
        image
        for image in saved
        if any(means(tag, each) for each in image.repo_tags or ()) or is_id(tag, image.config)
    ]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise Unavailable(f"{path} holds no image `{tag}`; {listed(tags)}")
    raise ambiguous(path, tags, len(matching))
