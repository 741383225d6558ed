"""Packages as they are written down, in a baseline and in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hullmark.model.owner import Owner, Package

if TYPE_CHECKING:
    from hullmark.model.owner import OwnerKind


class Written(Protocol):
    """What both of them write of a package."""

    @property
    def kind(self) -> OwnerKind: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def source_version(self) -> str: ...
    @property
    def maintainer(self) -> str: ...
    @property
    def purl(self) -> str: ...
    @property
    def part_of(self) -> tuple[OwnerKind, str, str] | None: ...


def package(written: Written, architecture: str = "") -> Package:
    """The package that is meant."""
    part_of = written.part_of
    return Package(
        owner=Owner(kind=written.kind, name=written.name, version=written.version),
        location=written.location,
        architecture=architecture,
        source=written.source,
        source_version=written.source_version,
        maintainer=written.maintainer,
        purl=written.purl,
        part_of=None if part_of is None else Owner(kind=part_of[0], name=part_of[1], version=part_of[2]),
    )
