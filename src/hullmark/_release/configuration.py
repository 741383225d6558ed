"""What an image of a release says of itself, as a registry serves it: for which platform it is, and its labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from hullmark._images.platforms import Platform
from hullmark.errors import DamagedImage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._images.manifests import DeclaredPlatform, ImageManifest
    from hullmark._release.registries import Registries

LARGEST = 4 << 20
"""Bytes of a configuration."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _Runtime(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")


class _Document(msgspec.Struct, frozen=True):
    os: str
    architecture: str
    variant: str | None = None
    config: _Runtime | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What was read of a configuration."""

    platform: Platform
    labels: Mapping[str, str] = field(default_factory=dict)


def read_configuration(registries: Registries, repository: str, manifest: ImageManifest) -> Configuration:
    """The configuration of the image; raises `DamagedImage` for what is none, and as `Repository.document` does."""
    content = registries.repository(repository).document(manifest.config, LARGEST)
    try:
        said = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _none(repository, manifest) from error
    platform = named(said.os, said.architecture, said.variant or "")
    if platform is None:
        raise _none(repository, manifest)
    labels = (said.config.labels if said.config is not None else None) or {}
    return Configuration(platform=platform, labels=labels)


def declared(said: DeclaredPlatform | None) -> Platform | None:
    """The platform that an index says an image is for; `None` where it says nothing that can be one."""
    if said is None or said.known() is None:
        return None
    return named(said.os, said.architecture, said.variant)


def named(os: str, architecture: str, variant: str) -> Platform | None:
    """The platform of these names; `None` where they cannot be names of one."""
    if not all(map(_NAME.fullmatch, (os, architecture, variant or "none"))):
        return None
    return Platform.of(os, architecture, variant)


def _none(repository: str, manifest: ImageManifest) -> DamagedImage:
    return DamagedImage(f"{repository}: the configuration {manifest.config.digest} is none")
