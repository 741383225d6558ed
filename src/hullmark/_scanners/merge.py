"""What several scanners say of one image, as one list: each vulnerability once for a source package."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.merge import groups
from hullmark._vulnerabilities.severity import in_order
from hullmark.model.vulnerability import SCANNERS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullmark.model.vulnerability import Vulnerability

_ADVISORY = re.compile(
    r"(?:DSA|DLA|DTSA|USN|LSN|RHSA|RHBA|RLSA|RXSA|ELSA|ALSA|ALBA|ALAS[0-9A-Z]*|SUSE|openSUSE|MGASA)-"
)
"""Advisories of distributions tell of several vulnerabilities at once: to share one makes no two the same."""


def merged(found: Iterable[Vulnerability]) -> tuple[Vulnerability, ...]:
    """Those of `found` that are the same as one, with who saw it; worst first."""
    packages: defaultdict[tuple[str, str, str, str], list[Vulnerability]] = defaultdict(list)
    for each in found:
        # A scanner that does not say which distribution it is knows no less that it is a package of it.
        language = "" if _system(each) else each.ecosystem
        packages[each.service, language, each.package.lower(), each.installed].append(each)
    return tuple(sorted(_each(packages.values()), key=lambda each: each.sort_key))


def _system(found: Vulnerability) -> bool:
    return any(holder.owner.kind.distribution for holder in found.holders) or not found.path


def _each(packages: Iterable[Sequence[Vulnerability]]) -> Iterable[Vulnerability]:
    for same in packages:
        names: dict[str, tuple[Sequence[str], Sequence[str]]] = {}
        for each in same:
            known = [*names.get(each.id, ((), ()))[0], *each.aliases]
            names[each.id] = ([name for name in known if not _ADVISORY.match(name)], ())
        for name, ids in groups(names).items():
            yield _one(name, [each for each in same if each.id in ids])


def _one(name: str, told: Sequence[Vulnerability]) -> Vulnerability:
    """One of those that are the same, by the first scanner that knows of it, with what the others add."""
    ordered = sorted(told, key=lambda each: SCANNERS.index(each.seen_by[0]))
    first = ordered[0]
    ratings = in_order(rating for each in ordered for rating in each.ratings)
    fixed = next((each.fixed for each in ordered if each.fixed), None)
    words = (each.severity for each in ordered if each.severity != SEVERITIES[0])
    aliases = {other for each in ordered for other in each.names} - {name}
    return replace(
        first,
        id=name,
        aliases=tuple(sorted(aliases)),
        fixed=fixed,
        # Its own word is what a scanner makes of its ratings, and counts where none is told.
        severity=ratings[0].severity if ratings else next(words, SEVERITIES[0]),
        status=next((each.status for each in ordered if each.fixed == fixed), first.status),
        holders=tuple(dict.fromkeys(holder for each in ordered for holder in each.holders)),
        ratings=ratings,
        published=next((each.published for each in ordered if each.published), ""),
        # Who does not know that it is exploited has older data than who does.
        exploited=max((each.exploited for each in ordered if each.exploited is not None), default=None),
        likelihood=max((each.likelihood for each in ordered if each.likelihood is not None), default=None),
        seen_by=tuple(who for who in SCANNERS if any(who in each.seen_by for each in ordered)),
    )
