"""`hullmark build`: images, built by Compose, with the failing instruction named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@options.services
@options.project
@options.reporting
@click.option(
    "--reuse",
    is_flag=True,
    help="Build nothing whose image, here or in its registry, was built from the same inputs.",
)
@click.pass_obj
def command(session: Session, /, *, services: tuple[str, ...], reuse: bool, **output: Any) -> int:
    """Build the images of all services, or of those that are named, as `docker compose build` does.

    When a build fails, the report names the instruction and shows the last lines that it printed. Each image is given
    a digest of all that it is built from, as the label `io.hullmark.inputs`.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    return check(session, services, [Check.BUILD], reusing=reuse, **output)
