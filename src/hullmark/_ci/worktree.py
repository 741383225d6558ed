"""The work tree beside what git has of it: what is new, and what git is told not to look at.

Some of the latter can be compared all the same. What cannot is told, as an image may be built from it.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.model.affected import Uncompared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._ci.repository import Repository

_AS_EXPECTED = "H "
"""How `git ls-files -v` begins the line of a file of which there is nothing else to say."""
_ATTRIBUTES = ".gitattributes"
_FILTERED = re.compile(r"(?m)^[^#\n]*\bfilter=lfs\b")
_SUBMODULE = re.compile(r"(?:^|(?<=\0))160000 [0-9a-f]+ [0-9]\t([^\0]*)\0")
_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins of which Git LFS has not fetched the content."""
_IGNORED = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What git lists of the work tree."""

    untracked: tuple[str, ...]
    """What is new; a directory, which is a repository of its own, ends with a slash."""
    hidden: tuple[str, ...]
    """Files that git is told not to look at, and that are there."""
    absent: tuple[str, ...]
    """Files that a sparse checkout leaves out."""
    attributes: tuple[str, ...]
    """Where attributes of files stand."""


def listed(repository: Repository) -> Listed:
    """What git lists of the work tree of `repository`."""
    told = repository.records("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard")
    untracked, hidden, absent = [], [], []
    for each in told:
        if each.startswith(_AS_EXPECTED):
            continue
        letter, _, path = each.partition(" ")
        if letter == "?":
            untracked.append(path)
        elif letter in "Ss" and not os.path.lexists(f"{repository.top}/{path}"):
            absent.append(path)
        elif letter == "S" or letter.islower():
            hidden.append(path)
    return Listed(
        untracked=tuple(untracked),
        hidden=tuple(hidden),
        absent=tuple(absent),
        attributes=tuple(each[2:] for each in told if each.endswith(_ATTRIBUTES)),
    )


@contextlib.contextmanager
def looking_at(repository: Repository, hidden: Iterable[str]) -> Iterator[Path]:
    """An index by which git looks at the files `hidden` as well; the repository's own stays as it is."""
    import shutil  # noqa: PLC0415  # mostly not needed, as the next
    import tempfile  # noqa: PLC0415

    own = repository.ask("rev-parse", "--git-path", "index").removesuffix("\n")
    told = "".join(f"{path}\0" for path in hidden)
    with tempfile.TemporaryDirectory(prefix="hullmark-", ignore_cleanup_errors=True) as name:
        index = Path(name, "index")
        shutil.copyfile(repository.top / own, index)
        for mark in ("--no-assume-unchanged", "--no-skip-worktree"):
            repository.ask("update-index", mark, "-z", "--stdin", stdin=told, index=index)
        yield index


def has_modes(repository: Repository) -> bool:
    """Whether the file system knows executable files from others, whatever git is told of it."""
    own = f"{repository.top}/.git"
    try:
        # What git writes there is never executable.
        return not os.stat(f"{own}/config" if os.path.isdir(own) else own).st_mode & 0o111  # noqa: PTH112, PTH116
    except OSError:
        return False


def ignored(repository: Repository, below: str = "") -> Iterator[Uncompared]:
    """What there is and git ignores, also in submodules, of which `below` is one, with a slash at the end."""
    there = ("-C", below) if below else ()
    above = None
    for path in repository.records(*there, *_IGNORED):
        if above is not None and path.startswith(above):
            continue  # git lists a directory of which all is ignored, and what is in it once more
        above = path if path.endswith("/") else above
        yield Uncompared(path=f"{below}{path}", why="which git ignores")
    if os.path.lexists(f"{repository.top}/{below}.gitmodules"):
        for path in _SUBMODULE.findall(repository.ask(*there, "ls-files", "-z", "--stage")):
            if os.path.lexists(f"{repository.top}/{below}{path}/.git"):
                yield from ignored(repository, f"{below}{path}/")


def not_as_committed(repository: Repository, found: Listed) -> Iterator[Uncompared]:
    """Files that git takes for what was committed, although something else, or nothing, is there."""
    for path in found.absent:
        yield Uncompared(path=path, why="which a sparse checkout leaves out here")
    if any(_filters(f"{repository.top}/{path}") for path in found.attributes):
        for path in repository.records("ls-files", "-z", "--", ":(attr:filter=lfs)"):
            if _is_pointer(f"{repository.top}/{path}"):
                yield Uncompared(path=path, why="of which only the pointer of Git LFS is here")


def _filters(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return _FILTERED.search(file.read()) is not None
    except OSError:
        return False


def _is_pointer(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False
