"""hullmark's own scanner: the inventory of the image, held against the records that `hullmark db update` has stored."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from hullmark import __version__
from hullmark._files import write_whole
from hullmark._scanners.interface import Available, Missing, Scanned
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store, stored
from hullmark.model.vulnerability import NO_DATA, Vulnerability

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark._scanners.interface import Target
    from hullmark.model.vulnerability import Match, Matches

_UPDATE = "run `hullmark db update`"
_COPY = "bring the copy that they came from up to date, then run `hullmark db update`"
_SCHEMA = "hullmark/scan/1"


class Embedded:
    """See `Scanner`."""

    name = "embedded"

    def __init__(self, directory: Path | None, *, max_age: float, now: dt.datetime) -> None:
        self._directory = directory
        self._max_age = max_age
        self._now = now

    def probe(self) -> Available | Missing:
        """See `Scanner.probe`."""
        if self._directory is None:
            return Missing(
                reason="nothing is kept, so that there is no database of vulnerabilities: HULLMARK_NO_CACHE is set, or "
                "there is no home",
                absent=True,
            )
        if not stored(self._directory):
            return Missing(reason=f"there is no database of vulnerabilities yet; {_UPDATE}", absent=True)
        return Available(version=__version__)

    def prepare(self) -> None:
        """See `Scanner.prepare`: what is stored is there."""

    def scan(self, target: Target) -> Scanned:
        """See `Scanner.scan`."""
        assert self._directory is not None
        # One of its own for each scan: the files are the same, and a connection belongs to one thread.
        with Store(self._directory) as store:
            found = match(target.inventory, store)
        write_whole(target.report, _report(target, found), what="the scanner's report")
        distribution = target.inventory.distribution
        looked_up = [each for each in found.coverage if not each.reason]
        return Scanned(
            vulnerabilities=tuple(_vulnerability(each, target.service) for each in found.matches),
            recognised=tuple([str(distribution)] if distribution else [])
            + tuple(each.ecosystem for each in looked_up),
            coverage=found.coverage,
            problems=tuple(self._problems(found)),
            notes=tuple(_notes(found)),
        )

    def _problems(self, found: Matches) -> Iterator[str]:
        if found.missing:
            yield f"the database has no records of {', '.join(found.missing)}; {_UPDATE}"
        for each in found.coverage:
            if each.as_of:
                age = (self._now - dt.datetime.fromisoformat(each.as_of)).total_seconds()
                if age > self._max_age:
                    copied = each.as_of != each.fetched
                    yield (
                        f"the records of {each.ecosystem.partition(':')[0]} are {_days(age)} old by "
                        f"{each.dated_by}, which is more than `db-max-age` of {_days(self._max_age)}; "
                        f"{_COPY if copied else _UPDATE}"
                    )
            elif each.reason and each.reason != NO_DATA and each.ecosystem in _OF_DISTRIBUTIONS:
                yield f"{each.packages} {each.ecosystem} packages could not be looked up: {each.reason}"


_OF_DISTRIBUTIONS = ("dpkg", "apk", "rpm")


def _notes(found: Matches) -> Iterator[str]:
    for each in found.coverage:
        if each.reason and each.reason != NO_DATA and each.ecosystem not in _OF_DISTRIBUTIONS:
            yield f"{each.packages} {each.ecosystem} without records"
    packages = {each.package for each in found.undecided}
    if packages:
        yield f"{len(packages)} package{'' if len(packages) == 1 else 's'} undecided"


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day{'' if days == 1 else 's'}" if days else f"{int(seconds // 3600)} h"


def _vulnerability(each: Match, service: str) -> Vulnerability:
    languages = [package for package in each.installed if not package.owner.kind.distribution]
    layers = [package.layer for package in each.installed if package.layer]
    # Each record that has the version in a range says how to get out of it: only the last is out of all.
    fixed = each.fixed[-1] if each.fixed else None
    return Vulnerability(
        id=each.id,
        aliases=each.aliases,
        package=each.package,
        installed=each.version,
        fixed=fixed,
        severity=each.severity,
        service=service,
        layer=str(layers[0]) if layers else None,
        status="fixed" if fixed else "affected",
        path=languages[0].location if languages else "",
        ecosystem=each.ecosystem.partition(":")[0],
        holders=each.installed,
        ratings=each.ratings,
        published=each.published,
        exploited=each.exploited,
        likelihood=each.likelihood,
        seen_by=(Embedded.name,),
    )


def _report(target: Target, found: Matches) -> bytes:
    document = {
        "schema": _SCHEMA,
        "hullmark": __version__,
        "image": target.image,
        "service": target.service,
        "distribution": str(target.inventory.distribution or "") or None,
        "coverage": [asdict(each) for each in found.coverage],
        "undecided": [
            {"package": str(each.package.owner), "record": each.record or None, "reason": each.reason}
            for each in found.undecided
        ],
        "vulnerabilities": [
            {
                "id": each.id,
                "aliases": list(each.aliases),
                "package": each.package,
                "ecosystem": each.ecosystem,
                "version": each.version,
                "fixed": list(each.fixed),
                "severity": each.severity,
                "ratings": [asdict(rating) for rating in each.ratings],
                "evidence": [asdict(evidence) for evidence in each.evidence],
                "summary": each.summary,
                "published": each.published or None,
                "exploited": each.exploited,
                "likelihood": each.likelihood,
                "installed": [
                    {
                        "package": str(package.owner),
                        "location": package.location,
                        "layer": str(package.layer) if package.layer else None,
                    }
                    for package in each.installed
                ],
            }
            for each in found.matches
        ],
    }
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode()
