"""What keeps a stack from coming up for certain, seen before anything of it is started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._engines import Engine
    from hullmark.model.project import Project, Service


def missing_images(project: Project, names: Iterable[str], engine: Engine) -> tuple[Service, ...]:
    """Those of the services `names` whose images the project builds and the engine has not got."""
    from docker.errors import ImageNotFound  # noqa: PLC0415  # loaded with the engine

    missing = []
    for name in names:
        service = project.service(name)
        if service.build is not None:
            try:
                engine.client.images.get(service.image)
            except ImageNotFound:
                missing.append(service)
    return tuple(missing)


def unbuilt(services: tuple[Service, ...]) -> Unavailable:
    """That the images of `services` have to be built first."""
    names = [service.name for service in services]
    shown = ", ".join(f"`{name}`" for name in names)
    return Unavailable(
        f"the image{'s' if len(names) > 1 else ''} of {shown} {'have' if len(names) > 1 else 'has'} not been built",
        hint=f"`hullmark build {' '.join(names)}`",
    )


def unawaitable(project: Project, names: Iterable[str], engine: Engine) -> Iterator[tuple[str, str]]:
    """Those of the services `names` that wait for the health of one without a health check, and that, as a sentence.

    Compose starts what is waited for, and only then refuses to wait.
    """
    services: Mapping[str, Mapping[str, Any]] = json.loads(project.resolved).get("services") or {}
    known: dict[str, bool] = {}
    for name in names:
        for other, how in sorted((services[name].get("depends_on") or {}).items()):
            if how.get("condition") != "service_healthy" or not how.get("required", True):
                continue
            if other not in known:
                known[other] = _is_unchecked(services[other], project.service(other), engine)
            if known[other]:
                yield name, f"waits until `{other}` is healthy, and `{other}` has no health check"
                break


def _is_unchecked(raw: Mapping[str, Any], service: Service, engine: Engine) -> bool:
    """Whether it certainly has no health check, of its own or of its image."""
    from docker.errors import ImageNotFound  # noqa: PLC0415  # loaded with the engine

    check = raw.get("healthcheck") or {}
    test = check.get("test") or []
    if not check.get("disable") and not test:
        try:
            config = engine.client.images.get(service.image).attrs.get("Config") or {}
        except ImageNotFound:
            return False  # it has still to be pulled
        test = (config.get("Healthcheck") or {}).get("Test") or []
    return bool(check.get("disable")) or not test or test[0] == "NONE"
