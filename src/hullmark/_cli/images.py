"""From what a user names on the command line, an image or a service, to all that is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect, side_of
from hullmark._checks import Surroundings
from hullmark._cli.options import flags
from hullmark._compose.resolve import unknown_service
from hullmark._contents.kept import contents_in, report_named
from hullmark._contents.stage import unfollowed
from hullmark._contents.update import update
from hullmark._dockerfile import recipe_of
from hullmark._images.interface import NoSuchImage
from hullmark._images.reference import SCHEMES
from hullmark._pipeline import open_project
from hullmark._process import SystemCommands
from hullmark._smoke import labels_of_run
from hullmark.errors import (
    ConfigurationError,
    HullmarkError,
    Interrupted,
    Unavailable,
    UsageError,
    nearest,
)
from hullmark.model.progress import Silent
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.difference import Contents, Update
    from hullmark.model.project import Project, Service


_NAME = re.compile(r"[a-zA-Z0-9._-]+").fullmatch
"""What a service can be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be known of an image."""

    platform: str | None = None
    """Which one, of an image for several; this machine's where it is not given."""
    contents: bool = False
    """Whether equal files are found, for which every byte is read."""
    transfer: bool = False
    """Whether blobs that nobody has made yet are measured, for which layers are compressed."""
    stage: str | None = None
    """The image that it is said to be a squash of."""


def anatomy_of(session: Session, name: str, wanted: Wanted) -> Anatomy:
    """All about the image or the service called `name`.

    Raises `UsageError` for what names neither, `Unavailable` where an image is not to be had, or is no squash of the stage that was given, and
    `DamagedImage`.
    """
    reading = _reading(session)
    project, service = _named(session, name)
    return _anatomy(session, reading, name, project, service, wanted)


def sized(
    session: Session,
    name: str,
    wanted: Wanted,
    *,
    previous: str | None = None,
    previous_stage: str | None = None,
) -> tuple[Anatomy, Update | None]:
    """All about the image or the service called `name`, and what a host must pull for it that has `previous`.

    That is an image or a report that was kept; without it, what the settings of a service name. Where that is not to be
    had, it is a note. Raises as `anatomy_of`.
    """
    reading = _reading(session)
    project, service = _named(session, name)
    anatomy = _anatomy(session, reading, name, project, service, wanted)
    if wanted.stage is None and service is None and (lost := unfollowed(anatomy)):
        built_by = _built_by(session, name, project)
        better = (
            "" if built_by is None else f"`hullmark size {built_by.name}` looks it up in its stage; else "
        )
        note = f"{lost}: {better}`--stage-image IMAGE` names the stage"
        anatomy = replace(anatomy, notes=(note, *anatomy.notes))
    before = previous
    if before is None and project is not None and service is not None:
        before = project.settings.service(service.name).previous or project.settings.previous
    if before is None:
        if previous_stage is not None:
            raise UsageError("--previous-stage-image says nothing without --previous")
        return anatomy, None
    root = session.directory if previous is not None or project is None else project.root
    own = None if service is None else service.name
    try:
        there = reading.previous(before, own, root, platform=anatomy.image.platform, stage=previous_stage)
    except Interrupted:
        raise
    except HullmarkError as error:
        if previous is not None:
            raise
        note = f"what an update takes is not known: the previous image, {before}: {error.message}"
        return replace(anatomy, notes=(*anatomy.notes, note)), None
    return anatomy, update(there, side_of(anatomy))


def contents_of(session: Session, name: str, wanted: Wanted) -> Contents:
    """One side of a comparison: an image, a service, or what a JSON report that was kept says of one.

    Raises as `anatomy_of`, and `ConfigurationError` for a file that is no report of this tool.
    """
    report = report_named(name)
    if report is not None and (path := session.directory / report[0]).is_file():
        file, service = report
        try:
            return contents_in(path.read_bytes(), file, service)
        except OSError as error:
            raise ConfigurationError([f"{file}: cannot be read: {error.strerror}"]) from error
    if report is not None and name.partition(":")[0] not in SCHEMES:
        raise UsageError(
            f"there is no report `{report[0]}`",
            hint="write one with `--report json=FILE`, or `--format json`",
        )
    return side_of(anatomy_of(session, name, wanted))


def _reading(session: Session) -> Reading:
    commands = SystemCommands(session.environ, session.cancelled)
    return Reading(commands, session.environ, session.cancelled)


def _named(session: Session, name: str) -> tuple[Project | None, Service | None]:
    """The project here, if there is one, and its service called `name`, if there is one."""
    if not session.quiet:
        session.tell(f"reading {name} ...")
    if name.partition(":")[0] in SCHEMES:
        return None, None
    project = _project(session, SystemCommands(session.environ, session.cancelled))
    if project is None:
        return None, None
    session.warn(project.warnings)
    return project, next((service for service in project.services if service.name == name), None)


def _anatomy(
    session: Session,
    reading: Reading,
    name: str,
    project: Project | None,
    service: Service | None,
    wanted: Wanted,
) -> Anatomy:
    image = f"docker:{service.image}" if service is not None else name
    if project is None or service is None or wanted.platform is not None:
        try:
            opened = reading.image(image, platform=wanted.platform, contents=wanted.contents)
        except NoSuchImage as error:
            raise _misspelt(name, project, error) from error
        squashed = (
            None
            if wanted.stage is None
            else reading.image(wanted.stage, platform=opened.platform, contents=wanted.contents)
        )
        anatomy = dissect(opened, squashed=squashed)
    else:
        surroundings = Surroundings(
            commands=SystemCommands(session.environ, session.cancelled),
            environ=session.environ,
            progress=Silent(),
            cancelled=session.cancelled,
        )
        anatomy = reading.service(
            project,
            service,
            recipe_of(service, project.root),
            lambda: surroundings.engine,
            labels=labels_of_run,
            stage=wanted.stage,
            contents=wanted.contents,
        )
    return reading.measured(anatomy, image, wanted.platform) if wanted.transfer else anatomy


def _built_by(session: Session, name: str, project: Project | None) -> Service | None:
    """The service of the project here, if there is one, that builds the image of the engine called `name`."""
    scheme, _, rest = name.partition(":")
    called = rest if scheme == "docker" else name if scheme not in SCHEMES else None
    if called is None:
        return None
    try:
        project = project or _project(session, SystemCommands(session.environ, session.cancelled))
        wanted = parse_reference(called)
        built = () if project is None else (each for each in project.services if each.build is not None)
        return next((each for each in built if parse_reference(each.image) == wanted), None)
    except (ConfigurationError, Unavailable, UsageError, ValueError):
        # Of a hint that cannot be given, nothing has to be said.
        return None


def _misspelt(name: str, project: Project | None, error: NoSuchImage) -> HullmarkError:
    """The error for what the engine does not have, and what may have been meant as a service of the project."""
    if project is None or not _NAME(name):
        return error
    services = [service.name for service in project.services]
    if name in services:
        return error
    message = f"{unknown_service(name, services)}, and {error.message}"
    return UsageError(message) if nearest(name, services) else Unavailable(message, hint=error.hint)


def _project(session: Session, commands: SystemCommands) -> Project | None:
    """The project here, if there is one: an image is read without."""
    try:
        return open_project(session.directory, (), commands, session.environ, flags())[0]
    except (ConfigurationError, Unavailable):
        if flags():
            raise
        return None
