"""What is new in a release: how its images differ from those of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect, side_of
from hullmark._contents.difference import difference
from hullmark.model.release import News
from hullmark.model.version import released

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._checks import Surroundings
    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries


def news(made: Wanted, registries: Registries, surroundings: Surroundings) -> tuple[News, ...]:
    """Of every service, what changed since the newest release before this one that its repository has.

    Images are read from the registry, for this machine's platform or the first one that there is.
    """
    return tuple(_news(made, registries, surroundings))


def _news(made: Wanted, registries: Registries, surroundings: Surroundings) -> Iterator[News]:
    reading = Reading(surroundings.commands, surroundings.environ, surroundings.cancelled)
    platform = made.native if made.native in made.platforms else made.platforms[0]
    for service in made.services:
        now = side_of(
            dissect(reading.image(f"registry:{service.named(made.version.tag)}", platform=platform))
        )
        tags = registries.tags(service.repository)
        # Of tags that move, none is a version of its own.
        whole = [tag for tag in tags if tag.count(".") >= min(2, made.version.tag.count("."))]
        earlier = [each for each in released(whole) if made.version.later(each)]
        if not earlier:
            yield News(service=service.name, before=None, difference=None, unpacked=now.unpacked)
            continue
        tag = earlier[-1].tag
        before = side_of(dissect(reading.image(f"registry:{service.named(tag)}", platform=platform)))
        yield News(
            service=service.name,
            before=tag,
            difference=difference(before, now),
            unpacked=now.unpacked,
        )
