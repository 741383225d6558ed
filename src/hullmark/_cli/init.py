"""`hullmark init`: a first `hullmark.toml`, from what the project's own files say."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._cli.session import Session

_HEADER = re.compile(r"(\s*\[\[?\s*)tool\s*\.\s*hullmark\s*(?:\.\s*)?")


@click.command
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@options.project
@click.pass_obj
def command(session: Session, /, *, force: bool, **_: Any) -> int:
    """Write a hullmark.toml with the services, probes, links, users and budgets that the project has today.

    Budgets come from images that are built; the engine is asked where there is one. When there is a hullmark.toml
    already, or a [tool.hullmark] in pyproject.toml, the difference is shown and nothing is written without --force; the
    exit code is 1 then.
    """
    from hullmark._checks import Surroundings  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._files import write_whole  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._settings.load import FILE  # noqa: PLC0415
    from hullmark._survey import survey  # noqa: PLC0415
    from hullmark.model.progress import Silent  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    found = survey(
        session.directory,
        options.flags(),
        Surroundings(
            commands=commands, environ=session.environ, progress=Silent(), cancelled=session.cancelled
        ),
        lambda text: None if session.quiet else session.tell(text),
    )
    session.warn(found.warnings)
    if found.tests is not None and not session.quiet:
        session.tell(f"{found.tests} is there, so that the test stack is what {FILE} is about")
    path, text = found.root / FILE, found.text
    there = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    name, tables = FILE, None
    if there is None and (tables := _tables(found.root / "pyproject.toml")) is not None:
        there, name = tables, "[tool.hullmark] of pyproject.toml"
    if there == text:
        session.tell(f"{FILE} is as it would be written")
        return 0
    if there is not None and not force:
        for line in difflib.unified_diff(
            there.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{FILE} (proposed)"
        ):
            session.stdout.write(line if line.endswith("\n") else f"{line}\n")
        session.stdout.flush()
        does = "replaces it" if tables is None else f"writes {FILE}, which counts instead of it"
        session.tell(f"{name} is there already; `hullmark init --force` {does}")
        return 1
    write_whole(path, text.encode("utf-8", "surrogateescape"), what=FILE)
    if tables is not None:
        session.warn([f"{name} does not count any more, as {FILE} does: remove it"])
    session.tell(f"wrote {path}; next: `hullmark check`")
    return 0


def _tables(path: Path) -> str | None:
    """What `[tool.hullmark]` of pyproject.toml says, as hullmark.toml would say it; `None` where it says nothing."""
    try:
        text = path.read_text(encoding="utf-8")
        tools = tomllib.loads(text).get("tool")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    if not isinstance(tools, dict) or not tools.get("hullmark"):
        return None
    kept: list[str] = []
    ours = False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            header = _HEADER.match(line)
            ours = header is not None
            shown = "" if header is None else f"{header[1]}{line[header.end() :]}"
            kept += [shown] if ours and shown.strip(" []\n") else []
        elif ours:
            kept.append(line)
    return "".join(kept)
