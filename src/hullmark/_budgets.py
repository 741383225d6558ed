"""How much of its budgets each image takes: what it holds, what a host pulls, and what one pulls that has the last one."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.errors import HullmarkError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hullmark._anatomy import Reading
    from hullmark.model.image import Image
    from hullmark.model.project import Budget, Project, Service, ServiceSettings

NO_PREVIOUS = "`previous` is not set"
"""Why the size of an update is not known, where the project does not say what it updates."""


class Measure(enum.StrEnum):
    """One of the sizes that can have a budget."""

    UNPACKED = "unpacked"
    TRANSFER = "transfer"
    UPDATE = "update"

    @property
    def key(self) -> str:
        """The option that sets it."""
        return "budget" if self is Measure.UNPACKED else f"{self}-budget"

    def budget(self, settings: ServiceSettings) -> Budget | None:
        """The budget that a service has for it."""
        match self:
            case Measure.UNPACKED:
                return settings.budget
            case Measure.TRANSFER:
                return settings.transfer_budget
            case Measure.UPDATE:
                return settings.update_budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one image takes of one budget."""

    service: str
    measure: Measure
    budget: Budget | None
    size: int | None
    """Bytes; `None` where they cannot be known."""
    estimated: bool = False
    """Whether layers were compressed to measure what is pulled."""
    unknown: str = ""
    """Why there is no size."""

    @property
    def over(self) -> bool:
        """Whether it takes more than its budget."""
        return self.budget is not None and self.size is not None and self.size > self.budget.size


def budgeted(settings: ServiceSettings, also: Collection[Measure] = ()) -> tuple[Measure, ...]:
    """What an image has unpacked, what else of it has a budget, and what is in `also`."""
    return tuple(
        each
        for each in Measure
        if each is Measure.UNPACKED or each in also or each.budget(settings) is not None
    )


def taken(
    reading: Reading, project: Project, service: Service, measures: Collection[Measure]
) -> Iterator[Taken]:
    """What the image of `service` takes of each of `measures`.

    Raises as `open_image`; where the previous image is not to be had, that is why the size of an update is unknown.
    """
    settings = project.settings.service(service.name)
    # To know what is pulled, layers that an engine keeps without compression have to be compressed.
    image = reading.bare(f"docker:{service.image}", transfer=set(measures) != {Measure.UNPACKED})
    for each in measures:
        size: int | None = image.unpacked
        estimated, unknown = False, ""
        match each:
            case Measure.UNPACKED:
                pass
            case Measure.TRANSFER:
                size, estimated = image.transfer, image.estimated
                unknown = "" if size is not None else "some of its layers have never been compressed"
            case Measure.UPDATE:
                size, estimated, unknown = _updated(reading, project, service, image)
        yield Taken(
            service=service.name,
            measure=each,
            budget=each.budget(settings),
            size=size,
            estimated=estimated,
            unknown=unknown,
        )


def _updated(
    reading: Reading, project: Project, service: Service, image: Image
) -> tuple[int | None, bool, str]:
    """The bytes of the update to `image`, whether they are estimated, and why they are not known."""
    previous = project.settings.service(service.name).previous or project.settings.previous
    if previous is None:
        return None, False, NO_PREVIOUS
    try:
        update = reading.update(image, previous, service.name, project.root)
    except Interrupted:
        raise
    except HullmarkError as error:
        return None, False, f"the previous image, {previous}: {error.message}"
    if not update.compressed:
        return None, False, "some of its layers have never been compressed"
    return update.bytes, update.estimated, ""
