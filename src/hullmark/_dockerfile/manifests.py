"""Manifests in a build context: which packages they declare."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from typing import TYPE_CHECKING, Any

from hullmark.model.context import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LARGEST = 4 << 20
_REQUIREMENTS = re.compile(r"(?:.*/)?(?:[\w.-]*requirements[\w.-]*|requirements/[\w.-]+)\.txt")
_DEVELOPMENT = re.compile(r"(?:^|[-_./])(?:dev|develop|development|test|tests|testing|lint|docs)(?=[-_./])")
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[|[=<>!~;@(#\\]|--|$)")
_PACKAGE = re.compile(
    r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[\w\s,.-]*\])?\s*(?:(?:===?|[<>~!]=|[<>])\s*[\w.*+!-]+\s*,?\s*)*"
    r"(?:;[^#@/\\]*)?(?:\s+--hash=\w+:[0-9a-f]+)*\s*",
    re.ASCII,
)
"""A line of a list for pip that says which versions of a package are wanted, and nothing else."""
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tbz|txz|tlz|gz|bz2|xz|lzma)\s*(?:[\[;]|--|$)", re.IGNORECASE)
"""How the name of an archive ends, which pip takes from the directory where it is started."""


def declared(path: str, where: Path) -> Iterator[Manifest]:
    """What the file at `where` declares, if it is a manifest by its `path` in the context and can be read as one."""
    kind, read = _reader(path)
    if read is None:
        return
    try:
        if where.stat().st_size > _LARGEST:
            return
        text = where.read_text(encoding="utf-8-sig")
        names = sorted(set(read(text)))
    except (OSError, ValueError, RecursionError):  # not what its name says; whoever needs it will say so
        return
    if names:
        yield Manifest(
            path=path,
            kind=kind,
            names=tuple(names),
            plain=read is _requirements and not where.is_symlink() and _is_plain(text),
        )


def _reader(path: str) -> tuple[str, Callable[[str], Iterator[str]] | None]:
    name = posixpath.basename(path)
    if name == "package.json":
        return "npm", _package_json
    if name == "pyproject.toml":
        return "python", _pyproject
    if name.endswith(".txt") and _REQUIREMENTS.fullmatch(path) and not _DEVELOPMENT.search(path):
        return "python", _requirements
    return "", None


def _package_json(text: str) -> Iterator[str]:
    """The names in `dependencies`; those for development go anyway, and optional ones may be missing."""
    yield from _table(json.loads(text), "dependencies")


def _pyproject(text: str) -> Iterator[str]:
    document = tomllib.loads(text)
    listed = _table(document, "project").get("dependencies")
    yield from _names([str(each) for each in (listed if isinstance(listed, list) else ())])
    poetry = _table(_table(_table(document, "tool"), "poetry"), "dependencies")
    yield from (name for name in poetry if name != "python")


def _requirements(text: str) -> Iterator[str]:
    yield from _names(_lines(text))


def _lines(text: str) -> list[str]:
    return re.sub(r"\\\r?\n", " ", text).splitlines()


def _is_plain(text: str) -> bool:
    """Whether pip reads nothing else when it reads this list."""
    lines = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in _lines(text))
    return all(_PACKAGE.fullmatch(line) and not _ARCHIVE.search(line) for line in lines if line)


def _names(lines: list[str]) -> Iterator[str]:
    for line in lines:
        found = _NAME.match(line)
        if found is not None:
            yield found[1]


def _table(document: Any, key: str) -> dict[str, Any]:
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}
