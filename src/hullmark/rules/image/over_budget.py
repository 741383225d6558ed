"""Image is larger than its budget.

What it checks
    The unpacked size of the image, which is the bytes of the regular files of all its layers with a hard link
    counted once, against `budget` of its service. The finding names what has grown since the image in `previous`, or
    without one what takes the most space, and through which instructions.

Why it matters
    Images grow by a few megabytes a week until deployments are slow and disks are full, and by then nobody
    remembers which change it was. A budget makes the change that breaks it say so.

How to fix
    Look for what is new: dependencies that pull in large others, packages installed with recommendations, caches,
    `__pycache__`, tests and debug symbols that were not stripped, build tools outside the builder stage. When the
    growth is worth it, raise the budget in `hullmark.toml`:

        [services.rag]
        budget = "650 MB"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.model.size import format_size
from hullmark.rules._growers import growers, megabytes


@rule(summary="image is larger than its budget", severity=Severity.ERROR, since="0.1")
def over_budget(shipped: ShippedImage) -> Iterator[Observation]:
    budget = shipped.settings.budget
    size = shipped.image.unpacked
    if budget is not None and size > budget.size:
        yield Observation(
            location=budget.origin,
            seen=f"{format_size(size)} unpacked, {format_size(size - budget.size)} over{growers(shipped)}",
            expected=f"at most {format_size(budget.size)}",
            remedy=f'take out {format_size(size - budget.size)}, or set `budget = "{megabytes(size)}"` here',
            key="budget",
        )
