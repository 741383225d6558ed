"""The index of a service: the images that passed the gate, by their digests, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hullmark._images.manifests import INDEXES, OCI_INDEX, Index, digest_of, parse_manifest
from hullmark._images.platforms import Platform
from hullmark.errors import DamagedImage
from hullmark.model.staging import Published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._release.registries import Registries
    from hullmark.model.staging import StagedService

_UNKNOWN = {"architecture": "unknown", "os": "unknown"}


def index_of(service: StagedService, annotations: Mapping[str, str]) -> bytes:
    """The index; the same images make the same bytes."""
    manifests: list[dict[str, Any]] = []
    for image in service.images:
        manifests.append(
            {
                "mediaType": image.media_type,
                "digest": image.image,
                "size": image.size,
                "platform": _declared(image.platform),
            }
        )
        manifests += (
            {
                "mediaType": each.media_type,
                "digest": each.digest,
                "size": each.size,
                "annotations": dict(each.annotations),
                "platform": _UNKNOWN,
            }
            for each in image.attestations
        )
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": manifests,
        "annotations": dict(sorted(annotations.items())),
    }
    return json.dumps(document, indent=2).encode()


def _declared(platform: str) -> dict[str, str]:
    parsed = Platform.parse(platform)
    return {
        "architecture": parsed.architecture,
        "os": parsed.os,
        **({"variant": parsed.variant} if parsed.variant else {}),
    }


def push_index(registries: Registries, service: StagedService, annotations: Mapping[str, str]) -> Published:
    """Pushes the index under its digest alone, where nobody finds it yet, and reads it back."""
    content = index_of(service, annotations)
    digest = registries.put(service.repository, content, OCI_INDEX)
    check(registries, service, digest, annotations)
    return Published(service=service.name, digest=digest, size=len(content))


def check(
    registries: Registries, service: StagedService, digest: str, annotations: Mapping[str, str]
) -> None:
    """Raises `DamagedImage` unless the registry has, under `digest`, the index of exactly these images, and them."""
    name = f"{service.repository}@{digest}"
    found = registries.fetch(service.repository, digest)
    if found is None:
        raise DamagedImage(f"{name} has been pushed, and the registry has no such thing")
    wanted = index_of(service, annotations)
    if found.content != wanted:
        raise DamagedImage(f"{name} is not the index of the images that passed the gate, {digest_of(wanted)}")
    parsed = parse_manifest(found.content, name, found.media_type)
    assert isinstance(parsed, Index)
    for each in parsed.manifests:
        child = registries.fetch(service.repository, each.digest)
        if child is None:
            raise DamagedImage(f"{name} lists {each.digest}, and the registry has no such thing")
        if len(child.content) != each.size or child.media_type != each.media_type:
            raise DamagedImage(
                f"{name} lists {each.digest} as {each.media_type} of {each.size} bytes, and it is {child.media_type} of "
                f"{len(child.content)}"
            )
        if each.leads_to_images and each.media_type in INDEXES:
            raise DamagedImage(f"{name} lists an index, {each.digest}; expected images")
