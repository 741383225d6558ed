"""What stands for a file in a digest: its mode and the id that git has, or would have, for its content.

Where git has looked at a file already, its id costs nothing. Everything else is read and hashed the same way, so that
a digest is the same in every checkout, with and without git.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._ci.meanwhile import Meanwhile
from hullmark.errors import HullmarkError, Interrupted, Unavailable

if TYPE_CHECKING:
    from hullmark._ci.repository import Repository

_CONVERTS = re.compile(r"(?m)^[^#\n]*\b(?:filter=|eol=|ident\b|working-tree-encoding=|text\b)")
"""Attributes by which a file in the work tree is not what git has."""
_CHUNK = 1 << 20
_USUAL = {0o644: "100644", 0o664: "100644", 0o755: "100755", 0o775: "100755"}
"""Modes as git has them; the group's part of them is whoever's who made the checkout."""

_REGULAR = {stat.S_IFREG | permissions: mode for permissions, mode in _USUAL.items()}


@dataclass(slots=True, kw_only=True)
class Objects:
    """Looks files up by their absolute path."""

    algorithm: str = "sha1"
    known: dict[str, str] = field(default_factory=dict)
    """Ids of what is in the work tree as git has it, by absolute path."""
    _values: dict[str, str | None] = field(default_factory=dict)

    def value(self, path: str) -> str | None:
        """Mode and id of what is at `path`; of a directory the mode; `None` where nothing is.

        Raises `Unavailable` for a file that cannot be read.
        """
        try:
            return self._values[path]
        except KeyError:
            found = self._values[path] = self._value(path)
            return found

    def _value(self, path: str) -> str | None:
        try:
            found = os.lstat(path)
            known = self.known.get(path)
            if known is not None and (usual := _REGULAR.get(found.st_mode)) is not None:
                return f"{usual} {known}"
            kind, permissions = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
            if kind == stat.S_IFLNK:
                return f"120000 {self._hash(os.fsencode(os.readlink(path)))}"  # noqa: PTH115
            if kind == stat.S_IFDIR:
                # The builder copies the mode of a directory, of which git knows nothing.
                return "040000" if permissions in _USUAL else f"040000 {permissions:04o}"
            if kind != stat.S_IFREG:
                return f"{kind:o}"
            mode = _USUAL.get(permissions) or f"100000 {permissions:04o}"
            return f"{mode} {known or self._hash_file(path)}"
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"`{path}` cannot be read: {error.strerror}") from error

    def _hash(self, content: bytes) -> str:
        return hashlib.new(
            self.algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False
        ).hexdigest()

    def _hash_file(self, path: str) -> str:
        with open(path, "rb") as file:  # noqa: PTH123  # of a name that need not be text
            size = os.fstat(file.fileno()).st_size
            if size <= _CHUNK:
                return self._hash(file.read())
            digest = hashlib.new(self.algorithm, b"blob %d\0" % size, usedforsecurity=False)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            return digest.hexdigest()


def objects_of(repository: Repository | None) -> Objects:
    """Objects that know what git knows; without a repository, or where git converts files, everything is read."""
    if repository is None:
        return Objects()
    try:
        return Objects(algorithm=repository.object_format, known=_clean(repository))
    except Interrupted:
        raise
    except HullmarkError:
        return Objects(algorithm=repository.object_format)


def _clean(repository: Repository) -> dict[str, str]:
    """The ids of all files that are in the work tree as they are in the index."""
    with (
        Meanwhile(lambda: _changed(repository)) as asking,
        Meanwhile(lambda: _converts_by_configuration(repository)) as converting,
    ):
        staged = repository.ask("ls-files", "-z", "--stage", "-v")
        dirty, attributes = asking.result()
        if converting.result():
            return {}
    top = f"{repository.top}/"
    # Another letter is of a file that git is told not to look at.
    listed = re.findall(r"(?:^|(?<=\0))H 100[0-9]{3} ([0-9a-f]+) 0\t([^\0]*)\0", staged)
    found = {top + path: known for known, path in listed}
    for path in dirty:
        found.pop(top + path, None)
    if ".gitattributes\0" in staged:
        attributes += [top + path for path in re.findall(r"\t([^\0]*\.gitattributes)\0", staged)]
    return {} if any(_converts(path) for path in attributes) else found


def _changed(repository: Repository) -> tuple[set[str], list[str]]:
    """The files that are not as they are in the index, and where attributes of the repository itself stand."""
    dirty = repository.records("diff-files", "-z", "--name-only", "--ignore-submodules=all")
    own = repository.ask("rev-parse", "--git-path", "info/attributes").removesuffix("\n")
    return set(dirty), [os.path.join(repository.top, own)]  # noqa: PTH118


def _converts_by_configuration(repository: Repository) -> bool:
    """Whether git is told to make files in the work tree differ from what it has of them."""
    configured = repository.run("config", "--get-regexp", r"^core\.(autocrlf|eol|attributesfile)$").stdout
    return bool(re.search(r"(?im)^core\.(autocrlf (true|input)|eol|attributesfile)", configured))


def _converts(path: str) -> bool:
    """Whether by the attributes in the file at `path` some file may differ from what git has of it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return _CONVERTS.search(file.read()) is not None
    except OSError:
        return False
