"""What is new in a release: how its images differ from those of the one before, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect, side_of
from hullmark._contents.difference import difference
from hullmark._contents.inventory import inventory
from hullmark._release import state as states
from hullmark._release.vulnerabilities import Side, compare
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.release import News
from hullmark.model.version import released

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._checks import Surroundings
    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries
    from hullmark.model.difference import Contents
    from hullmark.model.release import PlannedService
    from hullmark.model.staging import State


def news(made: Wanted, registries: Registries, surroundings: Surroundings) -> tuple[News, ...]:
    """Of every service, what changed since the newest release before this one that its repository has.

    Images are read from the registry, for this machine's platform or the first one that there is.
    """
    looking = _Looking(
        made=made,
        registries=registries,
        reading=Reading(surroundings.commands, surroundings.environ, surroundings.cancelled),
        environ=surroundings.environ,
    )
    return tuple(looking.news(service) for service in made.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looking:
    made: Wanted
    registries: Registries
    reading: Reading
    environ: Mapping[str, str] = field(repr=False)

    def news(self, service: PlannedService) -> News:
        """What is new in one service."""
        contents, side = self._release(service, self.made.version.tag)
        tag = self._before(service)
        if tag is None:
            known = compare(side, None, self.environ)
            return News(
                service=service.name,
                before=None,
                difference=None,
                unpacked=contents.unpacked,
                vulnerabilities=known,
            )
        earlier, before = self._release(service, tag)
        return News(
            service=service.name,
            before=tag,
            difference=difference(earlier, contents),
            unpacked=contents.unpacked,
            vulnerabilities=compare(side, before, self.environ),
        )

    def _before(self, service: PlannedService) -> str | None:
        """The tag of the newest release before this one."""
        version = self.made.version
        tags = self.registries.tags(service.repository)
        # Of tags that move, none is a version of its own.
        whole = [tag for tag in tags if tag.count(".") >= min(2, version.tag.count("."))]
        earlier = [each for each in released(whole) if version.later(each)]
        return earlier[-1].tag if earlier else None

    def _release(self, service: PlannedService, tag: str) -> tuple[Contents, Side]:
        """The image of a service with that tag."""
        made = self.made
        platform = made.native if made.native in made.platforms else made.platforms[0]
        anatomy = dissect(self.reading.image(f"registry:{service.named(tag)}", platform=platform))
        side = Side(
            service=service.name, inventory=inventory(anatomy), state=self._noted(tag), platform=platform
        )
        return side_of(anatomy), side

    def _noted(self, tag: str) -> State | None:
        """What the release has noted in the registry; `None` where nothing can be read there."""
        home = min(service.repository for service in self.made.services)
        try:
            return states.fetch(self.registries, home, tag)
        except Interrupted:
            raise
        except HullmarkError:
            return None
