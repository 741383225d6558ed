"""The files that an image is built from, as they lie in its contexts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark.model.inputs import BuildInputs, Excludes, Selection


def files_below(inputs: BuildInputs, root: Path) -> Iterator[tuple[str, str, str]]:
    """Every file, link and directory that is selected: the name of its context, its path there, and where it is.

    A directory that is ignored is not entered, unless something below it may be taken back; it is one of them when
    something below it is, as that brings it along.
    """
    top = os.path.realpath(root)
    for name, directory in inputs.contexts.items():
        selections = [each for each in inputs.selections if each.context == name]
        if selections:
            where = os.path.normpath(os.path.join(top, directory))  # noqa: PTH118
            for path in _walk(where, selections, inputs.ignored[name]):
                yield name, path, f"{where}/{path}"


def _walk(top: str, selections: list[Selection], ignored: Excludes) -> Iterator[str]:
    whole = [each for each in selections if each.takes_all_below]
    # What is below something that is selected is selected, and need not be asked for.
    pending = [("", any(not each.parts and each.below is None for each in whole))]
    # Directories that come only with something below them.
    waiting: set[str] = set()
    while pending:
        prefix, selected = pending.pop()
        entries = _entries(f"{top}/{prefix}")
        is_excluded = ignored.within(prefix[:-1])
        for name, is_directory in entries:
            path = f"{prefix}{name}"
            if selected and not is_directory:
                # What most of it is: a file in a directory that is taken as a whole.
                if not is_excluded(path):
                    yield from _above(path, waiting) if waiting else ()
                    yield path
                continue
            inherited = selected or any(each.covers(path) for each in whole)
            chosen = inherited or any(each.covers(path) for each in selections)
            if not chosen and not (is_directory and any(each.reaches_below(path) for each in selections)):
                continue
            excluded = is_excluded(path)
            if chosen and not excluded:
                yield from _above(path, waiting)
                yield path
            elif is_directory and any(each.brings_along(path) for each in selections):
                waiting.add(path)
            if is_directory and (not excluded or ignored.may_reinclude_below(path)):
                pending.append((f"{path}/", inherited))


def _entries(directory: str) -> list[tuple[str, bool]]:
    """What lies in a directory, and whether that is one itself; nothing where it cannot be read."""
    try:
        with os.scandir(directory) as found:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []


def _above(path: str, waiting: set[str]) -> Iterator[str]:
    """The directories above `path` that have waited for something below them."""
    while waiting and (path := path.rpartition("/")[0]):
        if path in waiting:
            waiting.remove(path)
            yield path
