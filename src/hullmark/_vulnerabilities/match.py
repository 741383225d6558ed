"""Which of the stored vulnerabilities the software of an image has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.lookup import subjects
from hullmark._vulnerabilities.merge import groups
from hullmark._vulnerabilities.ranges import Unreadable, within
from hullmark._vulnerabilities.severity import in_order, ratings
from hullmark._vulnerabilities.versions import Order
from hullmark.model.vulnerability import NO_DATA, Coverage, Evidence, Match, Matches, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._vulnerabilities.lookup import Subject
    from hullmark._vulnerabilities.packed import Entry, Record
    from hullmark._vulnerabilities.store import Store
    from hullmark.model.inventory import Inventory
    from hullmark.model.owner import Package
    from hullmark.model.vulnerability import Rating

_DISTRIBUTIONS = frozenset({Order.DEBIAN, Order.ALPINE, Order.RPM})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """One record that is about an installed version."""

    record: Record
    evidence: tuple[Evidence, ...]
    ratings: tuple[Rating, ...]
    packages: tuple[Package, ...]
    version: str


def match(inventory: Inventory, store: Store) -> Matches:
    """Every vulnerability that the store knows in the software of `inventory`, each once for a source package.

    Nothing is guessed: what could not be compared is in `undecided`, and `coverage` says of which packages nothing
    is known. Raises `Unavailable` when what is stored cannot be read.
    """
    asked = subjects(inventory)
    undecided = list(asked.undecided)
    hits: dict[tuple[str, str, str], tuple[Subject, list[_Hit]]] = {}
    for subject in asked.subjects:
        found = list(_hits(subject, store, undecided))
        if found:
            # Binary packages of one source that are asked for by their own names belong together.
            source = subject.packages[0].source or subject.shown
            version = subject.packages[0].source_version or subject.version
            hits.setdefault((str(subject.release), source, version), (subject, []))[1].extend(found)
    matches = [
        each
        for (_, source, version), (subject, found) in hits.items()
        for each in _merged(subject, source, version, found)
    ]
    coverage = [
        _coverage(str(release), release.ecosystem.name, number, store)
        for release, number in asked.packages.items()
    ]
    return Matches(
        matches=tuple(sorted(matches, key=lambda each: each.sort_key)),
        coverage=tuple(sorted((*coverage, *asked.without), key=lambda each: (each.ecosystem, each.reason))),
        undecided=tuple(dict.fromkeys(undecided)),
    )


def _coverage(release: str, ecosystem: str, number: int, store: Store) -> Coverage:
    known = store.about(ecosystem)
    if known is None:
        return Coverage(ecosystem=release, packages=number, reason=NO_DATA)
    as_of, dated_by = known.as_of
    return Coverage(
        ecosystem=release,
        packages=number,
        records=known.records,
        fetched=known.fetched,
        newest=known.newest,
        as_of=as_of.isoformat(),
        dated_by=dated_by,
    )


def _hits(subject: Subject, store: Store, undecided: list[Undecided]) -> Iterator[_Hit]:
    ecosystem = subject.release.ecosystem
    by_record: dict[int, list[tuple[Entry, Evidence]]] = {}
    for entry in store.entries(ecosystem.name, subject.name):
        if not subject.release.fits(entry.release):
            continue
        try:
            found = within(subject.version, entry.ranges, entry.versions, ecosystem.order)
        except Unreadable as error:
            name = store.record(ecosystem.name, entry.record).id
            undecided += (
                Undecided(package=each, record=name, reason=str(error)) for each in subject.packages
            )
            continue
        if found is not None:
            evidence = Evidence(
                record=store.record(ecosystem.name, entry.record).id,
                ecosystem=f"{ecosystem.name}:{entry.release}" if entry.release else ecosystem.name,
                name=subject.shown,
                version=subject.version,
                because=found.because,
                fixed=found.fixed,
            )
            by_record.setdefault(entry.record, []).append((entry, evidence))
    distribution = ecosystem.name if ecosystem.order in _DISTRIBUTIONS else ""
    for number, entries in by_record.items():
        record = store.record(ecosystem.name, number)
        words = [rating for entry, _ in entries for rating in entry.ratings]
        yield _Hit(
            record=record,
            evidence=tuple(evidence for _, evidence in entries),
            ratings=ratings(record.id, words, record.ratings, distribution=distribution),
            packages=subject.packages,
            version=subject.version,
        )


def _merged(subject: Subject, source: str, version: str, hits: Iterable[_Hit]) -> Iterator[Match]:
    by_id = dict[str, list[_Hit]]()
    for hit in hits:
        by_id.setdefault(hit.record.id, []).append(hit)
    names = {name: (same[0].record.aliases, same[0].record.upstream) for name, same in by_id.items()}
    order = subject.release.ecosystem.order
    for name, records in groups(names).items():
        told = [hit for record in records for hit in by_id[record]]
        # An advisory on several vulnerabilities rates the worst of them: it decides only where nothing else does.
        own = [hit for hit in told if len(hit.record.upstream) <= 1] or told
        packages = dict.fromkeys(package for hit in told for package in hit.packages)
        evidence = dict.fromkeys(each for hit in told for each in hit.evidence)
        yield Match(
            id=name,
            aliases=_aliases(name, told),
            package=source,
            ecosystem=str(subject.release),
            version=version,
            installed=tuple(sorted(packages, key=lambda each: (each.owner.sort_key, each.location))),
            fixed=_in_order((each.fixed for each in evidence if each.fixed), order),
            ratings=in_order(rating for hit in own for rating in hit.ratings)
            or in_order(rating for hit in told for rating in hit.ratings),
            evidence=tuple(evidence),
            summary=next((hit.record.summary for hit in (*own, *told) if hit.record.summary), ""),
            published=min((hit.record.published for hit in told if hit.record.published), default=""),
            modified=max(hit.record.modified for hit in told),
            exploited=_any(hit.record.exploited for hit in told),
            likelihood=max((x for hit in told if (x := hit.record.likelihood) is not None), default=None),
        )


def _aliases(name: str, told: Iterable[_Hit]) -> tuple[str, ...]:
    """Its other names: those of the records, and what records on this vulnerability alone call it."""
    found = set[str]()
    for hit in told:
        found.add(hit.record.id)
        found.update(hit.record.aliases)
        if len(hit.record.upstream) <= 1:
            found.update(hit.record.upstream)
    return tuple(sorted(found - {name}))


def _in_order(versions: Iterable[str], order: Order) -> tuple[str, ...]:
    def compare(one: str, other: str) -> int:
        ours, theirs = order.key(one), order.key(other)
        return (theirs < ours) - (ours < theirs)

    return tuple(sorted(dict.fromkeys(versions), key=cmp_to_key(compare)))


def _any(said: Iterable[bool | None]) -> bool | None:
    known = [each for each in said if each is not None]
    return any(known) if known else None
