"""`hullmark affected`: which services a change touches, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.option(
    "--base",
    default="HEAD",
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
    type=click.Choice(["text", "json", "github"]),
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
    from hullmark._ci.examine import Where, examine  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._cli.options import flags  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    if against is not None and not explain:
        raise UsageError("`--against` says what `--explain` compares with", hint="add `--explain`")
    if explain and format_ == "github":
        raise UsageError(
            "`--format github` has no room for what `--explain` shows",
            hint="leave out `--explain`, or take `--format text` or `json`",
        )
    where = Where(
        directory=session.directory,
        commands=SystemCommands(session.environ, session.cancelled),
        environ=session.environ,
        flags=flags(),
    )
    found = examine(where, base, head, explain=explain, against=against)
    session.warn(found.warnings)
    from hullmark._reporters import affected as report  # noqa: PLC0415  # git is at work before it is loaded

    match format_:
        case "json":
            from hullmark._reporters import affected_v1  # noqa: PLC0415  # takes long to load

            session.write_for_programs(affected_v1.json(found))
        case "github":
            session.write_for_programs(report.github(found))
            if found.changes.everything:
                session.warn([report.compared(found)])
        case _:
            session.write(report.text(found))
    return 0
