"""`hullmark check`: the whole way from Dockerfile to verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@options.services
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice([str(check) for check in Check]),
    help="Leave a step out; may be repeated.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Add what is measured to the history, which `hullmark history` shows.",
)
@options.project
@options.settings("smoke.timeout", "scan.fail-on")
@options.reporting
@click.pass_obj
def command(
    session: Session, /, *, services: tuple[str, ...], skip: tuple[str, ...], record: bool, **output: Any
) -> int:
    """Lint, build, validate, smoke-test and scan; one report, one verdict.

    Works on the images of all services, or of those that are named; the smoke test starts the whole stack.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    return check(
        session, services, [each for each in Check if str(each) not in skip], record=record, **output
    )
