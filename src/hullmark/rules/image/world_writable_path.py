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

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.model.table import Kind

_OTHERS_WRITE = 0o002
_STICKY = 0o1000
_SHARED = frozenset({"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/lock"})  # noqa: S108  # names, not files


@rule(summary="everybody may write to it", severity=Severity.WARNING, since="0.1")
def world_writable_path(shipped: ShippedImage) -> Iterator[Observation]:
    files = shipped.anatomy.files
    directories: dict[str, int] = {}
    others: dict[str, list[str]] = {}
    modes: dict[str, int] = {}
    for path, number in sorted(files.visible.items()):
        inode = files.inode(number)
        kind = files.kinds[inode]
        layer, row = files.place(inode)
        mode = files.layers[layer].table.modes[row]
        if not mode & _OTHERS_WRITE or path in _SHARED or path.startswith("/dev/"):
            continue
        if kind == Kind.DIRECTORY and not mode & _STICKY:
            modes[path] = mode
            above = _above(path, directories)
            directories[above or path] = directories.get(above, -1) + 1 if above else 0
        elif kind == Kind.FILE and not (path.endswith(".lock") and not files.sizes[inode]):
            modes[path] = mode
            above = _above(path, directories)
            if above:
                directories[above] += 1
            else:
                others.setdefault(posixpath.dirname(path), []).append(path)
    for path, below in directories.items():
        yield _observation(shipped, path, modes[path], below, "below it")
    for paths in others.values():
        yield _observation(shipped, paths[0], modes[paths[0]], len(paths) - 1, "in the same directory")


def _above(path: str, directories: dict[str, int]) -> str:
    """The directory above that is reported already, empty where none is."""
    parent = posixpath.dirname(path)
    while parent != "/":
        if parent in directories:
            return parent
        parent = posixpath.dirname(parent)
    return ""


def _observation(shipped: ShippedImage, path: str, mode: int, others: int, where: str) -> Observation:
    files = shipped.anatomy.files
    more = f", and {others:,} {'path' if others == 1 else 'paths'} {where}" if others else ""
    return Observation(
        location=ImagePath(
            image=shipped.image.reference, path=path, layer=files.layer_of(files.visible[path])
        ),
        seen=f"`{path}` (mode {mode:04o}){more}",
        expected="files that only their owner and group may write to",
        remedy=f"`chmod o-w {path}` in the stage that brings it, or give it to its user with `--chown`",
        key=path,
    )
