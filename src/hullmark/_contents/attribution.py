"""Which instruction wrote each file of an image, also through a squash and a COPY from another stage.

A layer belongs to the step that made it. Where that step copied from a stage whose image is at hand, each file is
looked up there: a COPY keeps path, time, mode, owner and size, so the same file is found again, and with it the
instruction of that stage that wrote it.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from array import array
from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from hullmark._contents.directories import keep_modes
from hullmark._contents.history import steps
from hullmark.model.attribution import Attribution, Share, Squash, Told
from hullmark.model.dockerfile import StageBase
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._contents.history import Step
    from hullmark.model.attribution import Origin
    from hullmark.model.dockerfile import Instruction, Recipe, Stage
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import Image
    from hullmark.model.table import FileTable

_SQUASH = re.compile(r"COPY (?:--\S+ )*/ /")
"""What a history says of a squash."""
_DEEPEST = 32
"""Stages that are followed from COPY to COPY."""


def attribute(
    image: Image,
    recipe: Recipe | None = None,
    stages: Mapping[int, Image] | None = None,
    *,
    squashed: Image | None = None,
) -> Attribution:
    """The origin of every entry of `image`.

    With the `recipe` that it was built from, origins are instructions of the Dockerfile. `stages` are images of other
    stages by their index, as far as they were built: files that were copied from one of these, by a squash or one by
    one, are followed into it. `squashed` is the stage that `image` is a squash of, for one without a recipe; see
    `given_stage` for one with it.
    """
    return _Attributor(stages or {}, squashed).attribute(image, None if recipe is None else recipe.final, 0)


def given_stage(recipe: Recipe) -> int | None:
    """The index of the stage that the image of `recipe` is a squash of, wherever in its lineage that is."""
    for stage in reversed(recipe.final.lineage):
        for instruction, _ in reversed(stage.whole_copies):
            if isinstance(instruction.source, StageBase):
                return instruction.source.index
    return None


def shares(attribution: Attribution, files: FileSystem) -> tuple[Share, ...]:
    """What each origin has of the final file system, the largest first.

    Their bytes sum up to what is seen. A further name of a file adds none.
    """
    count = len(attribution.origins)
    sizes, counts = [0] * count, [0] * count
    origins = list(chain.from_iterable(attribution.rows))
    for inode in {files.inode(number) for number in files.visible.values()}:
        if files.kinds[inode] != Kind.FILE:
            continue
        origin = origins[inode]
        sizes[origin] += files.sizes[inode]
        counts[origin] += 1
    found = [
        Share(origin=origin, bytes=sizes[index], files=counts[index])
        for index, origin in enumerate(attribution.origins)
        if counts[index]
    ]
    return tuple(sorted(found, key=lambda share: (-share.bytes, -share.files, share.origin.text)))


class _Attributor:
    """Attributes an image and the images of the stages that it was copied from, each of those once."""

    def __init__(self, images: Mapping[int, Image], squashed: Image | None) -> None:
        self._images = images
        self._squashed = squashed
        self._written: dict[int | None, _Written] = {}

    def attribute(self, image: Image, stage: Stage | None, depth: int) -> Attribution:
        made, notes = steps(image, stage)
        numbers: dict[Origin, int] = {}
        rows: list[array[int]] = []
        modes: list[dict[int, int]] = []
        wholes, squashes = [], []
        for index, (layer, step) in enumerate(zip(image.layers, made, strict=True)):
            whole = _whole(step) or self._alone(image, step, depth)
            source = self._source(step.instruction, depth, whole=whole)
            origin = replace(step.origin, told=Told.COPY) if whole else step.origin
            lost = numbers.setdefault(origin, len(numbers))
            modes.append({})
            if whole:
                wholes.append(index)
            if source is None:
                rows.append(array("i", [lost]) * len(layer.table))
                continue
            column, writers = array("i", [lost]) * len(layer.table), array("i", [-1]) * len(layer.table)
            # Hashing an origin for every file would take longer than all the rest.
            known: dict[int, int] = {}
            for row, writers[row], found in source.writers(layer.table, step, image, whole=whole):
                writer, setter, mode = source.told(writers[row], found)
                for each in (writer, setter):
                    if each not in known:
                        wrote = source.origins[each]
                        origin = wrote if whole else replace(step.origin, source=wrote)
                        known[each] = numbers.setdefault(origin, len(numbers))
                column[row] = known[writer]
                if mode != layer.table.modes[row] and layer.table.kinds[row] != Kind.SYMLINK:
                    modes[-1][row] = numbers.setdefault(step.origin, len(numbers))
                elif setter != writer:
                    modes[-1][row] = known[setter]
            rows.append(column)
            if whole:
                squashes.append(Squash(layer=index, stage=source.image, steps=source.steps, writers=writers))
        keep_modes(image, rows, modes)
        return Attribution(
            origins=tuple(numbers),
            rows=tuple(rows),
            steps=tuple(step.origin for step in made),
            whole=tuple(wholes),
            squashes=tuple(squashes),
            notes=notes,
            modes=tuple(modes),
        )

    def _alone(self, image: Image, step: Step, depth: int) -> bool:
        """Whether the step made the only layer of an image whose stage was given: then it is the squash."""
        return (
            depth == 0 and self._squashed is not None and step.instruction is None and len(image.layers) == 1
        )

    def _source(self, instruction: Instruction | None, depth: int, *, whole: bool) -> _Written | None:
        """What the stage holds that the step copies from, where its image is at hand."""
        if instruction is None:
            if not whole or depth or self._squashed is None:
                return None
            if None not in self._written:
                given = self._squashed
                self._written[None] = _Written(given, self.attribute(given, None, 1))
            return self._written[None]
        match instruction.source:
            case StageBase(index=index, stage=stage) if index in self._images and depth < _DEEPEST:
                if index not in self._written:
                    image = self._images[index]
                    self._written[index] = _Written(image, self.attribute(image, stage, depth + 1))
                return self._written[index]
            case _:
                return None


def _whole(step: Step) -> bool:
    """Whether the step copies a whole file system from another stage: what it brought is that stage's.

    Where only the image's history tells of the step, a copy of everything to everywhere is taken for that.
    """
    if step.instruction is None:
        return _SQUASH.fullmatch(step.origin.text) is not None
    return step.stage is not None and any(copy is step.instruction for copy, _ in step.stage.whole_copies)


def _changes_metadata(copy: Instruction) -> bool:
    return copy.flag("chown") is not None or copy.flag("chmod") is not None


class _Written:
    """Which instruction of a stage wrote what its image holds, by path."""

    def __init__(self, image: Image, attribution: Attribution) -> None:
        self.image = image
        self.steps = attribution.steps
        self.origins = attribution.origins
        self._tables = [layer.table for layer in image.layers]
        self._written = attribution.rows
        self._modes = attribution.modes
        self._names = [_names(table) for table in self._tables]
        self._starts = [0, *accumulate(map(len, self._tables))]
        self._top: dict[str, int] = {}
        """The topmost entry at a path: entries are numbered from the lowest layer on."""
        self._below: dict[str, list[int]] = {}
        """The other entries at a path that was written several times, from the bottom up."""
        for table, start in zip(self._tables, self._starts, strict=False):
            entries = zip(table.paths, range(start, start + len(table)), table.kinds, strict=True)
            fresh = {path: number for path, number, kind in entries if kind < Kind.WHITEOUT}
            for path in self._top.keys() & fresh.keys():
                self._below.setdefault(path, []).append(self._top[path])
            self._top.update(fresh)

    def matching(self, pattern: str) -> list[str]:
        """Paths that fit a pattern of COPY, in which `*` does not cross a slash."""
        depth = pattern.count("/")
        # The pattern of fnmatch crosses slashes; both have the same number of them only where none was crossed.
        return sorted(fnmatch.filter((path for path in self._top if path.count("/") == depth), pattern))

    def writers(
        self, table: FileTable, step: Step, image: Image, *, whole: bool
    ) -> Iterator[tuple[int, int, int]]:
        """For the rows of `table` that are found here: the row, the layer that wrote it, and the row there.

        `table` is of the layer of `image` that `step` made by copying from here, and `whole` by copying everything.
        """
        copy = step.instruction
        exact = whole and (copy is None or not _changes_metadata(copy))
        mapping = None if whole or copy is None else _Copied(copy, _directory(step, image))
        names = _names(table)
        for row, path in enumerate(table.paths):
            paths: Iterable[str] = (path,) if mapping is None else mapping.sources(path, self)
            content = _content(table, row, names) if names else row
            found = self.writer(table, content, paths, exact=exact)
            if found is not None:
                yield row, *found

    def told(self, layer: int, row: int) -> tuple[int, int, int]:
        """Of an entry the indexes in `origins` of what wrote it and of what set its mode, and that mode."""
        writer = self._written[layer][row]
        return writer, self._modes[layer].get(row, writer), self._tables[layer].modes[row]

    def writer(
        self, table: FileTable, row: int, paths: Iterable[str], *, exact: bool
    ) -> tuple[int, int] | None:
        """The layer and the row of the entry that `row` of `table` is a copy of, at one of `paths`.

        Where the same path was written several times, it is the topmost layer that holds the very same file. A COPY of
        a whole stage keeps everything (`exact`); one with flags may have changed mode and owner.
        """
        for path in paths:
            for number in self._at(path):
                layer = bisect_right(self._starts, number) - 1
                other = self._tables[layer]
                content = number - self._starts[layer]
                if other.kinds[content] == Kind.HARDLINK:
                    layer, content = self._linked(layer, content)
                    other = self._tables[layer]
                if _same(table, row, other, content, exact=exact):
                    return layer, content
        return None

    def _at(self, path: str) -> Iterator[int]:
        """The entries at a path, from the top down."""
        top = self._top.get(path)
        if top is not None:
            yield top
            if path in self._below:
                yield from reversed(self._below[path])

    def _linked(self, layer: int, row: int) -> tuple[int, int]:
        """The file that the hard link in `row` is another name of, in its own layer or in a lower one."""
        content = _content(self._tables[layer], row, self._names[layer])
        if content != row:
            return layer, content
        for number in self._at(self._tables[layer].links.get(row, "")):
            below = bisect_right(self._starts, number) - 1
            content = number - self._starts[below]
            if below < layer and self._tables[below].kinds[content] == Kind.FILE:
                return below, content
        return layer, row


def _names(table: FileTable) -> dict[str, int]:
    """The row of each file that a hard link of the same layer refers to."""
    targets = {table.links[row] for row in table.links if table.kinds[row] == Kind.HARDLINK}
    if not targets:
        return {}
    return {
        path: row for row, path in enumerate(table.paths) if path in targets and table.kinds[row] == Kind.FILE
    }


def _content(table: FileTable, row: int, names: Mapping[str, int]) -> int:
    """The row that holds the content of what `row` names: its own, or that of the other name of a hard link."""
    if table.kinds[row] != Kind.HARDLINK:
        return row
    return names.get(table.links.get(row, ""), row)


def _same(table: FileTable, row: int, other: FileTable, candidate: int, *, exact: bool) -> bool:
    kind = table.kinds[row]
    if kind != other.kinds[candidate]:
        return False
    if kind == Kind.SYMLINK:
        return table.links.get(row) == other.links.get(candidate)
    if kind != Kind.FILE:
        return True
    if table.sizes[row] != other.sizes[candidate]:
        return False
    mine, its = table.digest(row), other.digest(candidate)
    if mine is not None and its is not None:
        return mine == its
    return table.mtimes[row] == other.mtimes[candidate] and (
        not exact
        or (
            table.modes[row] == other.modes[candidate]
            and table.uids[row] == other.uids[candidate]
            and table.gids[row] == other.gids[candidate]
        )
    )


def _directory(step: Step, image: Image) -> str:
    """The working directory in which the instruction of `step` ran, as far as the Dockerfile and the image tell."""
    assert step.stage is not None
    found: str | None = None
    for instruction in step.stage.history:
        if instruction is step.instruction:
            break
        if instruction.keyword == "WORKDIR":
            found = posixpath.join(found or "/", instruction.value.strip("\"'"))
    if found is None:
        # No WORKDIR before it: that of the base image, which is the image's own unless one follows.
        later = step.stage.last("WORKDIR") is not None
        found = "/" if later else image.configuration.working_directory or "/"
    return posixpath.normpath(posixpath.join("/", found))


class _Copied:
    """Where in a stage the files come from that a COPY wrote."""

    def __init__(self, instruction: Instruction, directory: str) -> None:
        *sources, destination = [word.text for word in instruction.words] or [""]
        self._sources = [posixpath.normpath("/" + source.lstrip("/")) for source in sources]
        self._destination = posixpath.normpath(posixpath.join(directory, destination))
        self._parents = instruction.flag("parents") is not None
        self._patterns: dict[str, list[str]] = {}

    def sources(self, path: str, written: _Written) -> Iterator[str]:
        """Paths in the stage that the file at `path` may be a copy of, the likeliest first."""
        root = self._destination.rstrip("/")
        if path != self._destination and not path.startswith(root + "/"):
            return
        rest = path[len(root) :].strip("/")
        for source in self._sources:
            for base in self._expanded(source, written):
                if self._parents:
                    if f"/{rest}".startswith(base):
                        yield f"/{rest}"
                    continue
                # A directory: what is in it. A file called like the destination: itself.
                yield posixpath.join(base, rest) if rest else base
                # A file copied into the destination.
                if rest == posixpath.basename(base):
                    yield base

    def _expanded(self, source: str, written: _Written) -> list[str]:
        if not set("*?[") & set(source):
            return [source]
        if source not in self._patterns:
            self._patterns[source] = written.matching(source)
        return self._patterns[source]
