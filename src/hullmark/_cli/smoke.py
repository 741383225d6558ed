"""`hullmark smoke`: an isolated copy of the stack, watched, probed and removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.option("--build/--no-build", default=True, help="Build the images first.  [default: build]")
@click.option(
    "--image",
    "images",
    type=options.Given(),
    multiple=True,
    help="Run this image instead of building that of the service; pulled where it has a digest and is not here. May be "
    "repeated.",
)
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write configuration, logs, events and health of the stack to a directory below DIR, without secrets.",
)
@click.option(
    "--keep", is_flag=True, help="Leave the stack up, and say how to look around and how to remove it."
)
@click.option(
    "--reap",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    help="Start nothing: remove what killed runs left behind, or the stack of RUN, which was kept.",
)
@options.project
@options.settings("smoke.timeout", "smoke.drills", "smoke.drill-timeout", "smoke.upgrade-from")
@options.reporting
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    build: bool,
    images: tuple[tuple[str, str], ...],
    artifacts: Path | None,
    keep: bool,
    reap: str | None,
    **output: Any,
) -> int:
    """Start an isolated copy of the whole stack, wait until it is healthy, try its probes and links, remove it.

    Runs beside your own copy: it has a project name, ports and volumes of its own.
    """
    if reap is not None:
        if keep or artifacts or images:
            raise click.UsageError("`--reap` starts nothing that could be kept or written about")
        from hullmark._cli.reaping import reap_runs  # noqa: PLC0415

        return reap_runs(session, reap or None)
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark.model.stack import Aftermath  # noqa: PLC0415

    return check(
        session,
        (),
        [*([Check.BUILD] if build else []), Check.SMOKE],
        images=dict(images),
        aftermath=Aftermath(
            keep=keep, artifacts=None if artifacts is None else session.directory / artifacts
        ),
        **output,
    )
