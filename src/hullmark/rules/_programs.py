"""Programs that a shell in a container of the image finds; two rules share this."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.owner import OwnerKind
from hullmark.model.size import format_size
from hullmark.model.table import Kind

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.attribution import Origin

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_EXECUTE = 0o111


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One program, or several of one package."""

    name: str
    """The package, where one owns it; otherwise the program."""
    path: str
    """Where the first of its programs is found."""
    text: str
    """All of it for a message."""
    origin: Origin
    """What wrote it."""


def programs(anatomy: Anatomy, pattern: re.Pattern[str]) -> Iterator[Left]:
    """The executable files in the image's PATH whose name is `pattern`, those of one package together."""
    files, ownership = anatomy.files, anatomy.ownership
    directories = dict(anatomy.image.configuration.environment).get("PATH") or _PATH
    found: dict[tuple[str, str], list[str]] = {}
    for directory in dict.fromkeys(filter(None, map(files.resolve, directories.split(":")))):
        for path in sorted(files.listing(directory)):
            if not pattern.fullmatch(posixpath.basename(path)):
                continue
            real = files.resolve(path)
            number = None if real is None else files.visible.get(real)
            if number is None or not _is_program(anatomy, number):
                continue
            owner = ownership.of(number)
            packaged = owner is not None and owner.kind is not OwnerKind.DIRECTORY
            key = (
                (owner.kind, owner.name) if owner is not None and packaged else ("", posixpath.basename(path))
            )
            found.setdefault(key, []).append(path)
    sizes = {(each.owner.kind, each.owner.name): each for each in anatomy.owners if each.files}
    for (kind, name), paths in sorted(found.items()):
        shown = ", ".join(f"`{path}`" for path in paths)
        space = next((each for key, each in sizes.items() if key == (kind, name)), None)
        of = "" if space is None else f" of {space.owner} ({format_size(space.bytes)})"
        origin = anatomy.attribution.origin(*files.place(files.visible[paths[0]]))
        yield Left(name=name, path=paths[0], text=f"{shown}{of}", origin=origin)


def _is_program(anatomy: Anatomy, number: int) -> bool:
    inode = anatomy.files.inode(number)
    layer, row = anatomy.files.place(inode)
    mode = anatomy.files.layers[layer].table.modes[row]
    return anatomy.files.kinds[inode] == Kind.FILE and mode & _EXECUTE != 0
