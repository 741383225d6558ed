"""What the commands that check have in common: from a request to a report, and from the report to an exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._checks import Surroundings
from hullmark._cli.destinations import refuse_unwritable, settle_failures, write_all
from hullmark._cli.options import flags
from hullmark._cli.recording import Recording
from hullmark._compose import with_stage_images
from hullmark._pipeline import open_project, run_checks
from hullmark._process import SystemCommands
from hullmark._reporters import Style, render
from hullmark.errors import UsageError
from hullmark.model.stack import Aftermath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.errors import HullmarkError
    from hullmark.model.fix import Fixed
    from hullmark.model.outcome import Check
    from hullmark.model.project import Project, Service
    from hullmark.model.report import Report
    from hullmark.model.stack import Kept
    from hullmark.model.verdict import Policy


def check(
    session: Session,
    services: Iterable[str],
    checks: Iterable[Check],
    *,
    format_: str,
    reports: Sequence[tuple[str, Path]],
    policy: Callable[[Policy], Policy] = lambda policy: policy,
    fix: Callable[[Project, tuple[Service, ...]], tuple[Fixed, ...]] = lambda _project, _services: (),
    reusing: bool = False,
    images: Mapping[str, str] | None = None,
    stages: Iterable[tuple[str, str]] = (),
    aftermath: Aftermath = Aftermath(),  # noqa: B008  # it cannot change
    suppressed: bool = False,
    document: str | None = None,
    record: bool = False,
) -> int:
    """Runs `checks` on `services` (all when empty), writes the report, and gives the verdict's exit code.

    What `fix` does before that is in the report as well. `images` run in place of those of the project, by service, and
    `stages` are what theirs are squashes of. With `reusing`, what was built from the same inputs is not built again. With
    `suppressed`, the text lists what is ignored. `document` lists the software of the one service that is meant.
    With `record`, what is measured is added to the history; where that fails, the report is written all the same, and
    a verdict without findings becomes that error.
    """
    refuse_unwritable(session, reports)
    commands = SystemCommands(session.environ, session.cancelled)
    project, chosen = open_project(
        session.directory, services, commands, session.environ, flags(), images=images
    )
    project = with_stage_images(project, dict(stages))
    session.warn(project.warnings)
    if "baseline.new-only" in flags() and project.settings.baseline.against is None:
        raise UsageError(
            "`--new-only` tells what is new from a baseline, and there is none",
            hint="name it with `--baseline`",
        )
    if document is not None and len(chosen) != 1:
        raise UsageError(
            f"a document is about one service, and this is about {len(chosen)}",
            hint=f"`hullmark scan SERVICE --sbom {document}`",
        )
    recording = Recording(session=session, project=project, wanted=record)
    recording.begin(commands)
    fixed = fix(project, chosen)
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
            reusing=reusing,
            aftermath=aftermath,
            documents={} if document is None else {chosen[0].name: document},
        )
    finally:
        progress.close()
    report = recording.shown(
        replace(report, fixed=fixed), drawn="html" in {format_, *(each for each, _ in reports)}
    )
    _show(session, format_, report, suppressed=suppressed)
    failed: list[HullmarkError] = [
        *write_all(
            (session.directory / path, "".join(render(file_format, report, Style())))
            for file_format, path in reports
        )
    ]
    if report.stack is not None and report.stack.kept is not None:
        for line in _about_kept(report.stack.kept):
            session.tell(line)
    settle_failures(session, [*failed, *recording.failures()], report.verdict)
    return report.verdict.exit_code


def _about_kept(kept: Kept) -> Iterator[str]:
    """How to look around in a stack that stays up, and how to get rid of it."""
    yield f"The stack stays up as the Compose project {kept.name}."
    yield f"  look      docker compose -p {kept.name} ps -a"
    yield f"            docker compose -p {kept.name} logs -f [SERVICE]"
    if kept.services:
        yield f"            docker compose -p {kept.name} exec {kept.services[0]} sh"
    for service, port, address in kept.addresses:
        yield f"  {service}, port {port}: {address}"
    yield f"  remove    hullmark smoke --reap {kept.name}"


def _show(session: Session, format_: str, report: Report, *, suppressed: bool) -> None:
    """Writes the report to standard output, before files are tried: whatever they do, it is not lost."""
    if format_ != "text":
        session.write_for_programs("".join(render(format_, report, Style())))
        return
    session.write(render(format_, report, replace(session.style(), suppressed=suppressed)))
