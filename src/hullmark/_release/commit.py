"""The commit that is released, as git tells of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._ci.repository import find_repository
from hullmark.errors import UsageError
from hullmark.model.release import Commit
from hullmark.model.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._process import Commands

OWN = ".hullmark"
"""Where hullmark keeps what it notes about releases; nothing of it is released."""
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>(?!/).+)")
_MOST = 20
"""Changed files that are told."""


def commit_of(root: Path, commands: Commands) -> Commit:
    """The commit that is checked out where the project at `root` lies.

    Raises `UsageError` where there is no repository, or no commit in it.
    """
    repository = find_repository(root, commands)
    if repository.head is None:
        raise UsageError("there is no commit yet that could be released", hint="`git commit`")
    created = repository.ask("show", "--no-patch", "--format=%ct", repository.head).strip()
    status = repository.ask(
        *("status", "--porcelain=v1", "-z", "--untracked-files=all"),
        *("--", ".", f":(exclude,glob)**/{OWN}/**"),
    )
    # Behind a file that was renamed stands the name that it had.
    changed = [each[3:] if each[2:3] == " " else each for each in status.split("\0") if each]
    return Commit(
        revision=repository.head,
        created=int(created),
        tags=tuple(repository.ask("tag", "--points-at", repository.head).split()),
        changed=tuple(sorted(set(changed)))[:_MOST],
        source=_public(repository.run("remote", "get-url", "origin").stdout.strip()),
    )


def tagged_commit(root: Path, commands: Commands, tag: str) -> str | None:
    """The commit that the tag called `tag` leads to; `None` where there is no such tag."""
    found = find_repository(root, commands).run(
        "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}"
    )
    return found.stdout.strip() or None if found.returncode == 0 else None


def version_of(commit: Commit) -> Version:
    """The version that the tags of `commit` name; the latest of several.

    Raises `UsageError` where none of them does.
    """
    found = []
    for tag in commit.tags:
        try:
            found.append(Version.parse(tag))
        except ValueError:
            continue
    if not found:
        there = f"; it has {', '.join(f'`{tag}`' for tag in commit.tags)}" if commit.tags else ""
        raise UsageError(
            f"no tag of the commit {commit.revision[:12]} is a version{there}",
            hint="`git tag v1.4.0`, or name the version: `hullmark release 1.4.0`",
        )
    return max(found, key=lambda each: each.order)


def _public(url: str) -> str | None:
    """Where the repository at `url` is for everybody; nothing where only this machine knows it, and no secrets."""
    if found := _SCP.fullmatch(url):
        return f"https://{found['host']}/{found['path'].removesuffix('.git')}"
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http", "ssh", "git"} or not parts.hostname:
        return None
    port = f":{parts.port}" if parts.port and parts.scheme in {"http", "https"} else ""
    scheme = "http" if parts.scheme == "http" else "https"
    return f"{scheme}://{parts.hostname}{port}{parts.path.removesuffix('/').removesuffix('.git')}"
