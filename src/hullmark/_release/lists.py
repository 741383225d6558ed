"""Lists of software beside the images of a release: each refers to its image by the digest that passed the gate."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect
from hullmark._contents.inventory import inventory
from hullmark._images.artifacts import CREATED, Kind, fetch, keep
from hullmark._images.push import Push
from hullmark._images.referrers import parse_referrers, refers_to
from hullmark.errors import Unavailable
from hullmark.model.digest import Digest
from hullmark.model.staging import Listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._release.registries import Registries
    from hullmark._release.undertaking import Undertaking

SOFTWARE = Kind(
    artifact_type="application/vnd.cyclonedx+json",
    media_type="application/vnd.cyclonedx+json",
)
LARGEST = 64 << 20
"""Bytes of a list."""
_LARGEST_INDEX = 4 << 20


def list_software(undertaking: Undertaking, tell: Callable[[str], None]) -> None:
    """Puts a list of its software beside every image that passed the gate, and notes what it is called.

    The same images make the same lists, so that what was interrupted leaves nothing twice.
    """
    if not undertaking.project.settings.release.sbom:
        return
    from hullmark._sbom import cyclonedx  # noqa: PLC0415  # takes half a second to load

    around, state = undertaking.surroundings, undertaking.state
    reading = Reading(around.commands, around.environ, around.cancelled)
    made = dt.datetime.fromtimestamp(state.created, dt.UTC)
    lists = []
    for service in state.services:
        push = Push(repository=undertaking.registries.repository(service.repository))
        for image in service.images:
            name = f"{service.repository}@{image.image}"
            anatomy = dissect(reading.image(f"registry:{name}", platform=image.platform))
            text = cyclonedx.document(inventory(anatomy), anatomy.image, made)
            kept = keep(
                push,
                SOFTWARE,
                text.encode(),
                beside=Digest.parse(image.image),
                annotations={CREATED: made.isoformat()},
            )
            lists.append(Listed(service=service.name, platform=image.platform, digest=str(kept.digest)))
        tell(f"{service.repository}: the software of {len(service.images)} images is listed beside them")
    undertaking.save(replace(state, lists=tuple(lists)))


def lost(registries: Registries, repository: str, image: str, wanted: str) -> str | None:
    """What is wrong with the list `wanted`, a digest, that was put beside `image`; `None` where nothing is."""
    there = registries.repository(repository)
    index = there.referrers(Digest.parse(image), _LARGEST_INDEX)
    listed = () if index is None else parse_referrers(index, f"{repository}: {image}")
    found = registries.fetch(repository, wanted)
    if found is None or all(each.digest != wanted for each in listed):
        return f"the list of its software, {wanted}, is not beside it"
    if str(refers_to(found.content)) != image:
        return f"{wanted} is not about it"
    try:
        fetch(there, SOFTWARE, Digest.parse(wanted), LARGEST)
    except Unavailable as error:
        return f"the list of its software cannot be read: {error.message}"
    return None
