"""An image is not there for this platform.

What it looks like
    `no matching manifest for linux/arm64/v8 in the manifest list entries`, `no match for platform in manifest`,
    `image ... does not provide the specified platform`.

Why it happens
    The image was pushed for other platforms only, often for AMD64 alone.

What to do
    Ask which platforms it has; take another image or tag, build it for yours, or run the other platform in an
    emulator.

        docker buildx imagetools inspect NAME:TAG
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="an image is not there for this platform",
    patterns=(
        r"no matching manifest for (?P<platform>[\w/]+) in the manifest list",
        r"failed to resolve source metadata for (?P<image>\S+): no match for platform in manifest",
        r"no match for platform in manifest",
        r"image with reference (?P<image>\S+) was found but (?:its platform [^\n]*|does not (?:match|provide) the specified platform)[^\n]*?(?:platform:? |wanted |\()?(?P<platform>linux/[\w/]+)?",
        r"does not provide the specified platform(?: \((?P<platform>[\w/]+)\))?",
    ),
    since="0.1",
)
def platform_not_published(symptom: Symptom) -> Advice | None:
    image, platform = symptom.get("image", "NAME:TAG"), symptom.get("platform")
    return Advice(
        cause=f"the image was not pushed for {platform or 'the platform that is asked for'}",
        remedies=(
            Remedy(
                text="see which platforms it has",
                command=("docker", "buildx", "imagetools", "inspect", *operand(image)),
            ),
            Remedy(
                text="name one of them for the service (`platform: linux/amd64`) and have an emulator run it"
            ),
            Remedy(text="or take a base that has this platform"),
        ),
    )
