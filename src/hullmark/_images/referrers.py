"""Manifests that refer to another one, and artifacts among them: as OCI 1.1 says, and for older registries, too."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from hullmark._images.manifests import OCI_INDEX
from hullmark.errors import DamagedImage
from hullmark.model.digest import Digest

CONFIGURATIONS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
"""What the configurations of images are of."""


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    digest: str = ""
    media_type: str = ""


class _Referring(msgspec.Struct, frozen=True, rename="camel"):
    """What matters of a manifest or an index that may refer to another."""

    artifact_type: str = ""
    config: _Named | None = None
    subject: _Named | None = None
    annotations: dict[str, str] | None = None


class Referrer(msgspec.Struct, frozen=True, rename="camel"):
    """A manifest that refers to another one, as a list of them names it."""

    digest: str
    size: int
    media_type: str = ""
    artifact_type: str = ""
    annotations: dict[str, str] | None = None


class _List(msgspec.Struct, frozen=True):
    manifests: list[Referrer] = []


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_REFERRING = msgspec.json.Decoder(_Referring)
_LIST = msgspec.json.Decoder(_List)
_ENTRIES = msgspec.json.Decoder(dict[str, Any])


def refers_to(manifest: bytes) -> Digest | None:
    """The digest of what a manifest or an index refers to, if it does."""
    subject = _said(manifest).subject
    try:
        return None if subject is None else Digest.parse(subject.digest)
    except ValueError:
        return None


def artifact_type_of(manifest: bytes) -> str:
    """What kind of artifact a manifest is of; empty where it does not say, as that of an image."""
    said = _said(manifest)
    kind = said.artifact_type or (said.config.media_type if said.config is not None else "")
    return "" if kind in CONFIGURATIONS else kind


def annotations_of(manifest: bytes) -> dict[str, str]:
    """What is written beside the content of a manifest."""
    return dict(_said(manifest).annotations or {})


def _said(manifest: bytes) -> _Referring:
    try:
        return _REFERRING.decode(manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Referring()


def parse_referrers(index: bytes, name: str) -> tuple[Referrer, ...]:
    """What stands on a list of what refers to a manifest; raises `DamagedImage`, naming it by `name`, for no list."""
    try:
        return tuple(_LIST.decode(index).manifests)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedImage(f"{name}: the list of what refers to it cannot be read: {error}") from error


def with_referrer(
    index: bytes | None, manifest: bytes, digest: str, media_type: str, name: str
) -> bytes | None:
    """The list `index` with `manifest` on it as well; `None` where it is on it already.

    Whatever else stands there stays as it is. Raises `DamagedImage`, naming it by `name`, for what is no list.
    """
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if index is not None:
        parse_referrers(index, name)
        document = _ENTRIES.decode(index)
    entries: list[Any] = document.setdefault("manifests", [])
    if any(entry["digest"] == digest for entry in entries):
        return None
    entry: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(manifest)}
    if kind := artifact_type_of(manifest):
        entry["artifactType"] = kind
    if annotations := annotations_of(manifest):
        entry["annotations"] = annotations
    entries.append(entry)
    return json.dumps(document).encode()
