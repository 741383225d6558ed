"""Writing a file so that it holds the whole or is left as it was."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: bytes, *, what: str) -> None:
    """Writes `content` to `path`, making the directories above it; a reader never sees a part.

    Raises `Unavailable`, calling the file `what`, when that cannot be done; then the file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Unavailable(f"{what} cannot be written to {path}: {error.strerror}") from error
