"""`hullmark baseline`: what later runs are compared with."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark.errors import ConfigurationError, Unavailable, UsageError
from hullmark.model.outcome import Broken, Check, Skipped
from hullmark.model.verdict import Status, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._cli.session import Session
    from hullmark.model.baseline import Baseline
    from hullmark.model.outcome import CheckResult
    from hullmark.model.project import Project, Service
    from hullmark.model.report import Report


@click.group
def command() -> None:
    """Keep what is found today, so that later runs can be compared with it."""


@command.command
@click.argument("target", required=False, metavar="[FILE|registry:REFERENCE]")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Take it from this JSON report of `hullmark check`, or from this baseline, instead of a run.",
)
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice([str(check) for check in Check]),
    help="Leave a step out of the run; may be repeated.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Take it for no failure where something could not be checked: the baseline tells nothing of that.",
)
@options.project
@click.pass_obj
def save(
    session: Session,
    /,
    *,
    target: str | None,
    report: Path | None,
    skip: tuple[str, ...],
    partial: bool,
) -> int:
    """Check the project, and keep what there is: sizes, owners, settings, packages, findings and vulnerabilities.

    FILE has one fact on each line, so that changes of it can be read; without FILE it is `file` of `[baseline]`, which
    `hullmark check --baseline REVISION` looks for. `registry:REFERENCE` keeps it beside that image, or by that name
    where there is no image; `{service}` in it stands for each service. Findings are no failure here: exit 3 only where
    something could not be checked, and what that would have found counts as not known.
    """
    from hullmark._baseline.store import Stores, parse  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    if report is not None and skip:
        raise UsageError("`--skip` leaves a step out of a run, and with `--report` there is none")
    project, services = open_project(session.directory, (), commands, session.environ, options.flags())
    session.warn(project.warnings)
    code = 0
    if report is None:
        chosen = [each for each in Check if str(each) not in skip]
        made = _checked(session, project, services, chosen)
        session.warn(_unchecked(made.results))
        if made.verdict.status is Status.NOTHING:
            raise Unavailable("nothing was checked, so that there is nothing to keep")
        # Findings decide nothing here.
        only = replace(made.policy, advisory=frozenset(Check))
        status = decide(made.results, only).status
        code = 0 if partial and status is Status.UNCHECKED else status.value
        content = _rendered(made)
    else:
        content = _read(session.directory / report, str(report))
    baseline = parse(content, str(report or "this run"))
    if not baseline.looked and not baseline.images:
        raise Unavailable(
            f"{report} tells of nothing that was checked, so that there is nothing to keep",
            hint="`hullmark baseline save` without `--report` checks everything",
        )
    stores = Stores(
        root=project.root,
        file=project.settings.baseline.file,
        services=tuple(service.name for service in services),
        commands=commands,
        environ=session.environ,
        cancelled=session.cancelled,
    )
    for place in stores.save(baseline, target or project.settings.baseline.file):
        session.stdout.write(f"{place}\n")
    session.tell(_told(baseline))
    return code


@command.command
@click.argument("name", metavar="BASELINE")
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@options.project
@click.pass_obj
def fetch(session: Session, /, *, name: str, target: Path) -> int:
    """Write what `--baseline BASELINE` would compare with to FILE, so that a later step needs no rights to take it.

    BASELINE may be `github:BRANCH`: the artifact that a run of that branch on GitHub has kept, taken with `gh`. Where
    there is none yet, FILE says so: a run that is compared with it is the first.
    """
    from hullmark._baseline.lines import write  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._baseline.store import GITHUB, Stores  # noqa: PLC0415
    from hullmark._files import write_whole  # noqa: PLC0415
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._root import find_root  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    here = session.directory
    # Of the whole repository's is what a directory asks for that no project is in.
    with contextlib.suppress(ConfigurationError):
        here = find_root(here)
    stores = Stores(
        root=here,
        file="",
        services=(),
        commands=commands,
        environ=session.environ,
        cancelled=session.cancelled,
    )
    # Who asks GitHub has a token in the environment, and the files of a change may name any variable.
    if not name.startswith(GITHUB):
        project, services = open_project(session.directory, (), commands, session.environ, options.flags())
        stores = replace(
            stores,
            root=project.root,
            file=project.settings.baseline.file,
            services=tuple(service.name for service in services),
        )
    baseline = stores.load(name)
    write_whole(session.directory / target, write(baseline), what="the baseline")
    session.stdout.write(f"{target}\n")
    session.tell(f"{baseline.name}: {'there is none yet' if baseline.first else _told(baseline)}")
    return 0


def _checked(
    session: Session, project: Project, services: tuple[Service, ...], checks: list[Check]
) -> Report:
    from hullmark._checks import Surroundings  # noqa: PLC0415  # as above
    from hullmark._pipeline import run_checks  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415

    progress = session.progress()
    # What is kept is what there is, whatever it was compared with before.
    settings = replace(project.settings, baseline=replace(project.settings.baseline, against=None))
    try:
        return run_checks(
            replace(project, settings=settings),
            services,
            checks,
            project.settings.policy,
            Surroundings(
                commands=SystemCommands(session.environ, session.cancelled),
                environ=session.environ,
                progress=progress,
                cancelled=session.cancelled,
            ),
        )
    finally:
        progress.close()


def _rendered(report: Report) -> bytes:
    """The report as it would have been written to a file, which is all that a later run would have of it."""
    from hullmark._reporters import Style, render  # noqa: PLC0415  # as above

    return "".join(render("json", report, Style())).encode("utf-8", "surrogateescape")


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{name}: cannot be read: {error.strerror}"]) from error


def _unchecked(results: tuple[CheckResult, ...]) -> Iterator[str]:
    """What could not be looked at, a line each; what there was nothing of to look at is no such thing."""
    for result in results:
        of = result.service or "the project"
        match result.outcome:
            case Broken(error=error):
                yield f"{result.check} of {of} could not be done: {error.splitlines()[0]}"
            case Skipped(reason=reason, moot=False):
                yield f"{result.check} of {of} was skipped: {reason}"
            case _:
                pass


def _told(baseline: Baseline) -> str:
    counted = (
        (len(baseline.images), "image"),
        (len(baseline.findings), "finding"),
        (len(baseline.vulnerabilities), "vulnerability", "vulnerabilities"),
    )
    named = (f"{number} {name if number == 1 else (*more, f'{name}s')[0]}" for number, name, *more in counted)
    return ", ".join(named)
