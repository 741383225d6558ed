"""`hullmark smoke`: an isolated copy of the stack, watched, probed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.option("--build/--no-build", default=True, help="Build the images first.  [default: build]")
@options.project
@options.settings("smoke.timeout", "smoke.drills", "smoke.drill-timeout", "smoke.upgrade-from")
@options.reporting
@click.pass_obj
def command(session: Session, /, *, build: bool, **output: Any) -> int:
    """Start an isolated copy of the whole stack, wait until it is healthy, try its probes and links, remove it.

    Runs beside your own copy: it has a project name, ports and volumes of its own.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    return check(session, (), [*([Check.BUILD] if build else []), Check.SMOKE], **output)
