"""Whose the files of an image are: packages of the distribution, of Python and of Node.js, or nobody's."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from hullmark.model.attribution import Origin
    from hullmark.model.digest import DiffId

_STEPS = 3
"""Packages that are named of a way through requirements."""


class OwnerKind(enum.StrEnum):
    """What kind of thing a file belongs to."""

    DPKG = "dpkg"
    APK = "apk"
    RPM = "rpm"
    PYTHON = "python"
    NPM = "npm"
    GO = "go"
    """A module that a program of Go was built from. These and the following are packages that nobody installed: they
    are told of by the files that they are in, which go by directory."""
    JAVA = "java"
    """What an archive of Java holds; the name is `group:artifact`, or the artifact alone where nothing says more."""
    RUST = "rust"
    """A crate that a program of Rust was built from."""
    RUNTIME = "runtime"
    """An interpreter that no package brought: `python` or `node`."""
    DIRECTORY = "directory"
    """No package: what lies in one directory of the root is taken together."""

    @property
    def distribution(self) -> bool:
        """Whether it is a package of the operating system's distribution."""
        return self in {OwnerKind.DPKG, OwnerKind.APK, OwnerKind.RPM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What a file belongs to; equal for a package that is there several times in one version."""

    kind: OwnerKind
    name: str
    """Of the package as its database writes it; of a directory its path."""
    version: str = ""
    """As its database writes it; empty for directories, and where the database does not say."""

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """By kind, name and version."""
        return self.kind, self.name, self.version

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package in the final file system, with what a list of vulnerabilities is asked by."""

    owner: Owner
    location: str
    """The path of the file that describes it."""
    directory: str = ""
    """Of an npm package where it lies, of a Python distribution the directory that its modules lie in."""
    architecture: str = ""
    source: str = ""
    """Name of the source package that it was built from: Debian's source, the origin of apk, the source RPM. The
    package's own name where its database does not say otherwise; empty for Python and npm."""
    source_version: str = ""
    """Of that source package; it differs from the package's own where the distribution numbers them apart."""
    maintainer: str = ""
    """Who made the package, as it says itself."""
    requires: tuple[str, ...] = ()
    """What a Python or npm package requires, in its own words."""
    declared: bool = False
    """Whether somebody asked for it by name: the application's own files, or whoever installed it."""
    why: tuple[str, ...] = ()
    """The shortest way from a package that is declared, or that nobody requires, to this one, as names; it ends with
    its own. For Python and npm only. An extra that leads on stands in brackets, as in `uvicorn[standard]`."""
    part_of: Owner | None = None
    """The package that it came in, and that its files are counted for: an apt package for Python software, or the
    distribution that has it vendored."""
    layer: DiffId | None = None
    """The layer that brought it in this version. Databases are written anew by every layer that adds to them: what
    counts is when it was in one first, and there from then on."""
    origin: Origin | None = None
    """What wrote it into that layer; set in an `Inventory`."""
    purl: str = ""
    """Its package URL; set in an `Inventory`, since it names the distribution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ownership:
    """The owner of every file of an image, visible or not."""

    owners: tuple[Owner, ...]
    """By kind, name and version."""
    rows: array[int]
    """By number of the entry (see `hullmark.model.filesystem`): the position of its owner in `owners`; -1 for
    directories and whiteouts."""
    packages: tuple[Package, ...]
    """By owner, then by location."""
    notes: tuple[str, ...]
    """What could not be read, and so is not in `packages`; a sentence each."""

    def of(self, number: int) -> Owner | None:
        """The owner of an entry; `None` for directories and whiteouts."""
        position = self.rows[number]
        return None if position < 0 else self.owners[position]

    def ways(self) -> dict[Owner, tuple[str, ...]]:
        """The shortest `Package.why` of every owner that has one."""
        found: dict[Owner, tuple[str, ...]] = {}
        for package in self.packages:
            if package.part_of is None and package.why:
                known = found.get(package.owner)
                if known is None or len(package.why) < len(known):
                    found[package.owner] = package.why
        return found


def required(why: Sequence[str]) -> str:
    """` for app -> lib`, of what stands in `Package.why`: who requires it, back to the one that somebody asked for.

    Empty where nobody does. Of a long way its ends are named.
    """
    steps = why[:-1]
    told = steps if len(steps) <= _STEPS else (steps[0], "...", steps[-1])
    return f" for {' -> '.join(told)}" if steps else ""
