"""Whether a version is one of those that a record calls affected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.versions import FIRST, Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullmark._vulnerabilities.versions import Key

INTRODUCED, FIXED, LAST_AFFECTED, LIMIT = range(4)
"""The kinds of events, as a store has them."""

Event = tuple[int, str]
Range = tuple[str, "Sequence[Event]"]
"""`SEMVER` or `ECOSYSTEM`, and its events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """What holds a version."""

    because: str
    fixed: str | None


class Unreadable(ValueError):
    """A version stands in the way that is none of the ecosystem's."""


def within(version: str, ranges: Iterable[Range], versions: Iterable[str], order: Order) -> Within | None:
    """What `version` is affected by: the first of the ranges that holds it, otherwise its own listing.

    Every range is looked at. Raises `Unreadable` when neither says yes and one of them could not be read.
    """
    unreadable: Unreadable | None = None
    for kind, events in ranges:
        try:
            # Only the versions of an ecosystem that has an order of its own are not those of Semantic Versioning.
            found = _in_range(version, events, _order(version, events, order) if kind == "SEMVER" else order)
        except Unreadable as error:
            unreadable = error
            continue
        if found is not None:
            return found
    if _listed(version, versions, order):
        return Within(because=f"{version} is listed", fixed=None)
    if unreadable is not None:
        raise unreadable
    return None


def _order(version: str, events: Sequence[Event], own: Order) -> Order:
    """Semantic Versioning, where all that is compared follows it; otherwise the order of the ecosystem."""
    try:
        for text in (version, *(text for _, text in events)):
            Order.SEMVER.key(text)
    except ValueError:
        return own
    return Order.SEMVER


def _key(version: str, order: Order) -> Key:
    try:
        return order.key(version)
    except ValueError as error:
        raise Unreadable(f"`{version}` is no version that {order.value} can compare") from error


def _in_range(version: str, events: Sequence[Event], order: Order) -> Within | None:
    here = _key(version, order)
    # The version 0 stands before all others, whatever the order makes of it; fixed there is what never was affected.
    placed = sorted(
        (
            ((0, kind == FIXED), None, kind, text)
            if text == FIRST
            else ((1, False), _key(text, order), kind, text)
            for kind, text in events
            if kind != LIMIT
        ),
        key=_Placed,
    )
    limits = [text for kind, text in events if kind == LIMIT and text != "*"]
    if limits and not any(here < _key(text, order) for text in limits):
        return None
    affected = None
    for place, (_, key, kind, _) in enumerate(placed):
        if key is not None and here < key:
            break
        # Up to and with the last affected one; what is fixed is so from that version on.
        if kind == LAST_AFFECTED and key is not None and not key < here:
            continue
        affected = place if kind == INTRODUCED else None
    if affected is None:
        return None
    begin = placed[affected][3]
    for _, _, kind, text in placed[affected + 1 :]:
        if kind == FIXED:
            return Within(because=f"from {begin} before {text}", fixed=text)
        if kind == LAST_AFFECTED:
            return Within(because=f"from {begin} to {text}", fixed=None)
    return Within(because=f"from {begin} on" if begin != FIRST else "all versions", fixed=None)


class _Placed:
    """Sorts events by version; what is of one version stays as it was."""

    __slots__ = ("event",)

    def __init__(self, event: tuple[tuple[int, bool], Key | None, int, str]) -> None:
        self.event = event

    def __lt__(self, other: _Placed) -> bool:
        ours, theirs = self.event, other.event
        if ours[0] != theirs[0]:
            return ours[0] < theirs[0]
        return ours[1] is not None and theirs[1] is not None and ours[1] < theirs[1]


def _listed(version: str, versions: Iterable[str], order: Order) -> bool:
    """Whether it is one of `versions`, in any way of writing it."""
    listed = frozenset(versions)
    if version in listed or not listed:
        return version in listed
    try:
        here = order.key(version)
    except ValueError:
        return False
    for text in listed:
        try:
            key = order.key(text)
        except ValueError:
            continue
        if here == key:
            return True
    return False
