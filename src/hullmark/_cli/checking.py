"""What the commands that check have in common: from a request to a report, and from the report to an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._cli.options import flags
from hullmark._files import write_whole
from hullmark._pipeline import Surroundings, open_project, run_checks
from hullmark._process import SystemCommands
from hullmark._reporters import Style, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.model.outcome import Check
    from hullmark.model.verdict import Policy


def check(
    session: Session,
    services: Iterable[str],
    checks: Iterable[Check],
    *,
    format_: str,
    reports: Iterable[tuple[str, Path]],
    policy: Callable[[Policy], Policy] = lambda policy: policy,
) -> int:
    """Runs `checks` on `services` (all when empty), writes the report, and gives the verdict's exit code."""
    commands = SystemCommands(session.environ, session.cancelled)
    project, chosen = open_project(session.directory, services, commands, session.environ, flags())
    progress = session.progress()
    try:
        report = run_checks(
            project,
            chosen,
            checks,
            policy(project.settings.policy),
            Surroundings(
                commands=commands, environ=session.environ, progress=progress, cancelled=session.cancelled
            ),
        )
    finally:
        progress.close()
    for file_format, path in reports:
        text = "".join(render(file_format, report, Style()))
        write_whole(session.directory / path, text.encode("utf-8", "surrogateescape"), what="the report")
    style = Style(width=session.width(), colour=session.coloured(session.stdout))
    for line in render(format_, report, style):
        session.stdout.write(line)
    session.stdout.flush()
    return report.verdict.exit_code
