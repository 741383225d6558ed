"""Image has grown by more than its budget for growth.

What it checks
    The unpacked size of the image against that of the baseline's image of the same service, and the difference against
    `budget-growth` of the service, or of `[baseline]`. The finding names what has grown, and through which
    instructions. Without a baseline there is nothing to compare with, and the report says so.

Why it matters
    A budget for the whole image lets a single change use up all that is left of it. What one change may add is another
    question, and the person who adds it is the one to ask.

How to fix
    Look at what has grown: a dependency that pulls in large others, packages installed with recommendations, files that
    a build left behind. When the growth is worth it, let this change have it, in `hullmark.toml`:

        [services.rag]
        budget-growth = "50 MB"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.model.size import format_size
from hullmark.rules._growers import megabytes


@rule(summary="image has grown by more than its budget for growth", severity=Severity.ERROR, since="0.1")
def over_growth_budget(shipped: ShippedImage) -> Iterator[Observation]:
    budget, change = shipped.growth_budget, shipped.change
    grown = None if change is None else change.total("unpacked").delta
    if budget is not None and change is not None and grown is not None and grown > budget.size:
        yield Observation(
            location=budget.origin,
            seen=f"{format_size(grown)} more unpacked than {change.before}, {format_size(grown - budget.size)} over: "
            f"{change.why.removesuffix('.')}",
            expected=f"at most {format_size(budget.size)} more",
            remedy=f"take out {format_size(grown - budget.size)}, or set "
            f'`budget-growth = "{megabytes(grown)}"` for this change',
            key="budget-growth",
        )
