"""`hullmark validate`: what the built images promise and hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@options.services
@click.option("--build", is_flag=True, help="Build the images first.")
@options.stage_images
@options.project
@options.reporting
@click.pass_obj
def command(session: Session, /, *, services: tuple[str, ...], build: bool, **output: Any) -> int:
    """Check the built images: labels, user, secrets, what is missing, and sizes against the budgets."""
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    return check(session, services, [*([Check.BUILD] if build else []), Check.VALIDATE], **output)
