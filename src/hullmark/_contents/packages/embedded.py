"""Packages that nobody installed: they are in programs and archives, which say so themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.digest import DiffId
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A file that can be seen and holds software."""

    path: str
    content: bytes
    """What was kept of it."""
    layer: DiffId
    part_of: Owner | None
    """The package that brought the file."""

    def package(
        self, kind: OwnerKind, name: str, version: str, *, inside: str = "", declared: bool = False
    ) -> Package:
        """A package in the file; `inside` says where, for a file that has several in it."""
        return Package(
            owner=Owner(kind=kind, name=name, version=version),
            location=f"{self.path}!/{inside}" if inside else self.path,
            declared=declared,
            part_of=self.part_of,
            layer=self.layer,
        )


def holders(system: FileSystem, ownership: Ownership, beginnings: tuple[bytes, ...]) -> Iterator[Holder]:
    """Every file that can be seen and of which something was kept that begins so; one with several names once."""
    links: dict[int, int] | None = None
    for position, layer in enumerate(system.layers):
        kept = {path: each for path, each in layer.captured.items() if each.startswith(beginnings)}
        if not kept:
            continue
        start = system.starts[position]
        for row, path in enumerate(layer.table.paths):
            if path not in kept or layer.table.kinds[row] != Kind.FILE:
                continue
            number = start + row
            if system.hidden_by[number] >= 0:
                # Its content may still have another name.
                links = _visible_links(system) if links is None else links
                number = links.get(number, -1)
            if number < 0 or system.visible.get(system.path(number)) != number:
                continue
            owner = ownership.of(number)
            yield Holder(
                path=system.path(number),
                content=kept[path],
                layer=layer.diff_id,
                part_of=None if owner is None or owner.kind is OwnerKind.DIRECTORY else owner,
            )


def _visible_links(system: FileSystem) -> dict[int, int]:
    """By number of a file: a hard link to it that can be seen."""
    return {inode: number for number, inode in system.inodes.items() if system.hidden_by[number] < 0}
