"""Which vulnerabilities have come and gone between two releases: by the records of today, or as their gates saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.cache import Cache
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store, directory_in, stored
from hullmark.model.outcome import Check, Ran
from hullmark.model.release import NotScanned, VulnerabilityNews
from hullmark.model.staging import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hullmark.model.inventory import Inventory
    from hullmark.model.report import Report
    from hullmark.model.staging import State
    from hullmark.model.vulnerability import Vulnerability

_MOST = 2000
"""Vulnerabilities for a platform that the state keeps; where there are more it says that nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The image of a service in one release."""

    service: str
    inventory: Inventory
    state: State | None
    """What the release has noted; `None` where it has left nothing."""
    platform: str


def kept(report: Report) -> tuple[tuple[str, ...], tuple[Known, ...]]:
    """What the state keeps of a scan: the services that were looked up completely, and what is known of them."""
    services = tuple(
        result.service
        for result in report.results
        if result.check is Check.SCAN and result.service is not None and isinstance(result.outcome, Ran)
    )
    found = tuple(_known(each) for each in report.vulnerabilities if each.service in services)
    return (services, found) if len(found) <= _MOST else ((), ())


def _known(each: Vulnerability) -> Known:
    return Known(
        service=each.service,
        id=each.id,
        package=each.package,
        installed=each.installed,
        severity=each.severity,
        fixed=each.fixed,
    )


def compare(now: Side, before: Side | None, environ: Mapping[str, str]) -> VulnerabilityNews | NotScanned:
    """What `now` has that `before` has not, and the other way round.

    Both are held against the same records where this machine has them, so that what has become known meanwhile of
    both is no news. Elsewhere it is as the gates of the two saw it.
    """
    cache = Cache.at(environ).directory
    directory = None if cache is None else directory_in(cache)
    if not now.inventory.packages and now.inventory.distribution is None:
        return NotScanned(reason="there is nothing to look up: neither a distribution nor any package")
    if directory is None or not stored(directory):
        return _as_kept(now, before)
    return _as_known_today(now, before, directory)


def _as_known_today(now: Side, before: Side | None, directory: Path) -> VulnerabilityNews | NotScanned:
    with Store(directory) as store:
        found = match(now.inventory, store)
        earlier = None if before is None else match(before.inventory, store)
    looked_up = [each for each in found.coverage if not each.reason]
    if not looked_up:
        reasons = sorted({each.reason for each in found.coverage})
        return NotScanned(reason="; ".join(reasons) or "no records are about anything in it")
    known, old = (
        None
        if matches is None
        else [
            Known(
                service=now.service,
                id=each.id,
                package=each.package,
                installed=each.version,
                severity=each.severity,
                fixed=each.fixed[-1] if each.fixed else None,
            )
            for each in matches.matches
        ]
        for matches in (found, earlier)
    )
    assert known is not None
    return _news(
        known,
        old,
        by=f"the records of {min(each.as_of[:10] for each in looked_up)}",
        unknown={each.ecosystem: each.packages for each in found.coverage if each.reason},
    )


def _as_kept(now: Side, before: Side | None) -> VulnerabilityNews | NotScanned:
    known = _noted(now)
    if known is None:
        return NotScanned(
            reason="no records are stored here, and its gate has noted none; run `hullmark db update`"
        )
    old = None if before is None else _noted(before)
    return _news(known, old, by="what the gates of the releases saw", unknown={})


def _noted(side: Side) -> list[Known] | None:
    """What the gate knew of the image; `None` where it did not look."""
    for passage in () if side.state is None else side.state.gate:
        if passage.platform == side.platform and side.service in passage.scanned:
            return [each for each in passage.vulnerabilities if each.service == side.service]
    return None


def _news(
    known: Iterable[Known], old: Iterable[Known] | None, *, by: str, unknown: Mapping[str, int]
) -> VulnerabilityNews:
    now = {(each.package, each.id): each for each in known}
    then = None if old is None else {(each.package, each.id): each for each in old}
    return VulnerabilityNews(
        known=len(now),
        new=None if then is None else tuple(now[key] for key in now if key not in then),
        fixed=None if then is None else tuple(then[key] for key in then if key not in now),
        by=by,
        unknown=tuple(sorted(unknown.items())),
    )
