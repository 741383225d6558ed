"""An image has no such tag.

What it looks like
    `manifest for NAME:TAG not found: manifest unknown`, or `NAME:TAG: not found` when its metadata is loaded.

Why it happens
    The registry has the repository, and no image of that tag or digest: it is misspelt, was never pushed or was
    cleaned up, or another version is current.

What to do
    Look which tags there are, and take one, best by digest.

        docker buildx imagetools inspect NAME:TAG
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="an image has no such tag",
    patterns=(
        r"manifest for (?P<image>\S+) not found: manifest unknown",
        r"(?:manifest unknown|MANIFEST_UNKNOWN)",
        r"failed to solve: (?P<image>\S+): failed to resolve source metadata for \S+: [^\n]*?: not found",
        r"^ERROR: (?P<image>\S+[:@]\S+): not found$",
    ),
    gives_way_to=("platform-not-published",),
    since="0.1",
)
def manifest_unknown(symptom: Symptom) -> Advice | None:
    image = symptom.get("image")
    return Advice(
        cause=f"the registry has no image {f'`{image}`' if image else 'of that tag or digest'}",
        remedies=(
            Remedy(
                text="ask the registry",
                command=("docker", "buildx", "imagetools", "inspect", *operand(image or "NAME:TAG")),
            ),
            Remedy(text="take a tag that is there, with its digest, or push this one first"),
        ),
    )
