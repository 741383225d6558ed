"""Builds the image of a service, unless one of the same inputs will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._engines import build_service
from hullmark._smoke import missing_images
from hullmark.errors import Unavailable
from hullmark.model.outcome import Check, Ran
from hullmark.model.project import DropsTo

if TYPE_CHECKING:
    from hullmark._checks.run import Run
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service


def build(run: Run, service: Service) -> Outcome:
    """Builds the image of `service`; a failure is a finding."""
    engine = run.surroundings.engine  # one that is missing is told as such, not as a failed build
    progress = run.surroundings.progress
    inputs = run.reuse.digest(service)
    wanted = run.reuse.wanted(service, inputs)
    if run.reusing and (found := run.reuse.find(service, wanted, engine)):
        run.reuse.keep(inputs)
        return Ran(note=f"reused: {found}")
    failure = build_service(
        run.project,
        service,
        run.surroundings.commands,
        lambda step: progress.begin(Check.BUILD, service.name, step),
        run.recipe(service),
        run.reuse.labels(service, wanted, engine),
    )
    if failure is None:
        run.reuse.keep(inputs)
    return Ran(findings=() if failure is None else apply(failure, service.name))


def lacking(run: Run, checks: tuple[Check, ...]) -> tuple[Service, ...]:
    """Services that are not among those to be checked, but have to be started with them and have no image yet."""
    others = {service.name for service in run.project.built} - {service.name for service in run.services}
    starting: set[str] = set()
    if Check.SMOKE in checks:
        starting |= others
    if Check.VALIDATE in checks:
        for service in run.services:
            if isinstance(run.project.settings.service(service.name).user, DropsTo):
                starting |= others.intersection(run.project.needed((service.name,)))
    if not starting:
        return ()
    try:
        found = missing_images(run.project, sorted(starting), run.surroundings.engine)
    except Unavailable:
        return ()  # every build says so
    for service in found:
        run.surroundings.progress.begin(
            Check.BUILD, service.name, "not asked for, but what starts needs its image, and there is none"
        )
    return found
