"""`hullmark history`: how images have grown, where they jumped, and whether they creep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.argument("service", required=False)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Records of each service that are looked at.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option(
    "--fail-on-trend", is_flag=True, help="Exit with 1 when an image has grown by more than it may."
)
@options.settings("history.trend", "history.branch")
@options.project
@click.pass_obj
def command(session: Session, /, *, service: str | None, last: int, format_: str, fail_on_trend: bool) -> int:
    """Show what `hullmark check --record` has kept: sizes, start times, findings and vulnerabilities.

    It names the commits at which the size of an image jumped and stayed, and tells by how much it creeps: growth so
    slow that each single step of it is within every budget.
    """
    from hullmark._cli.options import flags  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._history.place import place_of  # noqa: PLC0415
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._reporters import history as report  # noqa: PLC0415
    from hullmark.errors import UsageError, nearest  # noqa: PLC0415
    from hullmark.model.history import service_histories  # noqa: PLC0415
    from hullmark.model.verdict import settle  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    project, _ = open_project(session.directory, (), commands, session.environ, flags())
    settings = project.settings.history
    place = place_of(project, session.environ)
    from hullmark._history.store import History  # noqa: PLC0415  # needs what `place_of` has looked for

    history = History(place)
    records = history.records(branch=settings.branch)
    nothing = report.NOTHING
    if settings.branch is not None and not records:
        there = {each.checkout.branch for each in history.records()} - {None}
        if there:
            branches = ", ".join(sorted(filter(None, there)))
            nothing = (
                f"nothing is recorded of the branch `{settings.branch}`; there are records of {branches}"
            )
            if "history.branch" in flags():
                raise UsageError(nothing)
            nothing += "\n"
    if service is not None:
        known = {each.name for each in project.services} | {each.service for each in records}
        if service not in known:
            meant = nearest(service, known)
            raise UsageError(
                f"no service `{service}`, and none is recorded; "
                + (f"did you mean `{meant}`?" if meant else f"there are {', '.join(sorted(known))}")
            )
        records = tuple(each for each in records if each.service == service)
    histories = service_histories(records, last=last, limit=settings.trend)
    if format_ == "json":
        from hullmark._reporters import history_v1  # noqa: PLC0415  # takes long to load

        session.write_for_programs(history_v1.json(histories, project=project.name, branch=settings.branch))
    else:
        session.write(report.text(histories, nothing=nothing))
    if not fail_on_trend:
        return 0
    creeping = [each for each in histories if each.creeps]
    for each in creeping:
        session.tell(f"{each.service} creeps: {report.creep_told(each.creep, each.limit)}")
    return settle(
        failing=bool(creeping), unchecked=False, ran=any(each.creep is not None for each in histories)
    ).value
