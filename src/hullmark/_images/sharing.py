"""Which process reads which layers, where the headers of a store are shared out to copies of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORTH = 250_000
"""Bytes of headers as a store keeps them that are worth another process: it costs a third of what they take."""
_MOST = 4
"""How many read headers at once: each holds tables, and how long all that comes before takes they do not change."""


def shared_out(headers: Sequence[int], processors: int, worth: int = WORTH) -> list[list[int]]:
    """Which layers each of several processes reads, by their places in `headers`; this process reads the first share.

    `headers` are the bytes of headers of each layer. No share but the first has less than `worth` of them.
    """
    count = min(sum(headers) // worth, len(headers), _MOST, processors)
    if count < 2:  # noqa: PLR2004  # this one and another
        return [list(range(len(headers)))]
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for place in sorted(range(len(headers)), key=lambda place: -headers[place]):
        least = loads.index(min(loads))
        shares[least].append(place)
        loads[least] += headers[place]
    ours, *others = shares
    shared = [ours]
    for share, load in zip(others, loads[1:], strict=True):
        if load < worth:
            ours += share
        else:
            shared.append(share)
    return shared
