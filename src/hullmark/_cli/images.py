"""From what a user names on the command line, an image or a service, to all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect
from hullmark._checks import Surroundings
from hullmark._cli.options import flags
from hullmark._contents.difference import contents as side
from hullmark._contents.kept import contents_in, report_named
from hullmark._dockerfile import recipe_of
from hullmark._images.reference import SCHEMES
from hullmark._pipeline import open_project
from hullmark._process import SystemCommands
from hullmark._smoke import labels_of_run
from hullmark.errors import ConfigurationError, Unavailable
from hullmark.model.progress import Silent

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.difference import Contents
    from hullmark.model.project import Project


def anatomy_of(
    session: Session,
    name: str,
    *,
    platform: str | None = None,
    contents: bool = False,
    transfer: bool = False,
) -> Anatomy:
    """All about the image or the service called `name`; with `transfer`, also of blobs that nobody has made yet.

    Raises `Unavailable` where the image is not to be had, and `DamagedImage`.
    """
    commands = SystemCommands(session.environ, session.cancelled)
    surroundings = Surroundings(
        commands=commands, environ=session.environ, progress=Silent(), cancelled=session.cancelled
    )
    reading = Reading(commands, session.environ, session.cancelled)
    if not session.quiet:
        session.tell(f"reading {name} ...")
    project = None if name.partition(":")[0] in SCHEMES else _project(session, commands)
    if project is not None:
        session.warn(project.warnings)
    service = None if project is None else next((s for s in project.services if s.name == name), None)
    image = f"docker:{service.image}" if service is not None else name
    if project is None or service is None or platform is not None:
        anatomy = dissect(reading.image(image, platform=platform, contents=contents))
    else:
        anatomy = reading.service(
            project,
            service,
            recipe_of(service, project.root),
            lambda: surroundings.engine,
            labels=labels_of_run,
            contents=contents,
        )
    return reading.measured(anatomy, image, platform) if transfer else anatomy


def _project(session: Session, commands: SystemCommands) -> Project | None:
    """The project here, if there is one: an image is read without."""
    try:
        return open_project(session.directory, (), commands, session.environ, flags())[0]
    except (ConfigurationError, Unavailable):
        if flags():
            raise
        return None


def contents_of(
    session: Session, name: str, *, platform: str | None = None, contents: bool = False
) -> Contents:
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
    anatomy = anatomy_of(session, name, platform=platform, contents=contents)
    return side(anatomy.image, anatomy.files, anatomy.ownership, anatomy.attribution)
