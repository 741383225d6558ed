"""`hullmark affected`: which services a change touches, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark._cli.affecting import BASE, FORMATS, answer

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.option(
    "--base",
    default=BASE,
    show_default=True,
    metavar="REF",
    help="What to compare with: the point where it and the head part. Empty or all zeros stands for no base.",
)
@click.option(
    "--head", metavar="REF", help="What to compare.  [default: the work tree, uncommitted changes included]"
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Format of the report; `github` writes lines for $GITHUB_OUTPUT.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Also show the digest of each image's inputs, and which of them differ from those of its last build.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="With --explain, compare with what an earlier `--explain --format json` wrote.",
)
@options.project
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    base: str,
    head: str | None,
    format_: str,
    explain: bool,
    against: Path | None,
) -> int:
    """Show the services whose images a change touches, those to smoke-test with them, and why.

    What an image is built from is read in its Dockerfile; no engine is needed. Where there is no base to compare with,
    as after a first push or a force push, everything is affected.
    """
    from hullmark._cli.options import flags  # noqa: PLC0415

    return answer(session, flags(), base=base, head=head, format_=format_, explain=explain, against=against)
