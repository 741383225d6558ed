"""Which instruction took away what an image lacks: it removed the file, or copied what needs it without it.

What one RUN installs and removes again is in no layer, so there is nothing to be known of it: then what is missing goes
to the RUN that installed what needs it, which is the same one.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._contents.filesystem import overlay
from hullmark._contents.history import steps
from hullmark._contents.packages.python_markers import normal
from hullmark.model.dependency import Problem
from hullmark.model.dockerfile import StageBase
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.attribution import Origin
    from hullmark.model.dependency import Missing
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.filesystem import FileSystem

_METADATA = re.compile(r".*/([^/]+?)-[^/-]+(?:-py[\d.]+)?\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)")
_BESIDE = "metadata beside "
_MORE = re.compile(r" and \d+ more$")


def with_losers(
    missing: Sequence[Missing], anatomy: Anatomy, recipe: Recipe | None = None
) -> tuple[Missing, ...]:
    """`missing`, of the image that `anatomy` is of, each with the instruction that lost it where that is known.

    With the `recipe` that the image is built from, the stages that it was copied from are asked as well.
    """
    wanted = {each: _wanted(each) for each in missing}
    if not wanted:
        return ()
    names = {name for some in wanted.values() for name in some.names}
    own = _Layers(anatomy.files, anatomy.attribution.steps, names)
    lent: dict[int, _Layers] = {}
    if recipe is not None:
        for index, image in anatomy.stages.items():
            made, _ = steps(image, recipe.dockerfile.stages[index])
            lent[index] = _Layers(overlay(image.layers), [step.origin for step in made], names)
    return tuple(
        replace(each, lost=_loser(each, some, own, lent, anatomy, recipe)) for each, some in wanted.items()
    )


def _loser(
    missing: Missing,
    wanted: _Wanted,
    own: _Layers,
    lent: Mapping[int, _Layers],
    anatomy: Anatomy,
    recipe: Recipe | None,
) -> Origin | None:
    removed = own.removed(wanted)
    if removed is not None or recipe is None:
        return removed
    copied = _copied(missing, anatomy, recipe)
    if copied is not None:
        origin, index = copied
        if index in lent and lent[index].holds(wanted):
            return origin
    # The stage that lends the most to the image is mostly the last one.
    found = (lent[index].removed(wanted) for index in sorted(lent, reverse=True))
    return next((each for each in found if each is not None), None)


def _copied(missing: Missing, anatomy: Anatomy, recipe: Recipe) -> tuple[Origin, int] | None:
    """The COPY that brought what needs it out of another stage, and the index of that stage."""
    number = anatomy.files.visible.get(missing.path)
    if number is None:
        return None
    origin = anatomy.attribution.origin(*anatomy.files.place(number))
    for stage in recipe.stages:
        for instruction in stage.instructions:
            if instruction.span == origin.span and isinstance(instruction.source, StageBase):
                return replace(origin, source=None), instruction.source.index
    return None


class _Wanted:
    """How what is missing would be called if it were there."""

    def __init__(self, names: frozenset[str], fits: Callable[[str], bool]) -> None:
        self.names = names
        """The last steps of its paths."""
        self.fits = fits
        """Whether it is what lies at a path with such a name."""


def _wanted(missing: Missing) -> _Wanted:
    expected = _MORE.sub("", missing.expected)
    if missing.kind == "elf":
        name = posixpath.basename(missing.name)
        return _Wanted(frozenset({name}), lambda path: True)  # noqa: ARG005  # wherever it lies
    if missing.problem is Problem.INCOMPLETE and expected.startswith("/"):
        return _Wanted(frozenset({posixpath.basename(expected)}), expected.__eq__)
    if missing.problem is Problem.UNRESOLVED:
        entry = posixpath.normpath(posixpath.join(posixpath.dirname(missing.path), expected))
        return _Wanted(frozenset({posixpath.basename(entry)}), entry.__eq__)
    if missing.problem is Problem.NOT_INSTALLED and missing.kind == "npm":
        ending = f"/node_modules/{missing.name}/package.json"
        return _Wanted(frozenset({"package.json"}), lambda path: path.endswith(ending))
    if missing.problem is Problem.NOT_INSTALLED or expected.startswith(_BESIDE):
        name = normal(missing.name)
        return _Wanted(frozenset({"METADATA", "PKG-INFO"}), lambda path: _distribution(path) == name)
    return _Wanted(frozenset(), lambda path: False)  # noqa: ARG005  # another version is no loss


def _distribution(path: str) -> str | None:
    found = _METADATA.fullmatch(path)
    return None if found is None else normal(found[1])


class _Layers:
    """The layers of one image, as far as they hold anything that is called like what is missing."""

    def __init__(self, files: FileSystem, made: Sequence[Origin], names: set[str]) -> None:
        self._files = files
        self._made = made
        self._called: dict[str, list[int]] = {}
        for number, path in enumerate(files.paths):
            name = path[path.rfind("/") + 1 :]
            if name in names and files.kinds[number] < Kind.WHITEOUT:
                self._called.setdefault(name, []).append(number)

    def holds(self, wanted: _Wanted) -> bool:
        """Whether it can be seen there."""
        return any(self._files.hidden_by[number] < 0 for number in self._matching(wanted))

    def removed(self, wanted: _Wanted) -> Origin | None:
        """The step that took it away last, where a layer below has it and none has it still."""
        files = self._files
        if self.holds(wanted):
            return None
        layers = [
            files.layer_of(files.hidden_by[number])
            for number in self._matching(wanted)
            if files.layer_of(files.hidden_by[number]) != files.layer_of(number)
        ]
        return self._made[max(layers)] if layers else None

    def _matching(self, wanted: _Wanted) -> Iterator[int]:
        for name in wanted.names:
            for number in self._called.get(name, ()):
                if wanted.fits(self._files.path(number)):
                    yield number
