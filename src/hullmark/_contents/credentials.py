"""Files of the layers of an image that are there to hold keys and credentials, and do; the secrets are kept nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hullmark._secrets.credential_files import credential_in, is_meant_for_credentials
from hullmark._secrets.named_files import Named, named_secrets
from hullmark._secrets.variables import is_environment_file
from hullmark.model.credential import Credential
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import Layer
    from hullmark.model.owner import Owner, Ownership

_LARGEST = 1 << 20
_KEPT = b"\0credential\0"
"""Begins what is kept of a file: no file that others keep whole begins like this."""
# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(tuple[str | None, tuple[Named, ...]])


class CredentialCapture:
    """Keeps of files that hold private keys or credentials what kind that is, and of passwords what is shown of them."""

    name = "credentials/3"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether files of that name are where keys and credentials are put."""
        return size <= _LARGEST and _is_wanted(path)

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What the file is in words, `None` when there is no secret in it."""
        # Others offer their files here as well.
        if len(content) > _LARGEST or not _is_wanted(path):
            return None
        raw = bytes(content)
        what = credential_in(path, raw) if is_meant_for_credentials(path) else None
        secrets = tuple(named_secrets(path, raw))
        return _KEPT + msgspec.msgpack.encode((what, secrets)) if what or secrets else None


def _is_wanted(path: str) -> bool:
    return is_meant_for_credentials(path) or is_environment_file(path)


def kept_of(layer: Layer) -> dict[str, tuple[str | None, tuple[Named, ...]]]:
    """What a `CredentialCapture` kept of the files of `layer`: what each holds in words, and the secrets in it."""
    return {
        path: _DECODER.decode(data[len(_KEPT) :])
        for path, data in layer.captured.items()
        if data.startswith(_KEPT)
    }


def rows_of(layer: Layer, kept: Collection[str]) -> dict[str, int]:
    """The row of each of the files at the paths in `kept`; where an archive has a path twice the later one counts."""
    return {
        path: row
        for row, path in enumerate(layer.table.paths)
        if path in kept and layer.table.kinds[row] == Kind.FILE
    }


def find_credentials(files: FileSystem, ownership: Ownership) -> tuple[Credential, ...]:
    """Every file of every layer, also of what later layers hide, that holds a key or a credential.

    The layers have to be read with a `CredentialCapture`.
    """
    return tuple(_found(files, ownership))


def _found(files: FileSystem, ownership: Ownership) -> Iterator[Credential]:
    alive: set[int] | None = None
    for index, layer in enumerate(files.layers):
        kept = {path: what for path, (what, _) in kept_of(layer).items() if what is not None}
        if not kept:
            continue
        if alive is None:
            alive = {files.inode(number) for number in files.visible.values()}
        for path, row in rows_of(layer, kept).items():
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
