"""Upgrade: the images that hosts have write, those of the project take over the same volumes, and read."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark._compose import exchanged
from hullmark._contents.kept import NamedImage, images_in, report_named
from hullmark._smoke.drills.ground import Ground, told
from hullmark._smoke.drills.persist import unread, written
from hullmark.errors import ConfigurationError, Unavailable
from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._engines import Engine
    from hullmark._smoke.drills.apart import Apart
    from hullmark._smoke.stack import Stack
    from hullmark.model.drill import DrillResult
    from hullmark.model.project import Project

_RUNNABLE = re.compile(r"(?:docker|registry):(?!\d)")
"""Sources of images that an engine can start."""
_NO_SET = "no images to upgrade from (`--upgrade-from`, or `previous`)"


@dataclass(kw_only=True)
class _Voyage:
    """An upgrade while it goes on."""

    apart: Apart
    old: dict[str, str]
    """Services, and the images that hosts have of them."""
    results: dict[str, DrillResult]

    def rest(self, result: DrillResult) -> None:
        """Gives `result` to every service that has none yet."""
        for name in self.apart.services:
            self.results.setdefault(name, result)


def drill(apart: Apart) -> Iterator[DrillRun]:
    """An upgrade of all services of which there is an older image, at once."""
    began = time.monotonic()
    results: dict[str, DrillResult] = {
        name: Exempt(reason=f"left out by `skip` of `[services.{name}.drills]`")
        for name in apart.services
        if apart.skips(name, Drill.UPGRADE)
    }
    old = {
        name: held(apart.engine, image)
        for name, image in old_images(apart.project).items()
        if name in apart.services
    }
    voyage = _Voyage(apart=apart, old={k: v for k, v in old.items() if k not in results}, results=results)
    same = {
        name for name, image in voyage.old.items() if _same(apart.engine, image, _image(apart.project, name))
    }
    results |= {name: Exempt(reason=f"`{voyage.old[name]}` is the image that it has") for name in same}
    voyage.old = {name: image for name, image in voyage.old.items() if name not in same}
    if voyage.old:
        apart.begin(f"drill {Drill.UPGRADE} ({', '.join(sorted(voyage.old))})")
        try:
            _sail(voyage)
        except Unavailable as error:
            voyage.rest(Undrilled(error=error.message))
    voyage.rest(Exempt(reason=_NO_SET))
    for name in apart.services:
        run = DrillRun(
            drill=Drill.UPGRADE,
            service=name,
            span=apart.project.service(name).span,
            result=results[name],
            seconds=0.0 if isinstance(results[name], Exempt) else time.monotonic() - began,
        )
        told(apart.progress, run)
        yield run


def _sail(voyage: _Voyage) -> None:
    """Starts the old images, writes, switches, reads."""
    apart, old = voyage.apart, voyage.old
    # They may have to be fetched.
    project = exchanged(apart.project, old, pull_policy="missing")
    with apart.running(Drill.UPGRADE, project) as stack:
        if not stack.timeline.is_ready():
            bad = [f"`{run.service}` is {run.state}" for run in stack.timeline.services() if not run.ready]
            voyage.rest(Undrilled(error=f"the old images do not come up: {', '.join(bad)}"))
        else:
            ground = Ground(stack=stack, commands=apart.commands, progress=apart.progress, links=apart.links)
            _switch(voyage, ground)


def _switch(voyage: _Voyage, ground: Ground) -> None:
    keepers = written(ground)
    new = renewed(ground.stack, {name: _image(voyage.apart.project, name) for name in voyage.old})
    ground.recreate(tuple(sorted(voyage.old)), new)
    for name in ground.services:
        keeper = keepers[name]
        if name in voyage.results:
            continue
        keeps = bool(keeper.persist) and not keeper.trouble
        if name not in voyage.old and not keeps:
            voyage.results[name] = Exempt(reason=_NO_SET)
            continue
        if keeper.trouble and not keeper.derived:
            voyage.results[name] = Undrilled(error=f"with {voyage.old[name]} {keeper.trouble}")
            continue
        why = ground.unwell((name,), ground.within(name)) or ground.unanswered((name,))
        if not why and keeps:
            why = unread(
                ground, keeper, "with the new image" if name in voyage.old else "beside the new images"
            )
        before = voyage.old.get(name, "its own image")
        if why:
            voyage.results[name] = Failed(
                seen=f"after an upgrade from {before}: {why}",
                remedy=f"let the new image of `{name}` take over what the old one wrote (a migration in its entrypoint), or "
                "say how hosts are to be upgraded",
                key="upgrade",
            )
        else:
            read = (
                "and what was written is there"
                if keeps
                else f"{keeper.trouble or 'nothing was written to it'}"
            )
            voyage.results[name] = Passed(seen=f"it works after an upgrade from {before}; {read}")


# --- images --------------------------------------------------------------------------------------------------------


def old_images(project: Project) -> dict[str, NamedImage]:
    """The images that hosts have, by service: of `upgrade_from`, or else what is `previous`.

    Raises `ConfigurationError` for a report that cannot be used, or a service that is not there.
    """
    names = [service.name for service in project.services]
    given = project.settings.upgrade_from
    items = [(item, names) for item in given] or [
        (previous if report_named(previous) is not None else f"{name}={previous}", [name])
        for name in names
        if (previous := project.settings.service(name).previous or project.settings.previous) is not None
    ]
    found: dict[str, NamedImage] = {}
    problems: list[str] = []
    for item, concerned in items:
        try:
            found |= _images_of(project, item, concerned)
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(dict.fromkeys(problems))
    return found


def _images_of(project: Project, item: str, names: Iterable[str]) -> dict[str, NamedImage]:
    """What `item`, a report or SERVICE=REFERENCE, says of the services `names`."""
    if (report := report_named(item)) is not None:
        file, only = report
        try:
            text = (project.root / file).read_bytes()
        except OSError as error:
            raise ConfigurationError([f"{file}: cannot be read: {error.strerror}"]) from error
        images = images_in(text, file)
        return {name: images[only or name] for name in names if (only or name) in images}
    service, equals, reference = item.partition("=")
    if not equals or not reference:
        raise ConfigurationError([f"`upgrade-from`: `{item}` is neither a JSON report nor SERVICE=REFERENCE"])
    if service not in names:
        raise ConfigurationError([f"`upgrade-from`: there is no service `{service}` ({', '.join(names)})"])
    return {service: NamedImage(reference=reference)}


def held(engine: Engine, image: NamedImage) -> str:
    """What the engine starts `image` by: itself where the engine has it, for a name may stand for another by now."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    if image.config_digest is not None:
        try:
            return str(engine.client.images.get(image.config_digest).id)
        except (NotFound, APIError):
            pass
    reference = _RUNNABLE.sub("", image.reference, count=1)
    if image.digest is None or "@" in reference:
        return reference
    return f"{re.sub(r':[^:/]+$', '', reference)}@{image.digest}"


def _image(project: Project, name: str) -> str:
    return project.service(name).image


def _same(engine: Engine, one: str, other: str) -> bool:
    """Whether the engine has both, and they are the same."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    try:
        return engine.client.images.get(one).id == engine.client.images.get(other).id
    except (NotFound, APIError):
        return False


def renewed(stack: Stack, images: dict[str, str]) -> str:
    """The configuration of `stack` with `images` in place of those that it has, by service."""
    raw: dict[str, Any] = json.loads(stack.copy.configuration)
    for name, image in images.items():
        raw["services"][name].update(image=image, pull_policy="never")
    return json.dumps(raw)
