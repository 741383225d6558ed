"""What of an image is looked up, and under which name and version."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.ecosystems import of_distribution, of_language
from hullmark._vulnerabilities.versions import Order
from hullmark.model.owner import OwnerKind
from hullmark.model.vulnerability import Coverage, Undecided

if TYPE_CHECKING:
    from hullmark._vulnerabilities.ecosystems import Ecosystem, Release
    from hullmark.model.inventory import Distribution, Inventory
    from hullmark.model.owner import Package

# Others who make packages for a distribution number them as they like: the distribution's records say nothing of them.
_STRANGERS = re.compile(
    r"(?i)@(?:docker\.com|nodesource\.com|nginx\.com|elastic\.co|grafana\.com|influxdata\.com|hashicorp\.com|mongodb\.com"
    r"|microsoft\.com|google\.com|mysql\.com|oracle\.com|mariadb\.(?:com|org)|yarnpkg\.com|gitlab\.com)\b|nginx packaging"
)
_THEIRS = re.compile(r"nodesource|~docker|nginx\.org|\+maria~|\.pgdg")
_STRANGE = "made by others than the distribution, whose records are not about it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that is looked up, and the packages of the image that it stands for."""

    release: Release
    name: str
    """As the ecosystem writes it, so that it can be compared."""
    shown: str
    """As the image writes it, where it is first."""
    version: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Everything that is looked up, and what cannot be."""

    subjects: tuple[Subject, ...]
    packages: dict[Release, int]
    """How many packages of the image belong to each."""
    without: tuple[Coverage, ...]
    """Packages that nothing can be said of, by kind."""
    undecided: tuple[Undecided, ...]


def subjects(inventory: Inventory) -> Subjects:
    """What of an inventory is looked up: packages of the distribution by their source, all others by themselves."""
    system = None if inventory.distribution is None else of_distribution(inventory.distribution)
    found: defaultdict[tuple[str, str, str], list[Package]] = defaultdict(list)
    shown: dict[tuple[str, str], str] = {}
    releases: dict[str, Release] = {}
    counted: defaultdict[str, int] = defaultdict(int)
    without: defaultdict[tuple[str, str], int] = defaultdict(int)
    undecided = list[Undecided]()
    for package in inventory.packages:
        if _seen_with_its_owner(package, system):
            continue
        release = system if package.owner.kind.distribution else of_language(package)
        if release is None:
            without[package.owner.kind.value, _why(package, inventory.distribution)] += 1
            continue
        if package.owner.kind.distribution and _is_strange(package):
            undecided.append(Undecided(package=package, reason=_STRANGE))
            continue
        key = str(release)
        releases[key] = release
        counted[key] += 1
        for name, version in _names(package, release):
            if version:
                spelled = release.ecosystem.spelled(name)
                shown.setdefault((key, spelled), name)
                found[key, spelled, version].append(package)
        if reason := _lacking(package, release):
            undecided.append(Undecided(package=package, reason=reason))
    return Subjects(
        subjects=tuple(
            Subject(
                release=releases[key],
                name=name,
                shown=shown[key, name],
                version=version,
                packages=tuple(packages),
            )
            for (key, name, version), packages in sorted(found.items())
        ),
        packages={releases[key]: number for key, number in sorted(counted.items())},
        without=tuple(
            Coverage(ecosystem=kind, packages=number, reason=reason)
            for (kind, reason), number in sorted(without.items())
        ),
        undecided=tuple(undecided),
    )


def needed(inventory: Inventory) -> tuple[Ecosystem, ...]:
    """The ecosystems whose records say something of an inventory, by name."""
    found = {release.ecosystem.name: release.ecosystem for release in subjects(inventory).packages}
    return tuple(found[name] for name in sorted(found))


def _seen_with_its_owner(package: Package, system: Release | None) -> bool:
    """Whether the distribution's records speak of it: it came in one of its packages, with its fixes."""
    owner = package.part_of
    return (
        system is not None
        and owner is not None
        and owner.kind.distribution
        and not package.owner.kind.distribution
    )


def _why(package: Package, distribution: Distribution | None) -> str:
    if not package.owner.kind.distribution:
        return "no records are kept of this kind of software"
    if distribution is None:
        return "nothing says which distribution it is"
    return f"no records are kept of {distribution}"


def _lacking(package: Package, release: Release) -> str:
    """What has to be known to look it up, and is not."""
    if not package.owner.version:
        return "its version is not known"
    if release.ecosystem.name == "Maven" and ":" not in package.owner.name:
        return "its group is not known, by which Maven tells artifacts apart"
    return ""


def _is_strange(package: Package) -> bool:
    if package.owner.kind is not OwnerKind.DPKG:
        return False
    return bool(_STRANGERS.search(package.maintainer) or _THEIRS.search(package.owner.version))


def _names(package: Package, release: Release) -> set[tuple[str, str]]:
    """The names and versions under which there may be records of it."""
    own = (package.owner.name, package.owner.version)
    if not package.owner.kind.distribution:
        return {(own[0], _language_version(own[1], release))}
    source = (package.source or own[0], package.source_version or own[1])
    # Of RPM packages some distributions name the source, others every binary package.
    return {source, own} if release.ecosystem.order is Order.RPM else {source}


def _language_version(version: str, release: Release) -> str:
    # Go writes v1.2.3 for modules and go1.22.1 for itself, its records have neither.
    if release.ecosystem.name == "Go":
        return version.removeprefix("go").removeprefix("v")
    return version
