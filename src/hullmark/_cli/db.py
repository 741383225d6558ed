"""`hullmark db`: the records of known vulnerabilities that images are held against."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark._vulnerabilities.ecosystems import Ecosystem
    from hullmark._vulnerabilities.store import About
    from hullmark._vulnerabilities.update import Updated
    from hullmark.model.project import ScanSettings

_NOWHERE = "nothing is kept: HULLMARK_NO_CACHE is set, or there is no home"
_INCOMPLETE = 3


@click.group
def command() -> None:
    """Fetch, show or remove the records of known vulnerabilities, of which the embedded scanner knows."""


@command.command
@click.argument("ecosystems", nargs=-1, metavar="[ECOSYSTEM]...")
@click.option(
    "--image", "images", multiple=True, metavar="IMAGE", help="Fetch what this image needs; may be repeated."
)
@click.option("--whole", is_flag=True, help="Fetch everything, whether it has changed or not.")
@options.settings("scan.db-url", "scan.db-max-age")
@click.pass_obj
def update(session: Session, /, *, ecosystems: tuple[str, ...], images: tuple[str, ...], whole: bool) -> int:
    """Fetch what has changed since the last time.

    ECOSYSTEM is a name as OSV writes it, such as Debian, Alpine, PyPI, npm or Go. Without any, it is those that are
    stored already and those that the built images of the project here need; where nothing tells, Alpine, Debian, Go,
    PyPI and npm.

    What cannot be fetched stays as it was: exit 3 only where nothing is stored that is young enough.
    """
    from hullmark._vulnerabilities.ecosystems import USUAL, ecosystem  # noqa: PLC0415  # loaded when it is called
    from hullmark._vulnerabilities.feed import open_feed  # noqa: PLC0415
    from hullmark._vulnerabilities.update import Updating  # noqa: PLC0415
    from hullmark.errors import Unavailable  # noqa: PLC0415

    directory = _directory(session)
    if directory is None:
        raise Unavailable(_NOWHERE, hint="HULLMARK_CACHE_DIR names a directory for the cache")
    root, settings = _settings(session)
    wanted = {each.name: each for each in map(ecosystem, ecosystems)}
    for image in images:
        wanted |= {each.name: each for each in _of_image(session, image)}
    if not wanted:
        wanted = _used(session, directory) or {name: ecosystem(name) for name in USUAL}
    with open_feed(settings.db_url, root, session.environ, session.cancelled) as feed:
        updating = Updating(
            directory=directory,
            feed=feed,
            cancelled=session.cancelled,
            tell=(lambda _: None) if session.quiet else lambda text: session.tell(f"{text} ..."),
        )
        complete = True
        for done in updating.update((wanted[name] for name in sorted(wanted, key=str.lower)), whole=whole):
            complete = _told(session, done, settings.db_max_age) and complete
    return 0 if complete else _INCOMPLETE


@command.command
@options.settings("scan.db-max-age")
@click.pass_obj
def show(session: Session, /) -> None:
    """Show what is stored: how many records, how old, how large, and from where."""
    from hullmark._vulnerabilities.store import stored  # noqa: PLC0415  # loaded when it is called

    directory = _directory(session)
    if directory is None:
        session.stdout.write(f"{_NOWHERE}\n")
        return
    _, settings = _settings(session)
    found = stored(directory)
    if not found:
        session.stdout.write(f"{directory}: nothing is stored; `hullmark db update` fetches it\n")
        return
    width = max(len(each.ecosystem) for each in found)
    session.stdout.write(f"{directory}\n")
    for each in found:
        session.stdout.write(f"{each.ecosystem:<{width}}  {_line(each, settings.db_max_age)}\n")


@command.command
@click.argument("ecosystems", nargs=-1, metavar="[ECOSYSTEM]...")
@click.pass_obj
def clear(session: Session, /, *, ecosystems: tuple[str, ...]) -> None:
    """Remove what is stored of some ecosystems, or of all."""
    from hullmark._vulnerabilities.ecosystems import ecosystem  # noqa: PLC0415  # loaded when it is called
    from hullmark._vulnerabilities.feed import Directory  # noqa: PLC0415
    from hullmark._vulnerabilities.store import stored  # noqa: PLC0415
    from hullmark._vulnerabilities.update import Updating  # noqa: PLC0415

    directory = _directory(session)
    if directory is None:
        session.stdout.write(f"{_NOWHERE}\n")
        return
    there = {each.ecosystem.lower(): each.ecosystem for each in stored(directory)}
    # What another version has stored may be of an ecosystem that this one does not know.
    names = [there.get(name.lower()) or ecosystem(name).name for name in ecosystems] or list(there.values())
    updating = Updating(directory=directory, feed=Directory(path=directory), cancelled=session.cancelled)
    removed = updating.clear(names)
    size = format_size(sum(each.size for each in removed))
    gone = f"{', '.join(each.ecosystem for each in removed)}, {size}" if removed else "nothing"
    session.stdout.write(f"{directory}: removed {gone}\n")


def _directory(session: Session) -> Path | None:
    """Where records are stored, `None` where nothing is to be kept."""
    from hullmark._images.cache import Cache  # noqa: PLC0415  # loaded when it is called
    from hullmark._vulnerabilities.store import directory_in  # noqa: PLC0415

    cache = Cache.at(session.environ).directory
    return None if cache is None else directory_in(cache)


def _settings(session: Session) -> tuple[Path, ScanSettings]:
    """The directory that paths start from, and what is configured; records are fetched outside of projects, too."""
    from hullmark._root import find_root  # noqa: PLC0415  # loaded when it is called
    from hullmark._settings import load_settings  # noqa: PLC0415
    from hullmark.errors import ConfigurationError  # noqa: PLC0415

    try:
        root = find_root(session.directory, None)
    except ConfigurationError:
        root = session.directory
    flags = options.flags()
    settings = load_settings(root, session.environ, flags).scan
    # A directory that the command line names is seen from where it was typed.
    return session.directory if "scan.db-url" in flags else root, settings


def _used(session: Session, directory: Path) -> dict[str, Ecosystem]:
    """The ecosystems that are stored, and those that the built images of the project here need."""
    from hullmark._pipeline import open_project  # noqa: PLC0415  # loaded when it is called
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS  # noqa: PLC0415
    from hullmark._vulnerabilities.store import stored  # noqa: PLC0415
    from hullmark.errors import ConfigurationError, DamagedImage, Unavailable  # noqa: PLC0415

    names = (each.ecosystem for each in stored(directory))
    found = {name: ECOSYSTEMS[name] for name in names if name in ECOSYSTEMS}
    try:
        commands = SystemCommands(session.environ, session.cancelled)
        _, services = open_project(session.directory, (), commands, session.environ, {})
    except (ConfigurationError, Unavailable):
        # No project, or none that can be resolved here.
        return found
    for service in services:
        try:
            found |= {each.name: each for each in _of_image(session, f"docker:{service.image}")}
        except (Unavailable, DamagedImage) as error:
            session.warn([f"what the image of {service.name} needs is not known: {error.message}"])
    return found


def _of_image(session: Session, image: str) -> tuple[Ecosystem, ...]:
    from hullmark._cli.images import Wanted, anatomy_of  # noqa: PLC0415  # loaded when it is called
    from hullmark._contents.inventory import inventory  # noqa: PLC0415
    from hullmark._vulnerabilities.lookup import needed  # noqa: PLC0415

    return needed(inventory(anatomy_of(session, image, Wanted())))


def _told(session: Session, done: Updated, longest: float) -> bool:
    """Writes what became of one ecosystem; whether what is stored of it can be relied on."""
    from hullmark._vulnerabilities.update import Outcome  # noqa: PLC0415  # loaded when it is called

    if done.error is not None:
        session.tell(f"{session.paint('error:', fg='red', bold=True)} {done.error.message}")
        if done.error.hint:
            session.tell(f"{session.paint('help:', fg='cyan', bold=True)} {done.error.hint}")
    if done.about is None:
        session.stdout.write(f"{done.ecosystem}: nothing is stored\n")
        return False
    became = {
        Outcome.NEW: "fetched",
        Outcome.CHANGED: f"{done.changed} changed record{'' if done.changed == 1 else 's'} fetched",
        Outcome.SAME: "nothing has changed",
        Outcome.KEPT: "not updated, kept as it was",
        Outcome.MISSING: "",
    }[done.outcome]
    note = f"; {done.note}" if done.note else ""
    session.stdout.write(
        f"{done.ecosystem}: {became}, {_line(done.about, longest, agreed=done.outcome is not Outcome.KEPT)}{note}\n"
    )
    session.stdout.flush()
    return done.outcome is not Outcome.KEPT or not _overdue(done.about, longest)


def _line(known: About, longest: float, *, agreed: bool = True) -> str:
    size = format_size(known.size)
    if not known.usable:
        by = f"stored by another version of hullmark (schema {known.schema})" if known.schema else "damaged"
        return f"{by}, {size}; `hullmark db update` builds it anew"
    overdue = f", older than {_days(longest)}" if _overdue(known, longest) else ""
    records = f"{known.records} record{'' if known.records == 1 else 's'}"
    dates = f"fetched {known.fetched[:10]}, newest record {known.newest[:10]}"
    return f"{records}, {_age(known, agreed=agreed)}{overdue}, {dates}, {size}, from {known.source}"


def _overdue(known: About, longest: float) -> bool:
    return known.age(dt.datetime.now(dt.UTC)).total_seconds() > longest


def _age(known: About, *, agreed: bool) -> str:
    """How old it is; what did not agree with its source just now may be young, and is not up to date."""
    seconds = known.age(dt.datetime.now(dt.UTC)).total_seconds()
    if seconds < 3600:  # noqa: PLR2004  # an hour
        return "up to date" if agreed else "less than an hour old"
    moment, by = known.as_of
    of_copy = moment != dt.datetime.fromisoformat(known.fetched)
    return f"{_days(seconds)} old{f' by {by}' if of_copy else ''}"


def _days(seconds: float) -> str:
    hours = int(seconds // 3600)
    if hours < 48 and hours % 24:  # noqa: PLR2004  # two days
        return f"{hours} h"
    return f"{hours // 24} day{'' if hours // 24 == 1 else 's'}"
