"""A project with images that somebody names: other ones than its own, and the stages that its own are squashes of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hullmark._compose.resolve import unknown_service
from hullmark.errors import UsageError
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.project import Project


def with_images(project: Project, images: Mapping[str, str], *, platform: str | None = None) -> Project:
    """`project` with `images`, references by service, in place of those that it builds or names; none of them is built.

    A service that names what another one builds starts another program of the same image, and is given the same, too.
    With `platform` they are run for that one.

    Raises `UsageError` for services that are not there, and for what is no reference.
    """
    names = [service.name for service in project.services]
    problems = [unknown_service(name, names) for name in images if name not in names]
    for name, reference in images.items():
        try:
            parse_reference(reference)
        except ValueError as error:
            problems.append(f"the image given for `{name}`: {error}")
    if problems:
        raise UsageError("; ".join(problems))
    images = _shared(project, images)
    given = exchanged(project, images, pull_policy="never", platform=platform)
    return replace(given, given=tuple(sorted(images)))


def exchanged(
    project: Project, images: Mapping[str, str], *, pull_policy: str, platform: str | None = None
) -> Project:
    """`project` with `images` by service, which are not built and are pulled as `pull_policy` says."""
    raw: dict[str, Any] = json.loads(project.resolved)
    for name, reference in images.items():
        raw["services"][name].pop("build", None)
        raw["services"][name].update(image=reference, pull_policy=pull_policy)
        if platform is not None:
            raw["services"][name]["platform"] = platform
    services = tuple(
        replace(each, image=images[each.name], build=None) if each.name in images else each
        for each in project.services
    )
    return replace(project, services=services, resolved=json.dumps(raw))


def _shared(project: Project, images: Mapping[str, str]) -> dict[str, str]:
    """`images`, and beside them those of services that name what is given for another one, which would be built."""
    built = {service.image: images[service.name] for service in project.built if service.name in images}
    others = {
        service.name: built[service.image]
        for service in project.services
        if service.build is None and service.image in built and service.name not in images
    }
    return {**images, **others}


def with_stage_images(project: Project, stages: Mapping[str, str]) -> Project:
    """`project` whose images are squashes of `stages`, references by service, whatever its settings say.

    Raises `UsageError` for services that are not there.
    """
    names = [service.name for service in project.services]
    if problems := [unknown_service(name, names) for name in stages if name not in names]:
        raise UsageError("; ".join(problems))
    settings = dict(project.settings.services)
    settings |= {
        name: replace(project.settings.service(name), stage_image=reference)
        for name, reference in stages.items()
    }
    return replace(project, settings=replace(project.settings, services=tuple(settings.items())))
