"""The secrets in the layers of an image: who gets to see each, and which of them everybody has anyway."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hullmark._secrets.catalogue import catalogue
from hullmark._secrets.stream import decode
from hullmark.model.owner import OwnerKind
from hullmark.model.secret import Likeness, Scan, Secret, Whereabouts
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._secrets.stream import Found
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import Layer
    from hullmark.model.owner import Owner, Ownership

_PACKED = (
    *(".zip", ".jar", ".war", ".ear", ".whl", ".egg", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"),
    *(".deb", ".rpm", ".apk"),
)
_DATABASES = (
    *("/var/lib/dpkg/", "/lib/apk/db/", "/usr/lib/apk/db/"),
    *("/var/lib/rpm/", "/usr/lib/sysimage/rpm/"),
)
_DESCRIPTIONS = ("/RECORD", "/METADATA", "/PKG-INFO", ".egg-info")
_MODULE = re.compile(r".*/node_modules/(?:@[^/]+/)?[^/]+", re.DOTALL)
_INSTALLED = re.compile(r"/(?:site|dist)-packages/")
_SETTINGS = "/etc/"
"""What lies here belongs to a package and is everybody's own all the same."""


def find_secrets(files: FileSystem, ownership: Ownership) -> Scan:
    """All secrets of all layers, also of what later layers hide.

    The layers have to be read with a `SecretScanner`.
    """
    secrets: list[Secret] = []
    packaged: list[Secret] = []
    dropped = archives = 0
    alive: set[int] | None = None
    for index, layer in enumerate(files.layers):
        archives += sum(
            path.endswith(_PACKED) and layer.table.kinds[row] == Kind.FILE
            for row, path in enumerate(layer.table.paths)
        )
        found = None if layer.scanned is None else decode(layer.scanned)
        if found is None:
            continue
        dropped += found.dropped
        if found.secrets and alive is None:
            alive = {files.inode(number) for number in files.visible.values()}
        for secret in _of_layer(files, ownership, index, found, alive or set()):
            (secrets if secret.package is None else packaged).append(secret)
    return Scan(secrets=tuple(secrets), packaged=tuple(packaged), archives=archives, dropped=dropped)


def _of_layer(
    files: FileSystem, ownership: Ownership, index: int, found: Found, alive: set[int]
) -> Iterator[Secret]:
    layer = files.layers[index]
    words = _words()
    for each in found.secrets:
        number = files.starts[index] + each.row
        path = files.path(number)
        yield Secret(
            likeness=Likeness(
                format=each.format, what=words.get(each.format, each.format), shown=each.shown, hash=each.hash
            ),
            whereabouts=Whereabouts.VISIBLE if number in alive else Whereabouts.BURIED,
            layer=index,
            row=each.row,
            path=path,
            offset=each.offset,
            package=_package(layer, path, ownership.of(number)),
        )


@cache
def _words() -> dict[str, str]:
    return {detector.id: detector.what for detector in catalogue()}


def _package(layer: Layer, path: str, owner: Owner | None) -> Owner | None:
    """The package that brought the file, unless that is the application itself, or somebody wrote it anew.

    A package and what describes it come in one layer; a file that lies in another was put there by somebody else.
    """
    if owner is None or owner.kind is OwnerKind.DIRECTORY:
        return None
    paths = layer.table.paths
    if owner.kind.distribution:
        brought = not path.startswith(_SETTINGS) and any(each.startswith(_DATABASES) for each in paths)
    elif owner.kind is OwnerKind.PYTHON:
        brought = _INSTALLED.search(path) is not None and any(each.endswith(_DESCRIPTIONS) for each in paths)
    elif owner.kind is OwnerKind.NPM:
        module = _MODULE.match(path)
        brought = module is not None and f"{module[0]}/package.json" in set(paths)
    else:
        brought = False
    return owner if brought else None
