"""Update takes more to pull than its budget.

What it checks
    The compressed bytes of the layers that a host lacks which has the image named by `previous`, against
    `update-budget` of its service. An engine may keep layers without compression: then they are compressed to measure
    them, and the finding says that this is an estimate, which is right to a few per cent. Where the previous image is
    not to be had, the check cannot tell, and says so.

Why it matters
    Hosts pull every release. One that changes a layer at the bottom, and each one of a squashed image, has them pull
    everything again.

How to fix
    Put what changes often into the last layers: dependencies first, sources after them. When it is worth it, raise the
    budget in `hullmark.toml`:

        [services.rag]
        previous = "localhost:5000/shop/rag:1.4.0"
        update-budget = "80 MB"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.model.size import format_size
from hullmark.rules._growers import growers, megabytes, to_pull


@rule(summary="update takes more to pull than its budget", severity=Severity.ERROR, since="0.1")
def over_update_budget(shipped: ShippedImage) -> Iterator[Observation]:
    budget, update = shipped.settings.update_budget, shipped.update
    if budget is not None and update is not None and update.compressed and update.bytes > budget.size:
        over = format_size(update.bytes - budget.size)
        layers = f"{len(update.pulled)} of {len(shipped.image.layers)} layers"
        yield Observation(
            location=budget.origin,
            seen=f"{to_pull(update.bytes, estimated=update.estimated)} in {layers}, {over} over{growers(shipped)}",
            expected=f"at most {format_size(budget.size)}",
            remedy=f'share more layers, or set `update-budget = "{megabytes(update.bytes)}"` here',
            key="update-budget",
        )
