"""Whether files of a project are among those that changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.affected import Changes

SETTINGS = ("hullmark.toml", "pyproject.toml")
"""Where settings may stand, in the directory of the project."""


def changed_among(paths: Iterable[str], changes: Changes, top: str) -> tuple[str, ...]:
    """Those of the files at `paths` that are changed, relative to the top of the repository, by whatever name."""
    read = {os.path.relpath(own_place(path), top) for path in paths}
    read |= {os.path.relpath(os.path.realpath(path), top) for path in paths}
    found = {path for change in changes.changes for path in change.paths if path in read}
    for change in changes.changes:
        if change.tree:
            found |= {change.path for path in read if path.startswith(f"{change.path}/")}
    return tuple(sorted(found))


def own_place(path: str) -> str:
    """Where the file at `path` is itself, be it a symbolic link or not."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120
