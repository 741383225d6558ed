"""Packages of Node.js: every `package.json` directly in a `node_modules`, and why each is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hullmark._contents.packages.evidence import Claim
from hullmark._contents.packages.requirements import reach
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.evidence import Evidence, Found
    from hullmark.model.filesystem import FileSystem

_FILE = "/package.json"
_INSIDE = "/node_modules/"
_NEEDED = ("dependencies", "optionalDependencies", "peerDependencies")
_BY_APPLICATIONS = ("dependencies", "optionalDependencies", "devDependencies", "peerDependencies")
_DEEPEST = 256
"""Directories upwards in which a required package is looked for."""


def read(found: Found) -> Iterator[Claim]:
    """What every package claims: its directory, but for the packages below it."""
    for each in found.evidence:
        if not each.path.endswith(_FILE):
            continue
        directory = each.path.removesuffix(_FILE)
        if not installed(directory):
            continue
        document = _document(each, found.notes)
        name, version = document.get("name"), document.get("version")
        if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
            if document and each.span.visible:
                found.notes.append(f"{each.path} does not say the name and version of its package")
            continue
        owner = Owner(kind=OwnerKind.NPM, name=name, version=version)
        package = Package(
            owner=owner,
            location=each.path,
            directory=directory,
            requires=tuple(dict.fromkeys(_names(document, _NEEDED))),
        )
        yield Claim(
            owner=owner,
            span=each.span,
            package=package if each.span.visible else None,
            described=each.number,
            trees=(directory,),
        )


def installed(directory: str) -> bool:
    """Whether a directory is where a package is looked for: in `node_modules`, or in a scope there."""
    _, inside, name = directory.rpartition(_INSIDE)
    if not inside or not name or name[0] == ".":
        return False
    return name.count("/") == (name[0] == "@")


def _document(file: Evidence, notes: list[str]) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(file.content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if file.span.visible:
            notes.append(f"{file.path} is no JSON: {str(error)[:100]}")
        return {}
    if not isinstance(document, dict):
        if file.span.visible:
            notes.append(f"{file.path} is no JSON object")
        return {}
    return document


def _names(document: dict[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = document.get(key)
        if isinstance(value, dict):
            yield from value


def explain(
    packages: list[Package], found: Found, owned: set[str], system: FileSystem
) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """By location of a package: whether it is declared, and the way of requirements to it."""
    tree = _Tree(packages, system)
    declared = set[int]()
    for each in found.evidence:
        directory = each.path.removesuffix(_FILE)
        if (
            directory == each.path
            or not each.span.visible
            or each.path in owned
            or _INSIDE in f"{directory}/"
        ):
            continue
        names = _names(_document(each, found.notes), _BY_APPLICATIONS)
        declared |= {index for name in names if (index := tree.find(name, directory)) is not None}

    def onwards(node: tuple[int, str]) -> Iterator[tuple[int, str]]:
        package = packages[node[0]]
        for name in package.requires:
            index = tree.find(name, package.directory)
            if index is not None:
                yield index, ""

    reached = reach(
        len(packages),
        roots=[(index, "") for index in sorted(declared)],
        everything=[(index, "") for index in range(len(packages))],
        onwards=onwards,
        options=(),
        label=lambda node: packages[node[0]].owner.name,
        declared=declared,
    )
    return {
        package.location: (each.declared, each.way) for package, each in zip(packages, reached, strict=True)
    }


class _Tree:
    """The packages by where they lie, as Node.js looks for them."""

    def __init__(self, packages: list[Package], system: FileSystem) -> None:
        self._by_directory = {package.directory: index for index, package in enumerate(packages)}
        self._system = system
        self._real: dict[str, str | None] = {}

    def find(self, name: str, directory: str) -> int | None:
        """What a `require` of `name` in `directory` gets: the nearest `node_modules` above that has it."""
        for _ in range(_DEEPEST):
            if not directory.endswith("/node_modules"):
                place = f"{directory}{_INSIDE}{name}"
                index = self._by_directory.get(place)
                if index is not None:
                    return index
                if place in self._system.visible:
                    if place not in self._real:
                        self._real[place] = self._system.resolve(place)
                    return self._by_directory.get(self._real[place] or "")
            if not directory:
                return None
            directory = directory[: directory.rfind("/")]
        return None
