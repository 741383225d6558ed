"""`hullmark cache`: what is kept of layers that were read, and of inputs that were built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark.model.size import format_size

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark._images.cache import Usage


@click.group
def command() -> None:
    """Show or remove what is kept of image layers, so that they need not be read again, and of inputs of builds."""


@command.command
@click.pass_obj
def show(session: Session, /) -> None:
    """Show where the cache is, how many layers it knows and how much it takes."""
    from hullmark._images.cache import Cache  # noqa: PLC0415  # loaded when it is called, not for the help

    usage = Cache.at(session.environ).usage()
    if usage is None:
        session.stdout.write("nothing is kept: HULLMARK_NO_CACHE is set, or there is no home\n")
    else:
        session.stdout.write(f"{usage.path}: {_told(usage)}\n")


@command.command
@click.pass_obj
def clear(session: Session, /) -> None:
    """Remove all of it; the next run reads every layer anew, and what was built from which inputs is forgotten."""
    from hullmark._ci.records import Records  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._images.cache import Cache  # noqa: PLC0415

    Records.at(session.environ).clear()
    usage = Cache.at(session.environ).clear()
    if usage is None:
        session.stdout.write("nothing is kept: HULLMARK_NO_CACHE is set, or there is no home\n")
    else:
        session.stdout.write(f"{usage.path}: removed {_told(usage)}\n")


def _told(usage: Usage) -> str:
    return f"{usage.entries} layer{'' if usage.entries == 1 else 's'}, {format_size(usage.size)}"
