"""What of git is checked out, so that a record says what it was measured of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.repository import find_repository
from hullmark.errors import CommandFailed, Unavailable, UsageError
from hullmark.model.history import Checkout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._process import Commands

_BRANCHES = (
    *("GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
    *("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH"),
)
"""Where CI systems, which check a commit out and no branch, say which branch it is of; the more exact ones first."""


def checkout_of(root: Path, commands: Commands, environ: Mapping[str, str]) -> Checkout:
    """What is checked out in `root`; nothing where there is no repository or no git."""
    try:
        repository = find_repository(root, commands)
        if repository.head is None:
            return Checkout()
        named = repository.run("symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()
        # As `git describe --dirty` does it: reports and other files that are not known to git are no change.
        changed = repository.ask("status", "--porcelain", "--untracked-files=no").strip()
    except (CommandFailed, Unavailable, UsageError):
        return Checkout()
    told = next((environ[name] for name in _BRANCHES if environ.get(name)), None)
    return Checkout(commit=repository.head, branch=named or told, dirty=bool(changed))
