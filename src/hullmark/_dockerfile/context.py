"""Measures a build context: what instructions take of it, and what of that is there by accident."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile import ignorefile
from hullmark._dockerfile.inputs import build_inputs, files_below
from hullmark._dockerfile.manifests import declared
from hullmark._dockerfile.secret_files import look_into
from hullmark._secrets.variables import is_environment_file
from hullmark.model.context import Context, Stray, TakenSecret
from hullmark.model.inputs import MAIN, Because
from hullmark.model.location import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark.model.context import Manifest
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.inputs import BuildInputs, Selection
    from hullmark.model.secret import FileSecret

_STRAYS = {
    ".git": ".git",
    ".venv": "**/.venv",
    "__pycache__": "**/__pycache__",
    "node_modules": "**/node_modules",
}
"""By the name of a file or directory, what keeps it out; repositories in a repository are submodules, and have no data."""


@dataclass(slots=True)
class _Sum:
    bytes: int = 0
    files: int = 0

    def add(self, size: int) -> None:
        self.bytes += size
        self.files += 1


def measure(
    recipe: Recipe,
    root: Path,
    *,
    context: Path,
    dockerfile: Path | None,
    args: Mapping[str, str] | None = None,
    secrets: bool = False,
) -> Context:
    """The context in the directory `context` as a build of `recipe` takes it, with the build arguments `args`.

    With `secrets` the files are looked through for them, but not the Dockerfile and its ignore file, which rules of
    their own read. Files that are gone, or cannot be looked at, while this goes on count for nothing.
    """
    inputs = build_inputs(
        recipe,
        root,
        context=context,
        dockerfile=dockerfile,
        because=Because(text="the Dockerfile"),
        args=args,
    )
    selections = [each for each in inputs.selections if each.context == MAIN]
    total = _Sum()
    strays: dict[str, _Sum] = {}
    manifests: list[Manifest] = []
    regular: list[tuple[str, str, int]] = []
    apart = {os.path.realpath(each) for each in (dockerfile, *ignorefile.places(context, dockerfile)) if each}
    for path, where in _files(inputs, root):
        size = _size(where)
        if size is None:
            continue
        total.add(size)
        if secrets and where not in apart:
            regular.append((path, where, size))
        stray = _stray(path)
        if stray is not None:
            strays.setdefault(stray, _Sum()).add(size)
        else:
            manifests += declared(path, Path(where))
    own = next((place for place in ignorefile.places(context, dockerfile) if place.is_file()), None)
    looked = look_into(regular)
    return Context(
        ignore_file=shown(own or context / ".dockerignore", root),
        ignored=own is not None,
        ignore_end=(1, 1) if own is None else _end(own),
        bytes=total.bytes,
        files=total.files,
        whole=next((each.because for each in selections if each.pattern == "."), None),
        strays=tuple(_strays(strays, selections)),
        manifests=tuple(sorted(manifests, key=lambda each: each.path)),
        secrets=tuple(_taken(looked.secrets, selections)),
        unread=looked.unread,
        unread_bytes=looked.unread_bytes,
    )


def _taken(secrets: Iterable[FileSecret], selections: Iterable[Selection]) -> Iterator[TakenSecret]:
    for secret in secrets:
        because = [each.because for each in selections if each.covers(secret.path)]
        yield TakenSecret(secret=secret, because=tuple(dict.fromkeys(because)))


def _end(path: Path) -> tuple[int, int]:
    """Line and column after the last character of a text file."""
    lines = ignorefile.text_of(path).split("\n")
    return len(lines), len(lines[-1]) + 1


def _files(inputs: BuildInputs, root: Path) -> Iterable[tuple[str, str]]:
    return ((path, where) for name, path, where in files_below(inputs, root) if name == MAIN)


def _size(where: str) -> int | None:
    """The size of a file or a link; `None` for anything else."""
    try:
        found = os.lstat(where)
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode) else None


def _stray(path: str) -> str | None:
    """The part of `path` that ends with what should not be there."""
    names = path.split("/")
    for position, name in enumerate(names):
        last = position == len(names) - 1
        if (name in _STRAYS and (name != ".git" or position == 0)) or (last and is_environment_file(name)):
            return "/".join(names[: position + 1])
    return None


def _strays(found: Mapping[str, _Sum], selections: Iterable[Selection]) -> Iterable[Stray]:
    """Those of `found` that no instruction asks for by name."""
    for path, measured in sorted(found.items()):
        taking = [each for each in selections if each.covers(path) or each.reaches_below(path)]
        if taking and not any(_names(each, path) for each in taking):
            name = posixpath.basename(path)
            yield Stray(
                path=path,
                pattern=_STRAYS.get(name, "**/.env*"),
                bytes=measured.bytes,
                files=measured.files,
                because=taking[0].because,
            )


def _names(selection: Selection, path: str) -> bool:
    """Whether the selection says `path`, or something in it, in so many words."""
    names = path.split("/")
    return len(selection.parts) >= len(names) and all(
        part == name for part, name in zip(selection.parts, names, strict=False)
    )
