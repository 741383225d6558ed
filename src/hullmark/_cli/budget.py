"""`hullmark budget`: how large the images are, how large they may be, and setting that anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark._settings.proposal import HEADROOM, budget
from hullmark.errors import Unavailable, UsageError
from hullmark.model.size import format_share, format_size
from hullmark.model.verdict import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from hullmark._budgets import Measure, Taken
    from hullmark._cli.session import Session
    from hullmark.model.project import ServiceSettings


@click.group
def command() -> None:
    """Show the sizes of images beside their budgets, or set the budgets anew."""


@command.command
@options.services
@options.project
@click.pass_obj
def show(session: Session, /, *, services: tuple[str, ...]) -> int:
    """Show how much of its budgets each image takes; exit with 1 when one takes more.

    Unpacked, and of what there is a budget for: what a host pulls without any of it, and what one pulls that has the
    previous image. An engine may keep layers without compression: then what is pulled is estimated by compressing them.
    """
    from hullmark._budgets import budgeted  # noqa: PLC0415  # loaded when it is called, not for the help

    found = measure(session, services, budgeted)
    width = max(len("service"), *(len(each.service) for each in found))
    session.stdout.write(f"{'service':<{width}} {'what':<8}{'size':>12}{'budget':>12}{'used':>7}\n")
    for each in found:
        size = "not known" if each.size is None else format_size(each.size)
        limit = "none" if each.budget is None else format_size(each.budget.size)
        used = "" if each.budget is None or each.size is None else format_share(each.size, each.budget.size)
        note = "  (estimated)" if each.estimated else ""
        line = f"{each.service:<{width}} {each.measure:<8}{size:>12}{limit:>12}{used:>7}{note}"
        session.stdout.write(f"{line.rstrip()}\n")
    session.stdout.flush()
    unknown = _unknown(found)
    for reason in unknown:
        session.tell(reason)
    return settle(failing=any(each.over for each in found), unchecked=bool(unknown), ran=True).value


@command.command
@options.services
@click.option(
    "--headroom",
    type=click.IntRange(0, 1000),
    default=HEADROOM,
    show_default=True,
    help="Per cent that an image may grow.",
)
@click.option(
    "--for",
    "also",
    type=click.Choice(["transfer", "update"]),
    multiple=True,
    help="Also set a budget of what is pulled where there is none; may be repeated.",
)
@options.project
@click.pass_obj
def update(session: Session, /, *, services: tuple[str, ...], headroom: int, also: tuple[str, ...]) -> int:
    """Set the budgets of each service to what its image takes now, and some room to grow.

    That is `budget`, and `transfer-budget` and `update-budget` where they are set or asked for. What stands in
    hullmark.toml besides stays as it is, comments and order included.
    """
    from hullmark._budgets import Measure, budgeted  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._files import write_whole  # noqa: PLC0415
    from hullmark._project import root_and_settings  # noqa: PLC0415
    from hullmark._settings.edit import configuration_file, with_values  # noqa: PLC0415

    asked = tuple(map(Measure, also))
    found = measure(session, services, lambda settings: budgeted(settings, asked))
    root, _ = root_and_settings(session.directory, session.environ, options.flags())
    path, below = configuration_file(root)
    if unknown := _unknown(found):
        raise Unavailable(
            "; ".join(unknown), hint="; ".join(["no budget was changed", *_missing(found, below)])
        )
    text = _text(path)
    values: dict[Sequence[str], str] = {}
    for each in found:
        assert each.size is not None
        after = budget(each.size, headroom)
        values[*below, "services", each.service, each.measure.key] = after
        was = "none" if each.budget is None else format_size(each.budget.size)
        guess = ", estimated" if each.estimated else ""
        session.stdout.write(
            f"{each.service} {each.measure}: {was} -> {after} (it takes {format_size(each.size)}{guess})\n"
        )
    session.stdout.flush()
    write_whole(path, with_values(text, path.name, values).encode("utf-8"), what=path.name)
    return 0


def _unknown(found: Iterable[Taken]) -> list[str]:
    return [
        f"{each.service}: {each.measure} is not known: {each.unknown}" for each in found if each.size is None
    ]


def _missing(found: Iterable[Taken], below: Sequence[str]) -> Iterator[str]:
    """What to write so that the size of an update can be known; the tables of the configuration are `below`."""
    from tomlkit import key  # noqa: PLC0415  # only on the way to an error

    from hullmark._budgets import NO_PREVIOUS  # noqa: PLC0415

    tables = [
        f"`[{'.'.join((*below, 'services', key(each.service).as_string()))}]`"
        for each in found
        if each.unknown == NO_PREVIOUS
    ]
    if tables:
        yield f'set `previous = "..."`, the image that hosts have, under {" and ".join(tables)}'


def _text(path: Path) -> str:
    # With the line ends that it has: they are not what is being changed.
    return path.read_bytes().decode("utf-8") if path.exists() else ""


def measure(
    session: Session, names: Iterable[str], measures: Callable[[ServiceSettings], Collection[Measure]]
) -> list[Taken]:
    """What the images of the services called `names`, of all when there are none, take; see `taken`."""
    from hullmark._anatomy import Reading  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._budgets import taken  # noqa: PLC0415
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    project, services = open_project(session.directory, names, commands, session.environ, options.flags())
    session.warn(project.warnings)
    if not services:
        raise UsageError("the project builds no images, so that there is nothing to have a budget")
    reading = Reading(commands, session.environ, session.cancelled)
    return [
        each
        for service in services
        for each in taken(reading, project, service, measures(project.settings.service(service.name)))
    ]
