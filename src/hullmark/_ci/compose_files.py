"""Which files Compose reads to resolve a project, those included that are not there but would be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hullmark._root import COMPOSE_FILES, OVERRIDES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEFAULT_ENV_FILE = ".env"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads what Compose reads; of its own tags (`!override`, `!reset`) the value counts."""


def _untagged(loader: Any, _suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case _:
            return loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _untagged)


@dataclass(slots=True, kw_only=True)
class ComposeFiles:
    """What is read, as far as the files say so by themselves."""

    paths: set[Path] = field(default_factory=set)
    """Absolute; of some it is not known whether they are there."""
    unknown: set[str] = field(default_factory=set)
    """What they name in a way that is only known when it is resolved: with variables in it."""
    elsewhere: set[str] = field(default_factory=set)
    """What they name that is on another machine, or cannot be looked at for another reason."""
    watched: set[Path] = field(default_factory=set)
    """What Compose watches for changes, of which it says where symbolic links lead to."""


def compose_files(files: Iterable[Path], project_directory: Path, env_files: Iterable[Path]) -> ComposeFiles:
    """All that Compose reads for a project of `files`, which is called from `project_directory`.

    Of a file that is there and cannot be read, nobody knows what it names.
    """
    found = ComposeFiles()
    found.paths.update(env_files)
    for directory in {project_directory, *(file.parent for file in files)}:
        found.paths.update(directory / name for name in (*COMPOSE_FILES, *OVERRIDES, _DEFAULT_ENV_FILE))
    pending = [(file, project_directory) for file in files]
    seen: set[tuple[Path, Path]] = set()
    while pending:
        file, directory = pending.pop()
        if (file, directory) in seen:
            continue
        seen.add((file, directory))
        found.paths.add(file)
        for document in _documents(file, found):
            pending += _named(document, file, directory, found)
    return found


def _documents(file: Path, found: ComposeFiles) -> list[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
        documents = list(yaml.load_all(text, Loader=_Loader))
    except FileNotFoundError:
        return []
    except (OSError, yaml.YAMLError, RecursionError, ValueError, TypeError):
        found.unknown.add(file.name)
        return []
    return [document for document in documents if isinstance(document, dict)]


def _named(
    document: dict[str, Any], file: Path, directory: Path, found: ComposeFiles
) -> Iterator[tuple[Path, Path]]:
    """The Compose files that `document` names, each with the directory that its paths start from.

    From which of two directories a path starts depends on who reads the file; both are taken.
    """
    starts = {file.parent, directory}
    for include in _items(document.get("include")):
        entry = include if isinstance(include, dict) else {"path": include}
        for path in (each for start in starts for each in _paths(entry.get("path"), start, found)):
            own = next(iter(_paths(entry.get("project_directory"), directory, found)), path.parent)
            found.paths.update((own / _DEFAULT_ENV_FILE, path.parent / _DEFAULT_ENV_FILE))
            yield path, own
        found.paths.update(each for start in starts for each in _paths(entry.get("env_file"), start, found))
    services = document.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if not isinstance(service, dict):
            continue
        extended = service.get("extends")
        if isinstance(extended, dict):
            for path in (each for start in starts for each in _paths(extended.get("file"), start, found)):
                yield path, path.parent
        for watched in _watched(service):
            # With variables in it, nobody can say where its links lead to before Compose does.
            aside = ComposeFiles()
            found.watched.update(each for start in starts for each in _paths(watched, start, aside))
            found.elsewhere |= aside.unknown | aside.elsewhere
        for key in ("env_file", "label_file"):
            for item in _items(service.get(key)):
                name = item.get("path") if isinstance(item, dict) else item
                found.paths.update(each for start in starts for each in _paths(name, start, found))


def _watched(service: dict[str, Any]) -> Iterator[str]:
    develop = service.get("develop")
    for each in _items(develop.get("watch")) if isinstance(develop, dict) else ():
        if isinstance(each, dict):
            yield str(each.get("path"))


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _paths(value: Any, start: Path, found: ComposeFiles) -> Iterator[Path]:
    """The files that `value`, a text or several, names from the directory `start` on."""
    for name in _items(value):
        if not isinstance(name, str) or not name:
            continue
        if "$" in name:
            found.unknown.add(name)
        elif "://" in name or name.startswith("git@"):
            found.elsewhere.add(name)  # is no part of a change here
        else:
            yield Path(os.path.normpath(start / os.path.expanduser(name)))  # noqa: PTH111
