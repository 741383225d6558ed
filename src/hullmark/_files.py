"""Writing a file so that it holds the whole or is left as it was."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from hullmark.errors import Unavailable


def write_whole(path: Path, content: bytes, *, what: str) -> None:
    """Writes `content` to `path`, making the directories above it; a reader never sees a part.

    A file that is there already keeps its mode and, where that is allowed, its owner; of a symbolic link the target is
    written. A pipe or a device is written to and stays what it is. Raises `Unavailable`, calling the file `what`, when
    that cannot be done; then a file is as it was.
    """
    temporary = None
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_bytes(content)
        _take_after(target, temporary)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise Unavailable(f"{what} cannot be written to {path}: {error.strerror}") from error


def _take_after(path: Path, temporary: Path) -> None:
    """Gives `temporary` the owner and the mode of the file at `path`, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        with contextlib.suppress(PermissionError):
            os.chown(temporary, found.st_uid, found.st_gid)
        temporary.chmod(stat.S_IMODE(found.st_mode))
