"""`hullmark dev`: the stack with its development overlay, followed until it is stopped."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.errors import ConfigurationError, Interrupted, Unavailable, UsageError, nearest

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark._dev import Development
    from hullmark._dev.lines import LogLine
    from hullmark.model.project import Project

_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")


class _Pattern(click.ParamType[re.Pattern[str]]):
    name = "REGEX"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> re.Pattern[str]:
        try:
            return re.compile(value)
        except re.error as error:
            self.fail(f"`{value}` is not a regular expression: {error}", param, ctx)


@click.command
@options.services
@click.option("--build/--no-build", default=True, help="Build the images first.  [default: build]")
@click.option("-d", "--detach", is_flag=True, help="Leave the stack running once it is up.")
@click.option("--down", is_flag=True, help="Remove the development stack instead.")
@click.option("--volumes", is_flag=True, help="With --down: remove its volumes, too.")
@click.option("--grep", type=_Pattern(), help="Show only lines of the log that match.")
@click.option("--only-errors", is_flag=True, help="Show only lines of the log that tell of an error.")
@click.option(
    "--strict-ports", is_flag=True, help="Fail when a port is taken, instead of taking another one."
)
@click.option(
    "--watch/--no-watch", default=True, help="Let Compose sync what `develop` says.  [default: watch]"
)
@options.project
@click.pass_obj
def command(session: Session, /, *, services: tuple[str, ...], down: bool, **choices: Any) -> int:
    """Start the project with its development overlay, show its logs, and stop it on Ctrl-C.

    The overlay is `compose.dev.yml`, or what `[dev]` of hullmark.toml names; --file takes the place of both. It is
    your own stack: its containers, volumes and name are those of `docker compose`. A published port that somebody
    else holds is moved to a free one for this session.
    """
    if choices["volumes"] and not down:
        raise click.UsageError("--volumes goes with --down")
    if down and services:
        raise click.UsageError(
            "--down removes the whole stack; `docker compose stop SERVICE` stops one of it"
        )
    from hullmark._compose import resolve  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._dev import Development, with_overlay  # noqa: PLC0415
    from hullmark._engines import connect  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._project import root_and_settings  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    flags = options.flags()
    root, settings = root_and_settings(session.directory, session.environ, flags)
    settings = with_overlay(root, settings, named="project.compose" in flags)
    project = resolve(root, settings, commands)
    session.warn(project.warnings)
    if not project.services:
        raise ConfigurationError(
            [f"{project.root}: the Compose files declare no service; there is nothing to start"]
        )
    development = Development(
        project=project,
        engine=connect(commands, session.environ, session.cancelled),
        commands=commands,
        services=_known(project, services),
        tell=session.tell if not session.quiet else lambda _: None,
        show=_shower(session, max(len(service.name) for service in project.services), **choices),
    )
    if down:
        development.remove(volumes=choices["volumes"])
        return 0
    return _run(session, development, **choices)


def _known(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    valid = [service.name for service in project.services]
    for name in names:
        if name not in valid:
            meant = nearest(name, valid)
            question = f"did you mean `{meant}`?" if meant else f"it has {', '.join(valid)}"
            raise UsageError(f"the project has no service `{name}`; {question}")
    return names


def _run(
    session: Session,
    development: Development,
    *,
    build: bool,
    detach: bool,
    strict_ports: bool,
    watch: bool,
    **_: Any,
) -> int:
    from hullmark._process import SystemCommands  # noqa: PLC0415

    if files := development.other_files():
        session.tell(f"the project is running with other files, {files}; its containers are replaced")

    def failed(service: str) -> None:
        # Who stays to look at the log may mend it; who went away has to know.
        if detach:
            raise Unavailable(
                f"`{service}` did not come up",
                hint=f"`docker compose logs {service}`; the stack is left running",
            )

    def up() -> None:
        session.tell(
            f"{development.project.name} is up; Ctrl-C stops it"
            if not detach
            else f"{development.project.name} is up"
        )
        for link in development.links():
            session.stdout.write(f"{link.url}  {link.service}\n")
        session.stdout.flush()
        if detach:
            raise _Up

    try:
        development.start(build=build, strict_ports=strict_ports)
        development.follow(watch=watch and not detach, on_up=up, on_failure=failed)
    except _Up:
        return 0
    except Interrupted:
        session.tell("stopping; volumes are kept (`hullmark dev --down --volumes` removes everything)")
        development.stop(SystemCommands(session.environ, threading.Event()))
        raise
    session.tell("every container has ended")
    return 1


class _Up(Exception):  # no error: the stack is up, and that is all that was asked for
    pass


def _shower(
    session: Session, width: int, *, grep: re.Pattern[str] | None, only_errors: bool, **_: Any
) -> Any:
    """Writes the lines that are asked for, each behind the name of its service."""
    from hullmark._dev import LogFilter  # noqa: PLC0415
    from hullmark._dev.lines import shown  # noqa: PLC0415

    chosen = LogFilter(pattern=grep, only_errors=only_errors)
    colour = session.coloured(session.stdout)
    lock = threading.Lock()
    seen: list[str] = []

    def show(line: LogLine) -> None:
        with lock:
            if not chosen.keeps(line):
                return
            if line.service not in seen:
                seen.append(line.service)
            name = f"{line.service:<{width}}"
            if colour:
                name = click.style(name, fg=_COLOURS[seen.index(line.service) % len(_COLOURS)])
            session.stdout.write(f"{name} | {shown(line.text, colour=colour)}\n")
            session.stdout.flush()

    return show
