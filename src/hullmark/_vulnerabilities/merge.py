"""Which records tell of the same vulnerability."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Distributions put their name before the ID of a vulnerability.
_NAMED = re.compile(r"[A-Z]+-(CVE-[0-9]{4}-[0-9]{4,})")
_RANKS = ("CVE-", "GHSA-", "GO-", "PYSEC-", "RUSTSEC-", "MAL-")


def groups(names: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """The records that tell of each vulnerability, by the name that most people know it by.

    `names` has for each record, by its ID, the aliases and what is upstream of it. Aliases, and a record and the one
    vulnerability upstream of it, are the same, over any number of steps. An advisory that is downstream of several
    vulnerabilities tells of each of them, and does not make them one.
    """
    same = _Same()
    for record, (aliases, upstream) in names.items():
        same.join([record, _plain(record)])
        same.join([record, *aliases])
        for name in (*aliases, *upstream):
            same.join([name, _plain(name)])
    waiting = {record: upstream for record, (_, upstream) in names.items() if upstream}
    while single := [record for record, upstream in waiting.items() if len(_distinct(upstream, same)) == 1]:
        for record in single:
            same.join([record, *waiting.pop(record)])
    told = dict[str, list[str]]()
    for record in names:
        for name in _distinct(waiting[record], same) if record in waiting else {same.of(record)}:
            told.setdefault(name, []).append(record)
    return {known_as(same.members(name)): tuple(sorted(records)) for name, records in told.items()}


def _distinct(upstream: Iterable[str], same: _Same) -> set[str]:
    """The vulnerabilities among `upstream`: where only one has a CVE, what has none is another name of it."""
    found = {same.of(name) for name in upstream}
    with_cve = {name for name in found if any(each.startswith("CVE-") for each in same.members(name))}
    return with_cve if len(with_cve) == 1 else found


def known_as(names: Iterable[str]) -> str:
    """The name that most people know a vulnerability by."""
    return min(names, key=lambda name: (_rank(name), name))


def _rank(name: str) -> int:
    return next((place for place, start in enumerate(_RANKS) if name.startswith(start)), len(_RANKS))


def _plain(name: str) -> str:
    """`CVE-2024-1` for `DEBIAN-CVE-2024-1`; everything else as it is."""
    found = _NAMED.fullmatch(name)
    return found[1] if found else name


class _Same:
    """Names that stand for the same thing."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    def of(self, name: str) -> str:
        """The one name that stands for all of them."""
        parents = self._parents
        if parents.setdefault(name, name) == name:
            self._members.setdefault(name, {name})
            return name
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    def members(self, name: str) -> frozenset[str]:
        """All names of it."""
        return frozenset(self._members[self.of(name)])

    def join(self, names: Sequence[str]) -> None:
        """From now on these stand for the same thing."""
        first = self.of(names[0])
        for name in names[1:]:
            other = self.of(name)
            if other != first:
                self._parents[other] = first
                self._members[first] |= self._members.pop(other)
