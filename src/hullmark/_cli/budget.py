"""`hullmark budget`: how large the images are, how large they may be, and setting that anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark._settings.proposal import HEADROOM, budget
from hullmark.model.size import format_share, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.model.project import Project, Service


@click.group
def command() -> None:
    """Show the sizes of images beside their budgets, or set the budgets anew."""


@command.command
@options.services
@options.project
@click.pass_obj
def show(session: Session, /, *, services: tuple[str, ...]) -> int:
    """Show how much of its budget each image takes; exit with 1 when one takes more."""
    project, measured = measure(session, services)
    width = max(len("service"), *(len(service.name) for service, _ in measured)) if measured else 0
    session.stdout.write(f"{'service':<{width}}{'size':>12}{'budget':>12}{'used':>7}\n")
    over = False
    for service, size in measured:
        budget = project.settings.service(service.name).budget
        limit = "none" if budget is None else format_size(budget.size)
        used = "" if budget is None else format_share(size, budget.size)
        over = over or (budget is not None and size > budget.size)
        session.stdout.write(f"{service.name:<{width}}{format_size(size):>12}{limit:>12}{used:>7}\n")
    session.stdout.flush()
    return 1 if over else 0


@command.command
@options.services
@click.option(
    "--headroom",
    type=click.IntRange(0, 1000),
    default=HEADROOM,
    show_default=True,
    help="Per cent that an image may grow.",
)
@options.project
@click.pass_obj
def update(session: Session, /, *, services: tuple[str, ...], headroom: int) -> int:
    """Set the budget of each service to what its image has now, and some room to grow.

    What stands in hullmark.toml besides stays as it is, comments and order included.
    """
    from hullmark._files import write_whole  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._settings.edit import configuration_file, with_values  # noqa: PLC0415

    project, measured = measure(session, services)
    path, below = configuration_file(project.root)
    text = _text(path)
    values: dict[Sequence[str], str] = {}
    for service, size in measured:
        before = project.settings.service(service.name).budget
        after = budget(size, headroom)
        values[*below, "services", service.name, "budget"] = after
        was = "none" if before is None else format_size(before.size)
        session.stdout.write(f"{service.name}: {was} -> {after} (it has {format_size(size)})\n")
    session.stdout.flush()
    write_whole(path, with_values(text, path.name, values).encode("utf-8"), what=path.name)
    return 0


def _text(path: Path) -> str:
    # With the line ends that it has: they are not what is being changed.
    return path.read_bytes().decode("utf-8") if path.exists() else ""


def measure(session: Session, names: Iterable[str]) -> tuple[Project, list[tuple[Service, int]]]:
    """The project, and the size of the image of each service in bytes, unpacked."""
    from hullmark._anatomy import Reading  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    project, services = open_project(session.directory, names, commands, session.environ, options.flags())
    session.warn(project.warnings)
    if not services:
        raise UsageError("the project builds no images, so that there is nothing to have a budget")
    reading = Reading(commands, session.environ, session.cancelled)
    return project, [(service, reading.bare(f"docker:{service.image}").unpacked) for service in services]
