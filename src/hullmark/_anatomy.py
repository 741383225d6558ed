"""From an image, or a service that is built, to everything that is known of what is in it.

Bytes that came through a squash are followed into the stage it was squashed from, whose image the builder's cache still
has.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from hullmark._contents.attribution import attribute, shares
from hullmark._contents.elf import ElfCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import Combined, PackageCapture
from hullmark._contents.reclaim import reclaim
from hullmark._contents.summary import by_directory, by_owner, by_top
from hullmark._engines.stages import stage_images
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
from hullmark.errors import Unavailable
from hullmark.model.anatomy import Anatomy

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.image import Image
    from hullmark.model.project import Project, Service


def dissect(
    image: Image,
    recipe: Recipe | None = None,
    stages: Mapping[int, Image] | None = None,
    notes: tuple[str, ...] = (),
) -> Anatomy:
    """All about `image`, which was read with `wanted`; `recipe` and `stages` are as `attribute` takes them."""
    files = overlay(image.layers)
    ownership = find_owners(files, image.platform)
    attribution = attribute(image, recipe, stages)
    saved = reclaim(files, attribution)
    return Anatomy(
        image=image,
        files=files,
        ownership=ownership,
        attribution=attribution,
        reclaim=saved,
        shares=shares(attribution, files),
        owners=by_owner(files, ownership),
        tops=by_top(files),
        directories=by_directory(files),
        notes=(*notes, *attribution.notes, *ownership.notes, *saved.notes),
    )


def wanted(*, contents: bool = False) -> Request:
    """What `dissect` needs of each layer; with `contents`, equal files are found as well, and every byte is read."""
    return Request(capture=Combined(PackageCapture(), ElfCapture()), contents=contents, verify=False)


class Reading:
    """How images are read in one run of the tool."""

    def __init__(self, commands: Commands, environ: Mapping[str, str], cancelled: threading.Event) -> None:
        self._commands = commands
        self._environ = environ
        self._cancelled = cancelled

    def image(self, reference: str, *, platform: str | None = None, contents: bool = False) -> Image:
        """The image called `reference`; see `open_image`."""
        return open_image(
            reference,
            platform=platform,
            request=wanted(contents=contents),
            environ=self._environ,
            commands=self._commands,
            cancelled=self._cancelled,
        )

    def service(
        self,
        project: Project,
        service: Service,
        recipe: Recipe | None,
        engine: Callable[[], Engine],
        *,
        labels: Mapping[str, str],
        contents: bool = False,
    ) -> Anatomy:
        """All about the image of `service` as the engine has it now.

        Where the stages that it was copied from are not to be had, that is a note, and their bytes are the COPY's.
        """
        image = self.image(f"docker:{service.image}", contents=contents)
        notes: list[str] = []
        stages: dict[int, Image] = {}
        with ExitStack() as stack:
            if recipe is not None and service.build is not None:
                try:
                    names = stack.enter_context(
                        stage_images(project, service, recipe, engine(), self._commands, labels=labels)
                    )
                    stages = {
                        index: self.image(f"docker:{name}", contents=contents)
                        for index, name in names.items()
                    }
                except Unavailable as error:
                    notes.append(f"what was copied from other stages is not followed: {error.message}")
            return dissect(image, recipe, stages, tuple(notes))
