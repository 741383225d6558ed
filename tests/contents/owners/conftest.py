"""Images made of literals, with everything kept that tells of packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import PackageCapture
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership, Package


class Owned:
    """A file system and whose its files are."""

    def __init__(self, system: FileSystem, platform: str) -> None:
        self.system = system
        self.ownership: Ownership = find_owners(system, platform)
        self.notes = self.ownership.notes

    def owner(self, path: str) -> str:
        """Kind and name of who has what is visible at `path`."""
        owner = self.ownership.of(self.system.visible[path])
        assert owner is not None
        return f"{owner.kind}:{owner}"

    def masked(self, path: str) -> list[str]:
        """The same for what was at `path`, from the bottom up."""
        owners = [
            self.ownership.of(each.number)
            for each in self.system.masked()
            if self.system.path(each.number) == path
        ]
        return [f"{owner.kind}:{owner}" for owner in owners if owner is not None]

    def package(self, name: str) -> Package:
        """The one package of that name."""
        [package] = [each for each in self.ownership.packages if each.owner.name == name]
        return package


class Own(Protocol):
    """Layers to owners.

    A layer is a mapping of paths to contents; `None` is a whiteout, a path with a slash at its end a directory, and a
    content of `-> x` a symbolic and of `= x` a hard link to `x`.
    """

    def __call__(self, *layers: Mapping[str, str | bytes | None], platform: str = "linux/amd64") -> Owned: ...


@pytest.fixture(scope="session")
def own() -> Own:
    """Finds the owners in layers made of literals."""

    def owned(*layers: Mapping[str, str | bytes | None], platform: str = "linux/amd64") -> Owned:
        return Owned(overlay([_layer(number, files) for number, files in enumerate(layers)]), platform)

    return owned


def _layer(number: int, files: Mapping[str, str | bytes | None]) -> Layer:
    capture = PackageCapture()
    entries, captured = [], {}
    for path, given in files.items():
        content = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
        if content is None:
            entries.append(Entry(path=path, kind=Kind.WHITEOUT))
        elif path.endswith("/"):
            entries.append(Entry(path=path.rstrip("/"), kind=Kind.DIRECTORY))
        elif content.startswith(b"-> "):
            entries.append(Entry(path=path, kind=Kind.SYMLINK, link=content[3:].decode()))
        elif content.startswith(b"= "):
            entries.append(Entry(path=path, kind=Kind.HARDLINK, link=content[2:].decode()))
        else:
            entries.append(Entry(path=path, kind=Kind.FILE, size=len(content)))
            if capture.wants(path, len(content), 0o644):
                kept = capture.take(path, memoryview(content))
                if kept is not None:
                    captured[path] = kept
    return Layer(
        diff_id=DiffId.parse(f"sha256:{number:064x}"), table=FileTable.of(entries), captured=captured
    )
