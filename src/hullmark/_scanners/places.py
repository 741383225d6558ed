"""Where in an image a vulnerability is: which packages have it, which layer and instruction brought them, whose it is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.attribution import Told
from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from hullmark.model.inventory import Inventory
    from hullmark.model.owner import Package
    from hullmark.model.vulnerability import Vulnerability

_SEPARATORS = re.compile(r"[-_.]+")
_LANGUAGES = {
    "PyPI": OwnerKind.PYTHON,
    "npm": OwnerKind.NPM,
    "Go": OwnerKind.GO,
    "Maven": OwnerKind.JAVA,
    "crates.io": OwnerKind.RUST,
}


class Places:
    """The packages of one image, found again by what a scanner calls them."""

    def __init__(self, inventory: Inventory, *, base: str = "", base_layers: Collection[str] = ()) -> None:
        """`base_layers` are the diff IDs of the image called `base`, where the engine has it."""
        self._base = base
        self._base_layers = frozenset(base_layers)
        self._packages: defaultdict[tuple[str, str], list[Package]] = defaultdict(list)
        for package in inventory.packages:
            self._packages[_family(package.owner.kind), _spelled(package.owner.name)].append(package)

    def placed(self, found: Vulnerability) -> Vulnerability:
        """`found`, with the packages that have it, named by their source, and what brought them."""
        holders = found.holders or self._holders(found)
        if not holders:
            return replace(found, base=self._base if found.layer in self._base_layers else "")
        # Of several, what the project brought by itself is what it can change.
        ordered = sorted(holders, key=lambda each: (self._from_base(each) != "", each.location))
        first = ordered[0]
        source = first.source if first.owner.kind.distribution else ""
        return replace(
            found,
            holders=holders,
            package=source or found.package,
            installed=(first.source_version if source else "") or found.installed,
            layer=str(first.layer) if first.layer else found.layer,
            origin=first.origin,
            base=self._from_base(first),
        )

    def _holders(self, found: Vulnerability) -> tuple[Package, ...]:
        kind = _LANGUAGES.get(found.ecosystem)
        same = self._packages.get((_family(kind), _spelled(found.package)), [])
        versioned = [each for each in same if found.installed in {each.owner.version, each.source_version}]
        if kind is None or not found.path:
            return tuple(versioned)
        # Where there are several, the path tells which; scanners name the file that describes it in their own ways.
        path = "/" + found.path.lstrip("/")
        there = [each for each in versioned if each.location == path or each.location.startswith(f"{path}!")]
        return tuple(there or versioned)

    def _from_base(self, package: Package) -> str:
        """The base image that a package came with, empty where instructions of the project brought it."""
        if package.layer is not None and str(package.layer) in self._base_layers:
            return self._base
        if package.origin is None:
            return ""
        return next((each.base or each.text for each in package.origin.chain if each.told is Told.BASE), "")


def identity(found: Vulnerability) -> tuple[frozenset[str], str, str, str]:
    """What stays the same of a vulnerability from build to build: its names, and whose package has it, and where.

    Versions, layers and digests are no part of it, nor are numbers in a path: `/usr/lib/python3.11` becomes another
    directory when the base image does. Two are the same when the other parts are equal and they share a name.
    """
    return found.names, found.ecosystem, found.package, path_class(found.path)


def is_same(one: tuple[frozenset[str], str, str, str], other: tuple[frozenset[str], str, str, str]) -> bool:
    """Whether two identities are those of one vulnerability."""
    return one[1:] == other[1:] and not one[0].isdisjoint(other[0])


def path_class(path: str) -> str:
    """The directory of a package without what changes with versions; empty for packages of the distribution."""
    kept = re.split(r"(?<=/site-packages/)|(?<=/dist-packages/)|(?<=/node_modules/)", path)[0]
    directory = kept if kept != path else path.rpartition("/")[0]
    return re.sub(r"[0-9]+(?:\.[0-9]+)*", "#", directory.rstrip("/"))


def _family(kind: OwnerKind | None) -> str:
    return "system" if kind is None or kind.distribution else str(kind)


def _spelled(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
