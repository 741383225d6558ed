"""`hullmark lint`: Dockerfiles against the conventions; needs no engine."""

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
@click.pass_obj
def command(session: Session, /, *, services: tuple[str, ...], **output: Any) -> int:
    """Hold the Dockerfiles of the project to the conventions.

    Needs Docker's command line with Compose, but no engine. `hullmark explain` lists the rules.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    return check(session, services, [Check.LINT], **output)
