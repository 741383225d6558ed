"""What was measured of each service, commit after commit, and what can be read from that: steps and creep."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import TYPE_CHECKING

from hullmark.model.finding import Severity
from hullmark.model.outcome import Check, Ran

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from hullmark.model.report import Report
    from hullmark.model.space import OwnerSpace

LAST = 20
"""Records that are looked at unless somebody asks for more or fewer."""
FEWEST = 5
"""Records from which on there is a trend."""
WINDOW = 5
"""Records on each side of a step that are compared."""
SMALLEST_STEP = 0.01
"""Of the size before it; a change that is not larger is none."""
NOISE = 4.0
"""How many times the usual change from record to record a step is larger."""
OWNERS = 10
"""Owners that a record keeps, the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What of git was checked out when something was measured."""

    commit: str | None = None
    """`None` outside of a repository, and before its first commit."""
    branch: str | None = None
    dirty: bool = False
    """Whether a file that git knows differed from the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerBytes:
    """What one owner took; its version is left out, so that it can be followed."""

    kind: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was measured of one service; `None` stands for what was not, or could not be."""

    service: str
    time: dt.datetime
    checkout: Checkout
    transfer: int | None = None
    unpacked: int | None = None
    visible: int | None = None
    update: int | None = None
    """Bytes that a host with the previous image pulls."""
    owners: tuple[OwnerBytes, ...] = ()
    """Whose the visible bytes are, the largest first."""
    start: float | None = None
    """Seconds from the start of its container until it was up."""
    findings: tuple[tuple[str, int], ...] | None = None
    """How many of each severity, the worst first, of the checks that were made; `None` where none was."""
    checks: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """The same of each of these checks, in their order; what one that is missing would have found, nobody knows."""
    vulnerabilities: tuple[tuple[str, int], ...] | None = None
    """How many of each severity that there is any of."""

    @property
    def masked(self) -> int | None:
        """Bytes that are in a layer and cannot be reached."""
        return None if self.unpacked is None or self.visible is None else self.unpacked - self.visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where the size of an image changed at once, and stayed."""

    before: Record
    after: Record
    change: int
    """Bytes, unpacked."""
    share: float
    """Of the size before it."""
    owners: tuple[tuple[str, int], ...] = ()
    """Whose bytes changed most, with by how many; of the owners that both records keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creep:
    """By how much an image has grown over a number of records, its largest step and outliers aside."""

    records: int
    share: float
    """Of the size at the start; negative where it shrank."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHistory:
    """One service over its last records, the newest last."""

    service: str
    records: tuple[Record, ...]
    steps: tuple[Step, ...]
    creep: Creep | None
    """`None` where there are too few records to tell."""
    limit: float
    """The most that it may creep, as a share."""

    @property
    def counted(self) -> frozenset[str]:
        """The checks that some record tells of: one that tells of fewer cannot be compared with it."""
        return frozenset(check for record in self.records for check, _ in record.checks)

    def fewer(self, record: Record) -> bool:
        """Whether the findings of `record` are of fewer checks than those of others, so that they are not alike."""
        return record.findings is not None and frozenset(check for check, _ in record.checks) != self.counted

    @property
    def creeps(self) -> bool:
        """Whether it has grown by more than it may."""
        return self.creep is not None and self.creep.share > self.limit


def service_histories(
    records: Iterable[Record], *, last: int = LAST, limit: float = 0.05
) -> tuple[ServiceHistory, ...]:
    """The last `last` records of each service, sorted by it, and what they tell.

    Steps and creep are those of the unpacked size. Records of changes that were not committed are no part of them.
    """
    by_service: dict[str, list[Record]] = {}
    for record in records:
        by_service.setdefault(record.service, []).append(record)
    found = []
    for service in sorted(by_service):
        shown = sorted(by_service[service], key=lambda each: each.time)[-last:]
        sized = [each for each in shown if each.unpacked is not None and not each.checkout.dirty]
        sizes = [each.unpacked or 0 for each in sized]
        found.append(
            ServiceHistory(
                service=service,
                records=tuple(shown),
                steps=tuple(_step(sized[at - 1], sized[at]) for at in step_positions(sizes)),
                creep=creep(sizes),
                limit=limit,
            )
        )
    return tuple(found)


def step_positions(sizes: Sequence[int]) -> tuple[int, ...]:
    """The positions in `sizes` of the values that begin a new level.

    The median of up to `WINDOW` values from there on differs from that of as many before by more than `SMALLEST_STEP`
    of it and by more than `NOISE` times what the others usually change by, and at least half of that happens at this one value. So
    neither slow growth nor a single outlier is a step; whether one of the last two values is one cannot be known yet.
    """
    changes = [after - before for before, after in pairwise(sizes)]
    found = []
    for at, change in enumerate(changes, start=1):
        # Of few changes, the step itself would be the usual one.
        noise = median([abs(other) for number, other in enumerate(changes, start=1) if number != at] or [0])
        before = median(sizes[max(at - WINDOW, 0) : at])
        risen = median(sizes[at : at + WINDOW]) - before
        if (
            abs(risen) > max(before * SMALLEST_STEP, noise * NOISE)
            and change * risen > 0
            and abs(change) * 2 >= abs(risen)
        ):
            found.append(at)
    return tuple(found)


def creep(sizes: Sequence[int]) -> Creep | None:
    """By how much `sizes` grow from the first to the last along the line of Theil and Sen; `None` for too few.

    The slope of that line is the median of the slopes between any two values, so that even a quarter of the values
    being off the line does not move it. The largest step is taken out before: a single one is no creep, and has been
    seen when it was made; of several, the others count.
    """
    if len(sizes) < FEWEST:
        return None
    if steps := step_positions(sizes):
        at = max(steps, key=lambda at: abs(sizes[at] - sizes[at - 1]))
        sizes = [*sizes[:at], *(size - (sizes[at] - sizes[at - 1]) for size in sizes[at:])]
    slope = median((sizes[b] - sizes[a]) / (b - a) for a, b in combinations(range(len(sizes)), 2))
    start = median(size - slope * at for at, size in enumerate(sizes))
    grown = slope * (len(sizes) - 1)
    return Creep(records=len(sizes), share=grown / start if start > 0 else 0.0, bytes=round(grown))


def records_of(report: Report, checkout: Checkout) -> tuple[Record, ...]:
    """What `report` has measured, a record for each service."""
    images = {image.service: image for image in report.images}
    lives = {run.service: run for run in report.stack.services} if report.stack else {}
    found = []
    for service in report.services:
        image, life = images.get(service), lives.get(service)
        checks = tuple(_checks(report, service))
        growth = None if image is None else image.growth
        found.append(
            Record(
                service=service,
                time=report.finished,
                checkout=checkout,
                transfer=None if image is None else image.transfer,
                unpacked=None if image is None else image.unpacked,
                visible=None if image is None else image.visible,
                update=growth.update.bytes if growth is not None and growth.update.compressed else None,
                owners=() if image is None else _owners(image.owners),
                start=None if life is None else life.start_took,
                findings=total(checks),
                checks=checks,
                vulnerabilities=_vulnerabilities(report, service),
            )
        )
    return tuple(found)


def _owners(spaces: Iterable[OwnerSpace]) -> tuple[OwnerBytes, ...]:
    """The largest, the versions of each taken together."""
    totals: dict[tuple[str, str], int] = {}
    for each in spaces:
        key = str(each.owner.kind), each.owner.name
        totals[key] = totals.get(key, 0) + each.bytes
    largest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:OWNERS]
    return tuple(OwnerBytes(kind=kind, name=name, bytes=size) for (kind, name), size in largest)


def _checks(report: Report, service: str) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    """What each check that was made has found of a service."""
    for check in Check:
        made = [
            each.outcome
            for each in report.results
            if (each.check, each.service) == (check, service) and isinstance(each.outcome, Ran)
        ]
        if made:
            severities = [found.severity for each in made for found in each.findings]
            yield (
                str(check),
                tuple((str(each), severities.count(each)) for each in sorted(Severity, reverse=True)),
            )


def total(
    checks: Iterable[tuple[str, Iterable[tuple[str, int]]]],
) -> tuple[tuple[str, int], ...] | None:
    """How many of each severity all `checks` have found, the worst first; `None` where there are none."""
    sums: dict[str, int] = {}
    for _, counts in checks:
        for severity, count in counts:
            sums[severity] = sums.get(severity, 0) + count
    return tuple(sums.items()) or None


def _vulnerabilities(report: Report, service: str) -> tuple[tuple[str, int], ...] | None:
    scanned = any(
        result.check is Check.SCAN and result.service == service and isinstance(result.outcome, Ran)
        for result in report.results
    )
    if not scanned:
        return None
    found = [each.severity for each in report.vulnerabilities if each.service == service]
    return tuple(sorted((severity, found.count(severity)) for severity in set(found)))


def _step(before: Record, after: Record) -> Step:
    old, new = before.unpacked or 0, after.unpacked or 0
    was = {(each.kind, each.name): each.bytes for each in before.owners}
    changed = [
        (each.name, each.bytes - was[each.kind, each.name])
        for each in after.owners
        if (each.kind, each.name) in was
    ]
    # Of one that only one side keeps, the other has at most what its smallest has, unless that side keeps all.
    if len(before.owners) < OWNERS:
        changed += [(each.name, each.bytes) for each in after.owners if (each.kind, each.name) not in was]
    if len(after.owners) < OWNERS:
        now = {(each.kind, each.name) for each in after.owners}
        changed += [(each.name, -each.bytes) for each in before.owners if (each.kind, each.name) not in now]
    largest = sorted((each for each in changed if each[1]), key=lambda each: (-abs(each[1]), each[0]))[:3]
    return Step(
        before=before,
        after=after,
        change=new - old,
        share=(new - old) / old if old else 0.0,
        owners=tuple(largest),
    )
