"""Files of the layers of an image that are there to hold keys and credentials, and do; the secrets are kept nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.credential_files import credential_in, is_meant_for_credentials
from hullmark.model.credential import Credential
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Owner, Ownership

_LARGEST = 1 << 20
_KEPT = b"\0credential\0"
"""Begins what is kept of a file: no file that others keep whole begins like this."""


class CredentialCapture:
    """Keeps of files that hold private keys or credentials what kind that is, and nothing of the secret."""

    name = "credentials/2"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether files of that name are where keys and credentials are put."""
        return size <= _LARGEST and is_meant_for_credentials(path)

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What the file is in words, `None` when there is no secret in it."""
        # Others offer their files here as well.
        if len(content) > _LARGEST or not is_meant_for_credentials(path):
            return None
        what = credential_in(path, bytes(content))
        return None if what is None else _KEPT + what.encode()


def find_credentials(files: FileSystem, ownership: Ownership) -> tuple[Credential, ...]:
    """Every file of every layer, also of what later layers hide, that holds a key or a credential.

    The layers have to be read with a `CredentialCapture`.
    """
    return tuple(_found(files, ownership))


def _found(files: FileSystem, ownership: Ownership) -> Iterator[Credential]:
    alive: set[int] | None = None
    for index, layer in enumerate(files.layers):
        kept = {
            path: data[len(_KEPT) :].decode()
            for path, data in layer.captured.items()
            if data.startswith(_KEPT)
        }
        if not kept:
            continue
        table = layer.table
        # Where an archive has a path twice the later one counts.
        rows = {
            path: row
            for row, path in enumerate(table.paths)
            if path in kept and table.kinds[row] == Kind.FILE
        }
        if alive is None:
            alive = {files.inode(number) for number in files.visible.values()}
        for path, row in rows.items():
            number = files.starts[index] + row
            yield Credential(
                layer=index,
                row=row,
                path=path,
                what=kept[path],
                visible=number in alive,
                package=_package(path, ownership.of(number)),
            )


def _package(path: str, owner: Owner | None) -> Owner | None:
    """The package that brought the file, unless that is the application itself."""
    if owner is None or owner.kind is OwnerKind.DIRECTORY:
        return None
    if owner.kind is OwnerKind.NPM and "/node_modules/" not in path:
        return None
    if owner.kind is OwnerKind.PYTHON and not re.search("/(?:site|dist)-packages/", path):
        return None
    return owner
