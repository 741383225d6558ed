"""Image of others without a version.

What it checks
    Images that the project runs and does not build: whether they have a tag other than `latest`, or a digest.

Why it matters
    `latest` is whatever was pushed last: two machines run different bytes, and a database can be a major version ahead
    of its data after a pull.

How to fix
    Name the version, or pin the digest.

    Bad:

        image: redis

    Good:

        image: redis:7.4-alpine
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="image has no fixed version", severity=Severity.WARNING, since="0.1")
def latest_image(composition: Composition) -> Iterator[Observation]:
    image = composition.image
    if image is None or "@" in image:
        return
    name, _, tag = image.rpartition("/")[2].partition(":")
    if tag in {"", "latest"}:
        yield Observation(
            location=composition.image_span or composition.span,
            seen=f"image `{image}`" + ("" if tag else ", which stands for `latest`"),
            expected="a tag that names a version, or a digest",
            remedy=f"write `{name}:VERSION`, or pin it with `@sha256:...`",
            key=image,
        )
