"""Built image lacks a label that the policy requires.

What it checks
    The configuration of the image that was built, against `labels` in `[policy]`; by default that is
    `org.opencontainers.image.version`. A label with an empty value counts as missing.

Why it matters
    Labels are how a running container is traced to the release it came from. A squash starts from `scratch` and
    drops them without a word, so what the Dockerfile declares is no proof of what the image carries.

How to fix
    Declare the label in the last stage:

        FROM scratch
        COPY --from=runtime / /
        ARG VERSION=dev
        LABEL org.opencontainers.image.version="${VERSION}"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.rules._declared import place


@rule(summary="image lacks a required label", severity=Severity.ERROR, since="0.1")
def missing_image_label(shipped: ShippedImage) -> Iterator[Observation]:
    present = dict(shipped.image.configuration.labels)
    for label in shipped.labels:
        if not present.get(label):
            yield Observation(
                location=place(shipped, "LABEL", key="Labels", name=label),
                seen=f"`{label}` is empty" if label in present else f"no label `{label}`",
                expected=f"`{label}` with a value",
                remedy=f'declare `LABEL {label}="..."` in the last stage, after a squash as well',
                key=label,
            )
