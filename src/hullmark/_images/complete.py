"""From the small core that a source gives to the whole image: everything that is derived, derived once for all."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._images.configuration import align, parse_configuration, settings_of
from hullmark._images.interface import DamagedStore
from hullmark._images.manifests import ImageManifest, check_bytes, parse_manifest
from hullmark._images.platforms import Platform
from hullmark._images.reader import read_layers
from hullmark.errors import DamagedImage
from hullmark.model.digest import Digest
from hullmark.model.image import Image, Layer

if TYPE_CHECKING:
    import threading

    from hullmark._images.cache import Cache
    from hullmark._images.configuration import Document
    from hullmark._images.interface import Core, Request


def complete(core: Core, request: Request, cache: Cache, cancelled: threading.Event) -> Image:
    """The image that `core` is the core of, with all its layers.

    Raises `DamagedImage` where parts of it contradict one another, and `Interrupted` soon after `cancelled` is set.
    """
    try:
        return _complete(core, request, cache, cancelled)
    except DamagedStore as damage:
        if core.otherwise is None:
            raise
        return _complete(core.otherwise(damage), request, cache, cancelled)


def _complete(core: Core, request: Request, cache: Cache, cancelled: threading.Event) -> Image:
    name = core.reference
    if len(core.config) > request.limits.manifest:
        raise DamagedImage(
            f"{name}: a configuration of {len(core.config)} bytes; at most {request.limits.manifest} are read"
        )
    document = parse_configuration(core.config, name)
    diff_ids = document.diff_ids(name)
    if len(diff_ids) != len(core.layers):
        listed, there = len(diff_ids), len(core.layers)
        raise DamagedImage(
            f"{name}: the configuration lists {listed} {'layer' if listed == 1 else 'layers'}, and there "
            f"{'is' if there == 1 else 'are'} {there}",
            hint="its parts are not of one image: save, copy or build it again",
        )
    digest = _manifest(core, name)
    if core.manifest is not None:
        # Its blobs are there, and have sizes.
        request = replace(request, transfer=False)
    walked, cached = read_layers(core, diff_ids, request, cache, cancelled)
    history = document.steps()
    layers = tuple(
        Layer(
            diff_id=each.diff_id,
            table=each.table,
            captured=each.captured,
            scanned=each.scanned,
            # Without a manifest there are no blobs: an archive of an engine holds plain tars that nobody transfers,
            # and what a push would make of them is known only where somebody has asked.
            digest=None if core.manifest is None else each.digest,
            transfer=each.estimated if core.manifest is None else each.transfer,
            estimated=core.manifest is None and each.estimated is not None,
            history=step,
        )
        for each, step in zip(walked, align(history, len(walked)), strict=True)
    )
    return Image(
        reference=name,
        how=f"{core.how}, {cached} of {len(layers)} layers known from before" if cached else core.how,
        digest=digest,
        config_digest=_digest(core.config),
        platform=core.platform or _platform(document, name),
        configuration=settings_of(document.config),
        history=history,
        layers=layers,
    )


def _digest(content: bytes) -> Digest:
    return Digest.parse(f"sha256:{hashlib.sha256(content).hexdigest()}")


def _manifest(core: Core, name: str) -> Digest | None:
    """The digest of the manifest, which is of this configuration."""
    if core.manifest is None:
        return None
    manifest = parse_manifest(core.manifest, name)
    if not isinstance(manifest, ImageManifest):
        raise DamagedImage(f"{name}: its manifest is an index")
    if manifest.config.size != len(core.config):
        raise DamagedImage(
            f"{name}: the manifest says that the configuration has {manifest.config.size} bytes, and it has "
            f"{len(core.config)}"
        )
    check_bytes(
        core.config, manifest.config.checked_digest(name), "the manifest", f"{name}: the configuration"
    )
    return _digest(core.manifest)


def _platform(document: Document, name: str) -> str:
    if not document.os or not document.architecture:
        raise DamagedImage(f"{name}: the configuration does not say for which platform the image is")
    return str(Platform.of(document.os, document.architecture, document.variant or ""))
