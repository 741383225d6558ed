r"""Built image has no health check.

What it checks
    The configuration of the image that was built: a `Healthcheck` that is there and is not `NONE`.

Why it matters
    Without one nobody, neither Compose nor the smoke test nor the scheduler, can tell a service that works from
    one that only has not exited yet. A squash starts from `scratch` and drops it.

How to fix
    Declare it in the last stage:

        FROM scratch
        COPY --from=runtime / /
        HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 \
            CMD curl -f http://localhost:8001/health || exit 1
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.rules._declared import place


@rule(summary="image has no HEALTHCHECK", severity=Severity.ERROR, since="0.1")
def missing_image_healthcheck(shipped: ShippedImage) -> Iterator[Observation]:
    health = shipped.image.configuration.health_check
    if health is None or health.disabled:
        yield Observation(
            location=place(shipped, "HEALTHCHECK", key="Healthcheck"),
            seen="no health check" if health is None else "HEALTHCHECK NONE",
            expected="a HEALTHCHECK in the image",
            remedy="declare `HEALTHCHECK` in the last stage, after a squash as well",
            key="healthcheck",
        )
