"""What the commands that check have in common: from a request to a report, and from the report to an exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hullmark._cli.options import flags
from hullmark._pipeline import Surroundings, open_project, run_checks
from hullmark._process import SystemCommands
from hullmark._reporters import Style, render
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.model.outcome import Check
    from hullmark.model.report import Report
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
        _write(session.directory / path, file_format, report)
    style = Style(width=session.width(), colour=session.coloured(session.stdout))
    for line in render(format_, report, style):
        session.stdout.write(line)
    session.stdout.flush()
    return report.verdict.exit_code


def _write(path: Path, format_: str, report: Report) -> None:
    """Writes the whole report or none of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text("".join(render(format_, report, Style())), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Unavailable(f"the report cannot be written to {path}: {error.strerror}") from error
