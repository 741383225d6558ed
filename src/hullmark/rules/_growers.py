"""What made an image larger than its budget; the rules about budgets share this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.size import format_size
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from hullmark.model.image import ShippedImage

_MB = 10**6
_NAMED = 3
_LONGEST = 60


def growers(shipped: ShippedImage) -> str:
    """The end of a sentence that names what has grown, or where nothing tells, what takes the most space."""
    if shipped.growth is not None and not shipped.growth.empty:
        return f"; since {shipped.growth.before}: {shipped.growth.why.removesuffix('.')}"
    owners = [
        f"{each.owner} ({each.owner.kind}) {format_size(each.bytes)}"
        for each in shipped.anatomy.owners[:_NAMED]
        if each.bytes
    ]
    steps = [
        f"`{shortened(each.origin.chain[-1].text, _LONGEST)}` {format_size(each.bytes)}"
        for each in shipped.anatomy.shares[:_NAMED]
        if each.bytes
    ]
    most = ", ".join(owners)
    through = f", through {', '.join(steps)}" if steps else ""
    return f"; most of it: {most}{through}" if most else ""


def to_pull(size: int, *, estimated: bool) -> str:
    """How much a host pulls; an estimate is said to be one."""
    return f"{format_size(size)} to pull{' (estimated)' if estimated else ''}"


def megabytes(size: int) -> str:
    """The smallest whole number of MB that holds `size`, as settings have it."""
    return f"{-(-size // _MB):,} MB"
