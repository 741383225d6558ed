"""`hullmark doctor`: what is wrong with this machine, or what a log tells of, and what to do."""

from __future__ import annotations

import os
import select
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._cli.session import Session
    from hullmark._doctor import Patient
    from hullmark._engines import Engine
    from hullmark._images.interface import Request
    from hullmark._process import Commands
    from hullmark.model.diagnosis import Diagnosis, Reading, Repair
    from hullmark.model.image import Image
    from hullmark.model.project import Project

LARGEST = 32 << 20
"""Bytes of a log that are read, from its end."""
_PIECE = 1 << 20
_TICK = 0.2


@click.command
@click.option(
    "--log",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Say what this output of a build or a run tells of; `-` is standard input, and so is what is piped in.",
)
@click.option("--fix", is_flag=True, help="Apply what is safe for a machine to apply; asks before each.")
@click.option("-y", "--yes", is_flag=True, help="With --fix: do not ask.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option("--list", "listed", is_flag=True, help="List the situations that are recognised in logs.")
@options.project
@click.pass_obj
def command(
    session: Session, /, *, log: Path | None, fix: bool, yes: bool, format_: str, listed: bool
) -> int:
    """Examine this machine, or say what the output of a build or a run tells of: cause and remedy.

    Without a log: the engine and its parts, disks, proxies, certificates, logins, clocks and ports. With one, the
    project here and its images are looked at as well. Exit code 1 when something is recognised, 0 when the log tells of
    no failure, 3 when it tells of one that is not known, 4 when it is empty.
    """
    if listed:
        return _list(session)
    if log is None and _is_piped():
        log = Path("-")
    if log is None:
        if fix or yes:
            raise UsageError("`--fix` applies to what a log tells of", hint="name it with `--log FILE`")
        return _examine(session, format_)
    if yes and not fix:
        raise UsageError("`--yes` says not to ask before fixing", hint="add `--fix`")
    if fix and not yes and (str(log) == "-" or not sys.stdin.isatty()):
        raise UsageError("`--fix` asks before each change, and nobody can answer here", hint="add `--yes`")
    return _diagnose(session, log, format_, fix=fix, ask=not yes)


def _list(session: Session) -> int:
    from textwrap import fill  # noqa: PLC0415  # loaded when it is called, not for the help

    from hullmark._doctor import situations  # noqa: PLC0415

    found = situations()
    indent = max(len(each.id) for each in found) + 2
    lines = (f"{each.id:<{indent}}{each.summary}" for each in found)
    session.write(fill(line, session.width(), subsequent_indent=" " * indent) + "\n" for line in lines)
    if not session.quiet:
        session.tell("`hullmark explain NAME` says how each looks, why it happens and what to do")
    return 0


def _is_piped() -> bool:
    """Whether a file or the output of another program is standard input."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _examine(session: Session, format_: str) -> int:
    from hullmark._doctor import examine  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._reporters import doctor as report  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    found = examine(commands, session.environ, lambda: _reach(session), lambda: _project(session, commands))
    if format_ == "json":
        session.write_for_programs(report.json(found))
    else:
        session.write(report.text(found, session.width()))
    return found.status.value


def _diagnose(session: Session, log: Path, format_: str, *, fix: bool, ask: bool) -> int:
    from hullmark._doctor import read  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._reporters import doctor as report  # noqa: PLC0415
    from hullmark.model.verdict import Status  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    reading = read(str(log), _text(session, log), _patient(session, commands))
    if format_ != "json":
        session.write(report.text_of_log(reading, session.width()))
    applied = _apply(session, reading, commands, ask=ask) if fix else {}
    code = reading.status.value
    if reading.diagnoses and all(_is_fixed(each, applied) for each in reading.diagnoses):
        code = Status.CLEAN.value
    if format_ == "json":
        session.write_for_programs(report.json_of_log(reading, exit_code=code, applied=applied))
    return code


def _is_fixed(diagnosis: Diagnosis, applied: dict[Repair, bool]) -> bool:
    return diagnosis.advice.repair is not None and applied.get(diagnosis.advice.repair, False)


def _apply(session: Session, reading: Reading, commands: Commands, *, ask: bool) -> dict[Repair, bool]:
    """What was done of what can be done, and whether it was."""
    from hullmark._doctor import repair, repairs  # noqa: PLC0415

    applied = {}
    for each in repairs(reading.diagnoses):
        if ask and not click.confirm(f"`{each.shown}` {each.effect}. Run it?", default=False, err=True):
            applied[each] = False
            continue
        said = repair(each, commands)
        session.tell(f"done: `{each.shown}`{f': {said}' if said else ''}")
        applied[each] = True
    if not applied:
        session.tell("nothing of this is safe for a machine to fix")
    return applied


def _text(session: Session, log: Path) -> str:
    from hullmark._doctor import Ending  # noqa: PLC0415  # loaded when it is called, not for the help

    ending = Ending(LARGEST)
    if str(log) == "-":
        if not session.quiet:
            session.tell("reading the log from standard input")
        for piece in _piped(session):
            ending.take(piece)
    else:
        with log.open("rb") as stream:
            ending.take(stream.read(_PIECE))
            passed = os.fstat(stream.fileno()).st_size - LARGEST - ending.size
            if passed > 0:
                stream.seek(passed, os.SEEK_CUR)
                ending.pass_over(passed)
            while piece := stream.read(_PIECE):
                ending.take(piece)
    if ending.is_cut:
        session.warn([f"the log has {ending.size:,} bytes; the last {LARGEST:,} are read"])
    return ending.text()


def _piped(session: Session) -> Iterator[bytes]:
    """What standard input holds, piece by piece; whoever waits for it can be asked to stop."""
    from hullmark.errors import Interrupted  # noqa: PLC0415

    stream = sys.stdin.fileno()
    while True:
        if session.cancelled.is_set():
            raise Interrupted
        if select.select([stream], [], [], _TICK)[0]:
            piece = os.read(stream, _PIECE)
            if not piece:
                return
            yield piece


def _reach(session: Session) -> Engine:
    from hullmark._engines.docker import reach  # noqa: PLC0415

    return reach(session.environ, session.cancelled)


def _project(session: Session, commands: Commands) -> Project | None:
    """The project here; `None` where there is none. Raises `HullmarkError` where it cannot be used."""
    from hullmark._compose import resolve  # noqa: PLC0415
    from hullmark._project import root_and_settings  # noqa: PLC0415
    from hullmark._root import find_root  # noqa: PLC0415
    from hullmark.errors import ConfigurationError  # noqa: PLC0415

    flags = options.flags()
    if "project.compose" not in flags:
        try:
            find_root(session.directory)
        except ConfigurationError:
            return None
    root, settings = root_and_settings(session.directory, session.environ, flags)
    return resolve(root, settings, commands)


def _patient(session: Session, commands: Commands) -> Patient:
    from hullmark._doctor import Patient  # noqa: PLC0415
    from hullmark._images.reference import open_image  # noqa: PLC0415
    from hullmark._smoke import labels_of_run  # noqa: PLC0415
    from hullmark.errors import HullmarkError, Interrupted  # noqa: PLC0415

    def opener(reference: str, request: Request) -> Image:
        return open_image(
            reference,
            request=request,
            environ=session.environ,
            commands=commands,
            cancelled=session.cancelled,
        )

    try:
        project = _project(session, commands)
    except Interrupted:
        raise
    except HullmarkError as error:
        # A log of what is wrong with the project is read all the same.
        session.warn([f"the project here is not looked at: {error.message.splitlines()[0]}"])
        project = None
    return Patient(
        directory=session.directory,
        project=project,
        commands=commands,
        connect=lambda: _reach(session),
        opener=opener,
        labels=labels_of_run,
    )
