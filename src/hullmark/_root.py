"""The directory of a project: what makes one, and where it is from any directory in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What Compose looks for, best first."""
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
CONFIGURATION = ("hullmark.toml", *COMPOSE_FILES)


def find_root(start: Path, named: Path | None = None) -> Path:
    """The directory of the project that `start` belongs to: the nearest one, going up, with a Compose file.

    A `hullmark.toml`, or a `pyproject.toml` with a table for hullmark, makes a project as well. Where there is none,
    it is the directory of `named`, a Compose file that the caller has named.
    Raises `ConfigurationError` when there is none up to the root of the repository or the file system.
    """
    for directory in (start, *start.parents):
        if any((directory / name).is_file() for name in CONFIGURATION) or _configures(directory):
            return directory
        if (directory / ".git").exists():
            break
    if named is not None and named.is_file():
        return named.parent
    raise ConfigurationError(
        [
            f"{named}: does not exist"
            if named
            else f"{start}: no Compose file here or above; expected one of {', '.join(COMPOSE_FILES)}"
        ],
        hint="go to the project's directory, or name it with `hullmark -C DIRECTORY`",
    )


def repository_of(root: Path) -> Path | None:
    """The top of the repository that `root` lies in; `None` where it is in none."""
    root = root.absolute()
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), None)


def below_repository(root: Path) -> str:
    """Where `root` lies in its repository, with forward slashes; empty at the top of it, and without one."""
    root = root.absolute()
    below = root.relative_to(repository_of(root) or root).as_posix()
    return "" if below == "." else below


def name_below(below: str) -> str:
    """What tells a project in the directory `below` of its repository from others there; empty for one at its top."""
    words = re.findall("[a-z0-9]+", below.lower())
    return "-".join(words) or ("project" if below else "")


def _configures(directory: Path) -> bool:
    try:
        return "[tool.hullmark" in (directory / "pyproject.toml").read_text(
            encoding="utf-8", errors="replace"
        )
    except OSError:
        return False
