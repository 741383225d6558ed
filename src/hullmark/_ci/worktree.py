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
_DIRECTORIES = ("--directory", "--no-empty-directory")
"""A directory in which git has nothing is told of as one."""
_IGNORED = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
_WHY_IGNORED = "which git ignores"
_LONGEST = 100_000
"""Characters of names that are handed to git."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What git lists of the work tree."""

    untracked: tuple[str, ...]
    """What is new; a directory, which is a repository of its own, ends with a slash."""
    ignored: tuple[Uncompared, ...]
    """What is there and git ignores."""
    hidden: tuple[str, ...]
    """Files that git is told not to look at, and that are there."""
    absent: tuple[str, ...]
    """Files that a sparse checkout leaves out."""
    attributes: tuple[str, ...]
    """Where attributes of files stand."""


def listed(repository: Repository) -> Listed:
    """What git lists of the work tree of `repository`."""
    told = repository.records("ls-files", "-z", "-v", "--cached", "--others", *_DIRECTORIES)
    others, hidden, absent = [], [], []
    for each in told:
        if each.startswith(_AS_EXPECTED):
            continue
        letter, _, path = each.partition(" ")
        if letter == "?":
            others.append(path)
        elif letter in "Ss" and not os.path.lexists(f"{repository.top}/{path}"):
            absent.append(path)
        elif letter == "S" or letter.islower():
            hidden.append(path)
    untracked, not_looked_at = _told_apart(repository, others)
    return Listed(
        untracked=tuple(untracked),
        ignored=tuple(Uncompared(path=path, why=_WHY_IGNORED) for path in not_looked_at),
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


def _told_apart(repository: Repository, others: list[str]) -> tuple[list[str], list[str]]:
    """Of what git does not have: what is new, and what it ignores.

    That there is anything is told without a look at what is ignored, which takes git longer.
    """
    if not others:
        return [], []
    names = [each.rstrip("/") for each in others]
    only = ("--", *names) if sum(map(len, names)) < _LONGEST else ()
    untracked = repository.records(
        "--literal-pathspecs", "ls-files", "-z", "--others", "--exclude-standard", *only
    )
    new = set(untracked)
    # Of a directory a part may be new.
    parts = {f"{above}/" for each in untracked for above in _above(each)}
    mixed = [each for each in others if each not in new and each in parts]
    found = [each for each in others if each not in new and each not in parts]
    if mixed:
        top = [each.rstrip("/") for each in mixed]
        # Told of as directories, what is ignored in one that is new would be left out.
        found += repository.records("--literal-pathspecs", *_IGNORED, "--", *top)
    return untracked, found


def _above(path: str) -> Iterator[str]:
    """The directories that `path` is in."""
    while (path := path.rstrip("/").rpartition("/")[0]) != "":
        yield path


def _outermost(paths: Iterable[str]) -> Iterator[str]:
    """`paths` without what is in one of them: git lists a directory of which all is ignored, and what is in it."""
    above = None
    for path in paths:
        if above is None or not path.startswith(above):
            above = path if path.endswith("/") else above
            yield path


def ignored_in_submodules(repository: Repository, below: str = "") -> Iterator[Uncompared]:
    """What git ignores in the submodules of the repository, or of the one at `below`, which ends with a slash."""
    if not os.path.lexists(f"{repository.top}/{below}.gitmodules"):
        return
    there = ("-C", below) if below else ()
    for name in _SUBMODULE.findall(repository.ask(*there, "ls-files", "-z", "--stage")):
        path = f"{below}{name}/"
        if os.path.lexists(f"{repository.top}/{path}.git"):
            for each in _outermost(repository.records("-C", path, *_IGNORED, *_DIRECTORIES)):
                yield Uncompared(path=f"{path}{each}", why=_WHY_IGNORED)
            yield from ignored_in_submodules(repository, path)


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
