"""The secrets in the layers of an image: who gets to see each, and which of them everybody has anyway."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hullmark._contents.credentials import kept_of, rows_of
from hullmark._secrets.catalogue import catalogue
from hullmark._secrets.recorded import NAMED
from hullmark._secrets.stream import decode
from hullmark.model.owner import OwnerKind
from hullmark.model.secret import Likeness, Scan, Secret, Whereabouts
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._secrets.stream import Found, Kept
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
        if layer.scanned is None:
            continue
        found = decode(layer.scanned)
        dropped += found.dropped
        named = list(_named(layer, found))
        if (found.secrets or named) and alive is None:
            alive = {files.inode(number) for number in files.visible.values()}
        for secret in _of_layer(files, ownership, index, [*_told(found), *named], alive or set()):
            (secrets if secret.package is None else packaged).append(secret)
    return Scan(secrets=tuple(secrets), packaged=tuple(packaged), archives=archives, dropped=dropped)


def _of_layer(
    files: FileSystem,
    ownership: Ownership,
    index: int,
    found: list[tuple[int, int, Likeness]],
    alive: set[int],
) -> Iterator[Secret]:
    layer = files.layers[index]
    for row, offset, likeness in sorted(found, key=lambda each: each[:2]):
        number = files.starts[index] + row
        path = files.path(number)
        yield Secret(
            likeness=likeness,
            whereabouts=Whereabouts.VISIBLE if number in alive else Whereabouts.BURIED,
            layer=index,
            row=row,
            path=path,
            offset=offset,
            package=_package(layer, path, ownership.of(number)),
        )


def _told(found: Found) -> Iterator[tuple[int, int, Likeness]]:
    """Row, offset and likeness of what a `SecretScanner` found."""
    words = _words()
    for each in found.secrets:
        what = words.get(each.format, each.format)
        likeness = Likeness(format=each.format, what=what, shown=each.shown, hash=each.hash)
        yield each.row, each.offset, likeness


def _named(layer: Layer, found: Found) -> Iterator[tuple[int, int, Likeness]]:
    """The same of the secrets in files that are there to hold some, as far as they are not among those."""
    kept = kept_of(layer)
    if not kept:
        return
    there: dict[int, list[Kept]] = {}
    for each in found.secrets:
        there.setdefault(each.row, []).append(each)
    for path, row in rows_of(layer, kept).items():
        told = there.get(row, [])
        for secret in kept[path][1]:
            known = any(each.hash == secret.hash or secret.begin <= each.offset < secret.end for each in told)
            if not known:
                likeness = Likeness(format=NAMED, what=secret.what, shown=secret.shown, hash=secret.hash)
                yield row, secret.begin, likeness


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
