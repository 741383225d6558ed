"""Where something that an image has not got was lost: which stage has it, which COPY leaves it out, what removed it."""

from __future__ import annotations

import posixpath
from contextlib import ExitStack
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.dockerfile import StageBase
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark._doctor.patient import Patient
    from hullmark.model.dockerfile import Instruction, Recipe, Stage
    from hullmark.model.image import Image
    from hullmark.model.project import Service

    Fits = Callable[[str], str | None]
    """The part of a path inside of an image that ends with what is looked for; `None` where it is something else."""

_LONGEST = 100
_PROGRAMS = frozenset(
    {f"{top}/{name}" for top in ("", "/usr", "/usr/local") for name in ("bin", "sbin")} | {"/opt/venv/bin"}
)
"""Where images keep programs."""


def trace(patient: Patient, service: str | None, fits: Fits) -> Iterator[str]:
    """What the images that `patient` has, and the stages they are copied from, know of what `fits`, in sentences.

    Of services whose images and stages have nothing like it there is not a word. The images of stages come out of the
    builder's cache; where that has lost them, they are built.
    """
    for each in patient.built(service):
        recipe = patient.recipe(each)
        if recipe is None or patient.opener is None or patient.engine is None:
            continue
        try:
            yield from _Search(patient, each, recipe, fits).sentences()
        except Interrupted:
            raise
        except HullmarkError as error:
            yield f"the image of `{each.name}` was not looked into: {error.message}"


def programs(patient: Patient, service: str | None, names: tuple[str, ...]) -> Iterator[str]:
    """Which of the programs called `names` each image that `patient` has comes with, in sentences."""
    from hullmark._contents.filesystem import overlay  # noqa: PLC0415  # only where an image is looked into
    from hullmark._images.interface import Request  # noqa: PLC0415

    for each in patient.built(service):
        if patient.opener is None or patient.engine is None:
            continue
        try:
            files = overlay(patient.opener(f"docker:{each.image}", Request(verify=False)).layers)
        except Interrupted:
            raise
        except HullmarkError as error:
            yield f"the image of `{each.name}` was not looked into: {error.message}"
            continue
        held = {
            name for path in files.visible for place, _, name in [path.rpartition("/")] if place in _PROGRAMS
        }
        have = ", ".join(f"`{name}`" for name in names if name in held)
        yield f"`{each.image}` has {have or 'none of the usual clients'}"


class _Search:
    """One service."""

    def __init__(self, patient: Patient, service: Service, recipe: Recipe, fits: Fits) -> None:
        self._patient = patient
        self._service = service
        self._recipe = recipe
        self._fits = fits

    def sentences(self) -> Iterator[str]:
        from hullmark._engines.stages import stage_images  # noqa: PLC0415  # only where an image is looked into

        patient = self._patient
        assert patient.project is not None
        assert patient.commands is not None
        final = self._open(self._service.image)
        here = self._seen(final)
        if here:
            yield f"`{self._service.image}` as it is now has `{here[0]}`"
            return
        removed = list(self._removed(final, self._recipe.final, self._service.image))
        with ExitStack() as stack:
            engine = patient.engine
            assert engine is not None
            names = stack.enter_context(
                stage_images(
                    patient.project,
                    self._service,
                    self._recipe,
                    engine,
                    patient.commands,
                    labels=patient.labels,
                )
            )
            for index, name in names.items():
                stage = self._recipe.dockerfile.stages[index]
                image = self._open(name)
                for path in self._seen(image)[:1]:
                    yield f"stage `{stage.label}` has `{path}`"
                    yield from self._left_out(stage, path)
                removed += self._removed(image, stage, f"stage `{stage.label}`")
        yield from dict.fromkeys(removed)

    def _open(self, name: str) -> Image:
        from hullmark._images.interface import Request  # noqa: PLC0415

        assert self._patient.opener is not None
        return self._patient.opener(f"docker:{name}", Request(verify=False))

    def _seen(self, image: Image) -> list[str]:
        """What is visible in the image, shortest path first."""
        from hullmark._contents.filesystem import overlay  # noqa: PLC0415

        files = overlay(image.layers)
        found = {top for path in (*files.visible, *files.implied) if (top := self._fits(path)) is not None}
        return sorted(found, key=lambda path: (len(path), path))

    def _removed(self, image: Image, stage: Stage, where: str) -> Iterator[str]:
        """Sentences on instructions that removed it, where a layer still shows that it was there."""
        from hullmark._contents.filesystem import overlay  # noqa: PLC0415
        from hullmark._contents.history import steps  # noqa: PLC0415

        files = overlay(image.layers)
        made = None
        for masked in files.masked():
            top = self._fits(files.path(masked.number))
            if top is None or files.kind(top) is not None:
                continue
            made = made or steps(image, stage)[0]
            yield f"{shortened(str(made[files.layer_of(masked.by)].origin), _LONGEST)}: removes `{top}` from {where}"

    def _left_out(self, stage: Stage, path: str) -> Iterator[str]:
        """Sentences on the COPY instructions that take something out of `stage` and not `path`."""
        copies = list(copies_from(self._recipe, stage))
        if any(takes(instruction, path) for instruction in copies):
            return
        for instruction in copies:
            place = f"{instruction.span.path}:{instruction.span.line}"
            text = shortened(f"COPY {instruction.value}", _LONGEST)
            yield f"{place}: `{text}` takes other paths out of `{stage.label}` and leaves `{path}` behind"


def copies_from(recipe: Recipe, stage: Stage) -> Iterator[Instruction]:
    """The COPY instructions of the image that take files out of `stage`."""
    for each in recipe.stages:
        for instruction in each.instructions:
            match instruction.source:
                case StageBase(index=index) if instruction.keyword == "COPY" and index == stage.index:
                    yield instruction
                case _:
                    pass


def takes(instruction: Instruction, path: str) -> bool:
    """Whether a COPY takes along what lies at `path`; in doubt, where a source holds variables, it does."""
    for word in instruction.words[:-1]:
        source = posixpath.normpath(f"/{word.text.strip('/')}")
        if "$" in source or source == "/":
            return True
        names, parts = path.split("/"), source.split("/")
        if len(names) >= len(parts) and all(map(fnmatchcase, names, parts)):
            return True
    return False
