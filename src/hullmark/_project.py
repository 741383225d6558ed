"""From the directory that a command is started in to the project's root and its settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._root import find_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.project import Settings


def root_and_settings(
    directory: Path, environ: Mapping[str, str], flags: Mapping[str, str]
) -> tuple[Path, Settings]:
    """The root of the project that `directory` belongs to, and what is configured there.

    Raises `ConfigurationError` when there is none, or its configuration cannot be used.
    """
    from hullmark._settings import load_settings  # noqa: PLC0415  # who has a plan of the project needs no settings

    flags = from_the_root(directory, flags)
    root = root_of(directory, flags)
    return root, load_settings(root, environ, flags)


def root_of(directory: Path, flags: Mapping[str, str]) -> Path:
    """The root of the project that `directory` belongs to; the paths in `flags` are absolute.

    Raises `ConfigurationError` when there is none.
    """
    named = flags.get("project.compose")
    return find_root(directory, Path(named.partition(",")[0]) if named else None)


def from_the_root(directory: Path, flags: Mapping[str, str]) -> dict[str, str]:
    """`flags` with the paths of Compose files in them absolute.

    A path on the command line starts where the caller is, one in `hullmark.toml` where that file is.
    """
    found = dict(flags)
    if named := found.get("project.compose"):
        files = (os.path.abspath(directory / name) for name in named.split(","))  # noqa: PTH100  # keeps symlinks
        found["project.compose"] = ",".join(files)
    return found
