"""File or directory that everybody may write to.

What it checks
    The modes in the final file system: files that others may write to, and directories that others may write to and
    that have no sticky bit. `/tmp`, `/var/tmp`, `/dev/shm` and what is below `/dev` are left alone, and so are empty
    lock files (`.lock`, `*.lock`). What lies in a directory that is reported is counted there.

Why it matters
    Whoever gets to run anything in the container can replace what others run. `chmod -R 777` is mostly a remedy for a
    user who owns nothing.

How to fix
    Give the files to the user who has to write them:

        COPY --chown=app:app . /app
        RUN install -d -o app -g app -m 0750 /app/data
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.model.table import Kind
from hullmark.rules._modes import setter, with_mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.rules._modes import Moded

_OTHERS_WRITE = 0o002
_STICKY = 0o1000
_SHARED = frozenset({"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/lock"})  # noqa: S108  # names, not files


@rule(summary="everybody may write to it", severity=Severity.WARNING, since="0.1")
def world_writable_path(shipped: ShippedImage) -> Iterator[Observation]:
    directories: dict[str, list[Moded]] = {}
    others: dict[str, list[Moded]] = {}
    # In the order of paths, so that a directory comes before what is in it.
    for found in with_mode(shipped.anatomy.files, _OTHERS_WRITE):
        if found.path in _SHARED or found.path.startswith("/dev/") or not _is_open(found):
            continue
        above = _above(found.path, directories)
        if above:
            directories[above].append(found)
        elif found.kind is Kind.DIRECTORY:
            directories[found.path] = [found]
        else:
            others.setdefault(posixpath.dirname(found.path), []).append(found)
    for first, *rest in directories.values():
        yield _observation(shipped, first, len(rest), "below it")
    for first, *rest in others.values():
        yield _observation(shipped, first, len(rest), "in the same directory")


def _is_open(found: Moded) -> bool:
    if found.kind is Kind.DIRECTORY:
        return not found.mode & _STICKY
    return found.kind is Kind.FILE and not (found.path.endswith(".lock") and not found.size)


def _above(path: str, directories: Mapping[str, object]) -> str:
    """The directory above that is reported already, empty where none is."""
    parent = posixpath.dirname(path)
    while parent != "/":
        if parent in directories:
            return parent
        parent = posixpath.dirname(parent)
    return ""


def _observation(shipped: ShippedImage, found: Moded, others: int, where: str) -> Observation:
    more = f", and {others:,} {'path' if others == 1 else 'paths'} {where}" if others else ""
    return Observation(
        location=ImagePath(image=shipped.image.reference, path=found.path, layer=found.layer),
        seen=f"`{found.path}` (mode {found.mode:04o}){more}",
        expected="files that only their owner and group may write to",
        remedy=f"`chmod o-w {found.path}` in the stage that brings it, or give it to its user with `--chown`",
        key=found.path,
        origin=setter(shipped.anatomy, found),
    )
