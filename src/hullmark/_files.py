"""Writing a file so that it holds the whole or is left as it was."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Where hullmark keeps what it has worked out, for the user whose environment that is.

    HULLMARK_CACHE_DIR, else below XDG_CACHE_HOME or `~/.cache`; `None` where there is no home.
    """
    return _directory(environ, "CACHE", ".cache")


def data_directory(environ: Mapping[str, str]) -> Path | None:
    """Where hullmark keeps what cannot be worked out again, for the user whose environment that is.

    HULLMARK_DATA_DIR, else below XDG_DATA_HOME or `~/.local/share`; `None` where there is no home.
    """
    return _directory(environ, "DATA", ".local/share")


def _directory(environ: Mapping[str, str], kind: str, usual: str) -> Path | None:
    if own := environ.get(f"HULLMARK_{kind}_DIR"):
        return Path(own)
    base = environ.get(f"XDG_{kind}_HOME", "")
    # A relative one is to be ignored, says the specification of these directories.
    if base.startswith("/"):
        return Path(base) / "hullmark"
    home = environ.get("HOME", "")
    return Path(home) / usual / "hullmark" if home.startswith("/") else None


def write_whole(path: Path, content: bytes, *, what: str, private: bool = False) -> None:
    """Writes `content` to `path`, making the directories above it; a reader never sees a part.

    A file that is there already keeps its mode and, where that is allowed, its owner; of a symbolic link the target is
    written. A pipe or a device is written to and stays what it is. A new file that is `private` can be read by its owner only.
    Raises `Unavailable`, calling the file `what`, when
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
        if private:
            temporary.touch(mode=0o600)
        temporary.write_bytes(content)
        _take_after(target, temporary)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise Unavailable(f"{what} cannot be written to {path}: {error.strerror}") from error


def refusal(path: Path) -> str | None:
    """Why `write_whole` could not write to `path`, as far as one can tell before trying; `None` where nothing says so."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        return "it is a directory"
    if target.exists() and not target.is_file():
        return None
    above = next(each for each in target.parents if each.exists())
    if not above.is_dir():
        return f"{above} is no directory"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"{above} may not be written to"
    return None


def _take_after(path: Path, temporary: Path) -> None:
    """Gives `temporary` the owner and the mode of the file at `path`, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        with contextlib.suppress(PermissionError):
            os.chown(temporary, found.st_uid, found.st_gid)
        temporary.chmod(stat.S_IMODE(found.st_mode))
