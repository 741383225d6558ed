"""What `hullmark affected` does, and a way to it that loads no more of the command line than it needs.

What reads command lines takes longer to load than git takes to compare a work tree, and whoever asks what a change
affects does so before every commit. So the few options that everybody uses are read here. Whatever else is written is
left to what reads all command lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullmark._cli.session import Session

FORMATS = ("text", "json", "github")
BASE = "HEAD"
"""What is compared with where nothing else is asked for: the last commit."""


def answer(
    session: Session,
    flags: Mapping[str, str],
    *,
    base: str = BASE,
    head: str | None = None,
    format_: str = "text",
    explain: bool = False,
    against: Path | None = None,
) -> int:
    """Writes the report; the exit code."""
    from hullmark._ci.examine import Where, examine  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._process import SystemCommands  # noqa: PLC0415

    if against is not None and not explain:
        raise UsageError("`--against` says what `--explain` compares with", hint="add `--explain`")
    if explain and format_ == "github":
        raise UsageError(
            "`--format github` has no room for what `--explain` shows",
            hint="leave out `--explain`, or take `--format text` or `json`",
        )
    where = Where(
        directory=session.directory,
        commands=SystemCommands(session.environ, session.cancelled),
        environ=session.environ,
        flags=flags,
    )
    found = examine(where, base, head, explain=explain, against=against)
    session.warn(found.warnings)
    match format_:
        case "json":
            from hullmark._reporters.affected_json import json  # noqa: PLC0415  # git is at work before it is loaded

            session.write_for_programs(json(found))
        case "github":
            from hullmark._reporters import affected as report  # noqa: PLC0415

            session.write_for_programs(report.github(found))
            if found.changes.everything:
                session.warn([report.compared(found)])
        case _:
            from hullmark._reporters import affected as report  # noqa: PLC0415

            session.write(report.text(found))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A command line that is plain."""

    directory: str = "."
    quiet: bool = False
    options: Mapping[str, str]
    """Those of `hullmark affected`; one without a value has an empty one."""


def _plainly_asked(argv: Sequence[str]) -> _Asked | None:
    """What `argv` asks for, if that is `hullmark affected` and quite plain."""
    words = list(argv)
    directory, quiet = ".", False
    while words and words[0] != "affected":
        word = words.pop(0)
        if word in {"-q", "--quiet"}:
            quiet = True
        elif word == "-C" and words:
            directory = words.pop(0)
        else:
            return None
    found: dict[str, str] = {}
    words = words[1:] if words else ["--help"]
    while words:
        name, equals, value = words.pop(0).partition("=")
        if name == "--explain" and not equals:
            found[name] = ""
            continue
        if name not in {"--base", "--head", "--format"} or name in found:
            return None
        if not equals:
            if not words or words[0].startswith("-"):
                return None
            value = words.pop(0)
        found[name] = value
    if found.get("--format", "text") not in FORMATS:
        return None
    return _Asked(directory=directory, quiet=quiet, options=found)


def answered(argv: Sequence[str], session: Session) -> int | None:
    """The exit code of `hullmark affected`, where that was asked plainly; `None` where it was not.

    Raises as the command itself does.
    """
    asked = _plainly_asked(argv)
    if asked is None:
        return None
    try:
        directory = Path(asked.directory).resolve()
        if not asked.directory or not directory.is_dir():
            return None  # what reads all command lines tells it
    except (OSError, ValueError, RuntimeError):  # a name that is too long, for one
        return None
    session.directory, session.quiet = directory, asked.quiet
    return answer(
        session,
        {},
        base=asked.options.get("--base", BASE),
        head=asked.options.get("--head"),
        format_=asked.options.get("--format", "text"),
        explain="--explain" in asked.options,
    )
