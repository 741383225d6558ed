"""Documents that are kept in a registry: as artifacts of OCI 1.1, by a tag or beside the image that they are about."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._images.manifests import OCI_MANIFEST, Index, digest_of, parse_manifest
from hullmark._images.push import Content
from hullmark._images.referrers import annotations_of, artifact_type_of, parse_referrers
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._images.distribution import Repository
    from hullmark._images.push import Push, Pushed

CREATED = "org.opencontainers.image.created"
"""The annotation by which the newest of several is told."""
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
"""The configuration of what needs none."""
_LARGEST_MANIFEST = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What kind of document it is."""

    artifact_type: str
    media_type: str
    """Of the document itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document as it was found."""

    content: bytes
    digest: Digest
    """Of its manifest."""
    annotations: Mapping[str, str] = field(default_factory=dict)


def keep(
    push: Push,
    kind: Kind,
    content: bytes,
    *,
    beside: str | Digest | None = None,
    tags: tuple[str, ...] = (),
    annotations: Mapping[str, str] | None = None,
) -> Pushed:
    """Puts a document into the repository: by `tags`, and beside the image that `beside` names there, if it is given.

    Raises `Unavailable` where there is no such image, else as `Push` does.
    """
    document = Content.of(content)
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind.artifact_type,
        "config": {"mediaType": _EMPTY_TYPE, "digest": str(digest_of(_EMPTY)), "size": len(_EMPTY)},
        "layers": [{"mediaType": kind.media_type, "digest": str(document.digest), "size": document.size}],
    }
    if beside is not None:
        found = push.repository.manifest(beside, _LARGEST_MANIFEST)
        media_type = parse_media_type(found.content, found.media_type)
        subject = {
            "mediaType": media_type,
            "digest": str(digest_of(found.content)),
            "size": len(found.content),
        }
        manifest["subject"] = subject
    if annotations:
        manifest["annotations"] = dict(annotations)
    push.blob(Content.of(_EMPTY))
    push.blob(document)
    return push.manifest(json.dumps(manifest).encode(), OCI_MANIFEST, *tags)


def parse_media_type(content: bytes, said: str) -> str:
    """The type of a manifest: what it says of itself, or what the registry has `said`.

    Raises `DamagedImage` for what is no JSON.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedImage(f"the manifest {digest_of(content)} cannot be read: it is no JSON") from error
    own = document.get("mediaType") if isinstance(document, dict) else None
    return own if isinstance(own, str) and own else said.partition(";")[0].strip()


def find(repository: Repository, kind: Kind, beside: str | Digest, limit: int) -> Kept | None:
    """The newest document of that kind beside the image that `beside` names; `None` where there is none.

    Documents of more than `limit` bytes are refused. Raises as `Repository.manifest` does.
    """
    subject = (
        beside
        if isinstance(beside, Digest)
        else digest_of(repository.manifest(beside, _LARGEST_MANIFEST).content)
    )
    index = repository.referrers(subject, _LARGEST_MANIFEST)
    if index is None:
        return None
    listed = [
        each
        for each in parse_referrers(index, f"{repository.name}: {subject}")
        if each.artifact_type == kind.artifact_type
    ]
    # What says when it was made is told by that; of several that say the same, what was listed last.
    newest = max(enumerate(listed), key=lambda item: (created(item[1].annotations), item[0]), default=None)
    if newest is None:
        return None
    try:
        digest = Digest.parse(newest[1].digest)
    except ValueError as error:
        raise DamagedImage(f"{repository.name}: the list of what refers to {subject}: {error}") from error
    return fetch(repository, kind, digest, limit)


def created(annotations: Mapping[str, str] | None) -> str:
    """When that was made, as it says; empty where it does not."""
    return (annotations or {}).get(CREATED, "")


def fetch(repository: Repository, kind: Kind, which: str | Digest, limit: int) -> Kept:
    """The document that is kept by that tag or digest; raises `Unavailable` where something else is."""
    found = repository.manifest(which, _LARGEST_MANIFEST)
    name = f"{repository.name}: {which}" if isinstance(which, Digest) else repository.name
    manifest = parse_manifest(found.content, name, found.media_type)
    said = artifact_type_of(found.content)
    if isinstance(manifest, Index) or said != kind.artifact_type or len(manifest.layers) != 1:
        raise Unavailable(f"{name} is no {kind.artifact_type}, but {said or 'an image'}")
    return Kept(
        content=repository.document(manifest.layers[0], limit, kind="document"),
        digest=digest_of(found.content),
        annotations=annotations_of(found.content),
    )
