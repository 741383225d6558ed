"""Image takes more to pull than its budget.

What it checks
    The compressed bytes of the layers of the image, which is what a host pulls that has none of them, against
    `transfer-budget` of its service. An engine may keep layers without compression: then they are compressed to measure
    them, and the finding says that this is an estimate, which is right to a few per cent.

Why it matters
    What is pulled is what a new node, a CI job or an autoscaler waits for before anything starts.

How to fix
    `hullmark size` shows what takes the space. When it is worth it, raise the budget in `hullmark.toml`:

        [services.rag]
        transfer-budget = "220 MB"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.model.size import format_size
from hullmark.rules._growers import growers, megabytes, to_pull


@rule(summary="image takes more to pull than its budget", severity=Severity.ERROR, since="0.1")
def over_transfer_budget(shipped: ShippedImage) -> Iterator[Observation]:
    budget, transfer = shipped.settings.transfer_budget, shipped.image.transfer
    if budget is not None and transfer is not None and transfer > budget.size:
        over = format_size(transfer - budget.size)
        yield Observation(
            location=budget.origin,
            seen=f"{to_pull(transfer, estimated=shipped.image.estimated)}, {over} over{growers(shipped)}",
            expected=f"at most {format_size(budget.size)}",
            remedy=f'take out {over}, or set `transfer-budget = "{megabytes(transfer)}"` here',
            key="transfer-budget",
        )
