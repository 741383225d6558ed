"""A baseline in a registry: an artifact beside an image, or by a tag of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hullmark._baseline.lines import LARGEST
from hullmark._images.artifacts import CREATED, Kind, fetch, find, keep
from hullmark._images.distribution import Absent
from hullmark._images.referrers import artifact_type_of
from hullmark._images.registry import Registry, which
from hullmark.model.reference import Pinned

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from hullmark._process import Commands

KIND = Kind(
    artifact_type="application/vnd.hullmark.baseline.v1",
    media_type="application/vnd.hullmark.baseline.v1+jsonl",
)
_LARGEST_MANIFEST = 4 << 20


def fetched(
    reference: str, commands: Commands, environ: Mapping[str, str], cancelled: threading.Event
) -> tuple[bool, bytes | None]:
    """Whether there is something called `reference`, and the newest baseline that it is or that is beside it.

    Raises `Unavailable` where the registry does not say.
    """
    source = Registry(commands=commands, environ=environ)
    with source.repository(reference, cancelled) as repository:
        name = which(repository.reference)
        try:
            content = repository.manifest(name, _LARGEST_MANIFEST).content
        except Absent:
            return False, None
        if artifact_type_of(content) == KIND.artifact_type:
            return True, fetch(repository, KIND, name, LARGEST).content
        found = find(repository, KIND, name, LARGEST)
        return True, None if found is None else found.content


def kept(
    reference: str,
    content: bytes,
    commands: Commands,
    environ: Mapping[str, str],
    cancelled: threading.Event,
) -> str:
    """Keeps a baseline beside the image called `reference`, or by that name where there is no image; where it is now."""
    source = Registry(commands=commands, environ=environ)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    with source.pushing(reference, cancelled) as push:
        repository = push.repository
        name = which(repository.reference)
        try:
            there = repository.manifest(name, _LARGEST_MANIFEST).content
        except Absent:
            if isinstance(repository.reference, Pinned):
                raise
            there = None
        beside = None if there is None or artifact_type_of(there) == KIND.artifact_type else name
        tags = () if beside is not None or isinstance(repository.reference, Pinned) else (str(name),)
        pushed = keep(push, KIND, content, beside=beside, tags=tags, annotations={CREATED: now})
        where = repository.reference
    return f"registry:{where.registry}/{where.repository}@{pushed.digest}" + (
        f", beside {reference}" if beside is not None else f", as {reference}"
    )
