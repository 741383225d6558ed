"""Whose every file of an image is, as the databases of packages in it say; what they do not know goes by directory.

Files that are masked belong to whoever claimed them when they could last be seen: the databases of each layer are
read, not only those that are left.
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from hullmark._contents.packages import apk, dpkg, npm, python, rpm
from hullmark._contents.packages.evidence import FOREVER, Span, collect, joined, span_of
from hullmark.model.owner import Owner, OwnerKind, Ownership
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._contents.packages.evidence import Claim, Found
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Package

_NOBODY = -1
_LONGEST = 4096
"""Characters of the path of a directory that a package can lie in: no program could open a longer one."""
_CACHE = "/__pycache__"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}
_NOT_OWNED = {int(Kind.DIRECTORY), int(Kind.WHITEOUT), int(Kind.OPAQUE)}


def find_owners(system: FileSystem, platform: str = "linux/amd64") -> Ownership:
    """The owner of every file in `system`, whose layers were read with a `PackageCapture`.

    `platform` decides which requirements of Python packages hold. Nothing in the image makes this fail: what cannot be
    read is said in `Ownership.notes`.
    """
    found = collect(system)
    owning = _Owning(system)
    for claim in chain(dpkg.read(found), apk.read(found), rpm.read(found)):
        owning.give(claim)
    # Software that a package of the distribution brought is that package's, and vendored software its vendor's.
    for claim in python.read(found, system):
        inside = owning.around(claim)
        owning.give(claim if inside is None else joined(claim, inside))
    for claim in npm.read(found):
        inside = owning.holder(claim.described)
        owning.give(claim if inside is None else joined(claim, inside))
    owning.give_the_rest()
    packages = _explained(owning.packages(), found, owning, platform)
    return owning.finished(packages, found)


def _explained(packages: list[Package], found: Found, owning: _Owning, platform: str) -> list[Package]:
    owned = {
        each.path
        for each in found.evidence
        if each.span.visible and owning.owner_at(each.number).kind is not OwnerKind.DIRECTORY
    }
    system = owning.system
    architecture = platform.split("/")[1] if "/" in platform else platform
    machine = _MACHINES.get(architecture, architecture)
    # What is vendored is found by its vendor only; what the distribution brought can be required by all.
    distributions = [
        package
        for package in packages
        if package.owner.kind is OwnerKind.PYTHON
        and (package.part_of is None or package.part_of.kind.distribution)
    ]
    modules = [package for package in packages if package.owner.kind is OwnerKind.NPM]
    explained = python.explain(distributions, found, owned, system, machine) if distributions else {}
    if modules:
        explained |= npm.explain(modules, found, owned, system)
    return [
        replace(package, declared=explained[package.location][0], why=explained[package.location][1])
        if package.location in explained and package.owner.kind in {OwnerKind.PYTHON, OwnerKind.NPM}
        else package
        for package in packages
    ]


class _Owning:
    """Who owns what, as far as the claims have been given."""

    def __init__(self, system: FileSystem) -> None:
        self.system = system
        self._packages: list[tuple[Package, str]] = []
        self._there = dict[tuple[Owner, str], dict[int, int]]()
        """By package, and what describes it where that is a file of its own: when it was there, by the end of each
        time."""
        self._owners = dict[Owner, int]()
        self._list = list[Owner]()
        self._rows = array("i", [_NOBODY]) * len(system.paths)
        self._trees = dict[str, list[tuple[int, Span]]]()
        self._places = dict[str, str | None]()
        self._tops = dict[str, int]()
        self._masked = dict[str, list[int]]()
        """By where they lay."""
        self._listed = dict[str, list[int]]()
        """By every path that a list may have for them."""
        self._spans = dict[int, Span]()
        self._rank = dict[int, int]()
        """How well the owner of a masked file fits, see `_fits`."""
        links = _links_to_directories(system)
        for number, by in enumerate(system.hidden_by):
            if by >= 0 and system.kinds[number] not in _NOT_OWNED:
                path = system.path(number)
                self._masked.setdefault(path, []).append(number)
                for link, directory in links:
                    if path.startswith(directory):
                        self._listed.setdefault(link + path[len(directory) :], []).append(number)
        # A list may say /lib where the layer says /usr/lib.
        for path, numbers in self._masked.items():
            self._listed.setdefault(path, []).extend(numbers)

    def owner_at(self, number: int) -> Owner:
        """The owner of an entry that has one."""
        return self._list[self._rows[number]]

    def holder(self, number: int) -> Owner | None:
        """Who has claimed an entry by its path, if anybody."""
        return None if number < 0 or self._rows[number] < 0 else self._list[self._rows[number]]

    def around(self, claim: Claim) -> Owner | None:
        """Who has claimed what describes a package, by its path or the directory that it lies in."""
        named = self.holder(claim.described)
        if named is not None or not self._trees:
            return named
        path = self.system.path(claim.described)
        index = self._tree(path[: path.rfind("/")], claim.span)
        return None if index < 0 else self._list[index]

    def _index(self, owner: Owner) -> int:
        index = self._owners.get(owner)
        if index is None:
            index = self._owners[owner] = len(self._list)
            self._list.append(owner)
        return index

    def give(self, claim: Claim) -> None:
        """Let a package have what it claims and nobody has claimed before."""
        index = self._index(claim.owner)
        self._remember(claim)
        for tree in claim.trees:
            self._trees.setdefault(tree, []).append((index, claim.span))
        if claim.span.visible:
            self._give_visible(claim.files, index)
        if self._masked:
            self._give_masked(claim, index)

    def _remember(self, claim: Claim) -> None:
        package = claim.package
        where = "" if claim.described < 0 else self.system.path(claim.described)
        there = self._there.setdefault((claim.owner if package is None else package.owner, where), {})
        # A state that follows another at once continues it; the oldest of several that end together counts.
        there[claim.span.died] = min(claim.span.born, there.get(claim.span.died, claim.span.born))
        if package is not None:
            self._packages.append((package, where))

    def packages(self) -> list[Package]:
        """What is left to be seen, with the layers that brought it."""
        return [
            replace(package, layer=self.system.layers[self._brought(package.owner, where)].diff_id)
            for package, where in self._packages
        ]

    def _brought(self, owner: Owner, where: str) -> int:
        """The layer since which a package has been there in one version without a gap."""
        there = self._there[owner, where]
        born = there[FOREVER]
        while born in there and there[born] < born:
            born = there[born]
        return born

    def _give_visible(self, files: Iterable[str], index: int) -> None:
        visible, rows, kinds = self.system.visible, self._rows, self.system.kinds
        for path in files:
            number = visible.get(path)
            if number is None:
                # As the package lists it: through a link such as /lib, which leads to /usr/lib.
                number = visible.get(self._place(path), _NOBODY)
                if number < 0:
                    continue
            if rows[number] < 0 and kinds[number] not in _NOT_OWNED:
                rows[number] = index

    def _place(self, path: str) -> str:
        """Where the directory of `path` really is."""
        cut = path.rfind("/")
        parent = path[:cut]
        if parent not in self._places:
            place = self.system.resolve(parent) if parent.startswith("/") else None
            self._places[parent] = None if place is None else place.rstrip("/")
        place = self._places[parent]
        return "" if place is None else f"{place}{path[cut:]}"

    def _give_masked(self, claim: Claim, index: int) -> None:
        masked = self._listed
        for path in filter(masked.__contains__, claim.files):
            for number in masked[path]:
                fits = self._fits(number, claim.span)
                if fits > self._rank.get(number, _NOBODY):
                    self._rank[number] = fits
                    self._rows[number] = index

    def _fits(self, number: int, span: Span) -> int:
        """How well a claim fits a masked file: 2 if it stood when the file was hidden, 1 if earlier, else 0."""
        own = self._spans.get(number)
        if own is None:
            own = self._spans[number] = span_of(self.system, number)
        if span.born < own.died <= span.died:
            return 2
        return 1 if span.overlaps(own) else 0

    def give_the_rest(self) -> None:
        """Let files that no list names go to the package around them, to that of their source, or to a directory."""
        compiled = [*self._give_rest_of_visible(), *self._give_rest_of_masked()]
        # The sources first: what was compiled from them follows.
        for path, number in compiled:
            source = _source(path)
            origin = self.system.visible.get(source, _NOBODY)
            if origin < 0:
                origin = self._masked.get(source, [_NOBODY])[-1]
            owner = self._rows[origin] if origin >= 0 else _NOBODY
            self._rows[number] = owner if owner >= 0 else self._top(path)

    def _give_rest_of_visible(self) -> list[tuple[str, int]]:
        """As `give_the_rest`; what was compiled from Python is returned instead."""
        rows, kinds = self._rows, self.system.kinds
        now = Span(born=FOREVER - 1)
        trees = dict[str, int]()
        compiled = []
        for path, number in self.system.visible.items():
            if rows[number] >= 0 or kinds[number] in _NOT_OWNED:
                continue
            parent = path[: path.rfind("/")]
            index = trees.get(parent)
            if index is None:
                index = trees[parent] = self._tree(parent, now)
            if index >= 0:
                rows[number] = index
            elif _is_compiled(path):
                compiled.append((path, number))
            else:
                rows[number] = self._top(path)
        return compiled

    def _give_rest_of_masked(self) -> list[tuple[str, int]]:
        """The same for what is masked, at the time when it could be seen."""
        trees = dict[tuple[str, Span], int]()
        compiled = []
        for path, numbers in self._masked.items():
            parent = path[: path.rfind("/")]
            for number in numbers:
                if self._rows[number] >= 0:
                    continue
                span = span_of(self.system, number)
                index = trees.get((parent, span))
                if index is None:
                    index = trees[parent, span] = self._tree(parent, span)
                if index >= 0:
                    self._rows[number] = index
                elif _is_compiled(path):
                    compiled.append((path, number))
                else:
                    self._rows[number] = self._top(path)
        return compiled

    def _tree(self, directory: str, span: Span) -> int:
        """Who has the innermost directory above that is a package's; one that stood at another time is better than none."""
        if not self._trees or len(directory) > _LONGEST:
            return _NOBODY
        otherwise = _NOBODY
        while directory:
            for index, alive in self._trees.get(directory, ()):
                if alive.overlaps(span):
                    return index
                otherwise = index if otherwise < 0 and not span.visible else otherwise
            directory = directory[: directory.rfind("/")]
        return otherwise

    def _top(self, path: str) -> int:
        top = path[: max(path.find("/", 1), 0)] or "/"
        index = self._tops.get(top)
        if index is None:
            index = self._tops[top] = self._index(Owner(kind=OwnerKind.DIRECTORY, name=top))
        return index

    def finished(self, packages: list[Package], found: Found) -> Ownership:
        """Everything, in order."""
        known = {self._owners[package.owner] for package in packages if package.owner in self._owners}
        used = sorted((known | set(self._rows)) - {_NOBODY}, key=lambda index: self._list[index].sort_key)
        position: Mapping[int, int] = {index: at for at, index in enumerate(used)} | {_NOBODY: _NOBODY}
        return Ownership(
            owners=tuple(self._list[index] for index in used),
            rows=array("i", map(position.__getitem__, self._rows)),
            packages=tuple(sorted(packages, key=lambda each: (each.owner.sort_key, each.location))),
            notes=tuple(dict.fromkeys(found.notes)),
        )


def _links_to_directories(system: FileSystem) -> list[tuple[str, str]]:
    """The links in the root, such as /lib, and the directories that they lead to, both with a slash."""
    found = []
    for path in system.listing("/"):
        place = system.resolve(path) if system.kind(path) is Kind.SYMLINK else None
        if place is not None and place != "/" and system.kind(place) is Kind.DIRECTORY:
            found.append((f"{path}/", f"{place}/"))
    return sorted(found)


def _is_compiled(path: str) -> bool:
    return path.endswith(".pyc") and path[: path.rfind("/")].endswith(_CACHE)


def _source(compiled: str) -> str:
    """The module that a file in `__pycache__` was compiled from."""
    directory, _, name = compiled.rpartition(f"{_CACHE}/")
    return f"{directory}/{name.partition('.')[0]}.py"
