"""`hullmark lint`: Dockerfiles against the conventions; needs no engine."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._cli.session import Session
    from hullmark._dockerfile.fix import Repair
    from hullmark.model.fix import Fixed
    from hullmark.model.project import Project, Service


@click.command
@options.services
@click.option("--fix", is_flag=True, help="Fix what can be fixed safely, and report what remains.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --diff: also make fixes that may change what the image does. "
    "Asks the engine, and then the registries, for the digests of base images.",
)
@click.option(
    "--diff",
    is_flag=True,
    help="Show what --fix would change instead of changing it; exit with 1 when that is anything.",
)
@options.project
@options.reporting
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    services: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    **output: Any,
) -> int:
    """Hold the Dockerfiles of the project to the conventions.

    Needs Docker's command line with Compose, but no engine. `hullmark explain` lists the rules.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    if unsafe_fixes and not (fix or diff):
        raise UsageError("--unsafe-fixes without --fix or --diff", hint="it says which fixes those two make")
    if diff:
        if output["reports"] or output["format_"] != "text":
            raise UsageError(
                "--diff with --format or --report", hint="a diff is not a report; ask for one of them"
            )
        return _show(session, services, unsafe=unsafe_fixes)
    if not fix:
        return check(session, services, [Check.LINT], **output)

    def mend(project: Project, chosen: tuple[Service, ...]) -> tuple[Fixed, ...]:
        try:
            repairs = _repairs(session, project, chosen, unsafe=unsafe_fixes)
        except (ConfigurationError, UsageError):
            return ()  # the check stumbles over the same, and tells which service it is about
        return _write(session, repairs)

    return check(session, services, [Check.LINT], fix=mend, **output)


def _repairs(
    session: Session, project: Project, services: Iterable[Service], *, unsafe: bool
) -> tuple[Repair, ...]:
    from hullmark._dockerfile import fix_project  # noqa: PLC0415  # loads every rule
    from hullmark._engines.digests import known_digests  # noqa: PLC0415
    from hullmark._images.pinning import digests_of_today  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)

    def known(references: Iterable[str]) -> Mapping[str, str]:
        """What was built and tested with here, and of the rest what the registries have."""
        wanted = set(references)
        found = known_digests(wanted, commands)
        return found | digests_of_today(wanted - set(found), commands, session.environ, session.cancelled)

    return fix_project(
        project,
        services,
        unsafe=unsafe,
        today=dt.datetime.now(dt.UTC).date(),
        known=known,
    )


def _write(session: Session, repairs: Iterable[Repair]) -> tuple[Fixed, ...]:
    fixed: list[Fixed] = []
    for repair in repairs:
        if repair.inside:
            repair.write()
            fixed += repair.fixed
        else:
            _leave(session, repair)
    return tuple(fixed)


def _show(session: Session, services: tuple[str, ...], *, unsafe: bool) -> int:
    """Writes the diff; the exit code says whether there is one."""
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    project, chosen = open_project(session.directory, services, commands, session.environ, options.flags())
    session.warn(project.warnings)
    count = files = 0
    for repair in _repairs(session, project, chosen, unsafe=unsafe):
        if not repair.inside:
            _leave(session, repair)
            continue
        files += 1
        count += len(repair.fixed)
        for line in repair.diff():
            session.stdout.write(line)
    session.stdout.flush()
    if not session.quiet:
        session.tell(f"would make {_counted(count, 'fix', 'fixes')} in {_counted(files, 'file', 'files')}")
    return 1 if count else 0


def _leave(session: Session, repair: Repair) -> None:
    fixes = _counted(len(repair.fixed), "fix", "fixes")
    session.tell(f"{repair.shown}: lies outside of the project and is left as it is, without {fixes}")


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
