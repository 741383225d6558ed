"""From the directory that a command is started in to the project's root and its settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._compose import find_root
from hullmark._settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.project import Settings


def root_and_settings(
    directory: Path, environ: Mapping[str, str], flags: Mapping[str, str]
) -> tuple[Path, Settings]:
    """The root of the project that `directory` belongs to, and what is configured there.

    Raises `ConfigurationError` when there is none, or its configuration cannot be used.
    """
    flags = dict(flags)
    if not (named := flags.get("project.compose")):
        root = find_root(directory)
        return root, load_settings(root, environ, flags)
    # A path on the command line starts where the caller is, one in `hullmark.toml` where that file is.
    files = [os.path.abspath(directory / name) for name in named.split(",")]  # noqa: PTH100  # keeps symlinks
    flags["project.compose"] = ",".join(files)
    root = find_root(directory, Path(files[0]))
    return root, load_settings(root, environ, flags)
