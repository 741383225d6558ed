"""`hullmark docs`: what documents say of the images is what was measured."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark.errors import ConfigurationError, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._cli.session import Session
    from hullmark._documents import Measured

_USUAL = ("*.md", "docs/**/*.md")


@click.group
def command() -> None:
    """Keep tables in documents equal to what was measured."""


@command.command
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Take the sizes from this JSON report instead of the engine.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; show what differs and exit with 1 when anything does."
)
@options.project
@click.pass_obj
def sync(session: Session, /, *, files: tuple[Path, ...], report: Path | None, check: bool) -> int:
    """Write the table of image sizes into FILES, between `<!-- hullmark:sizes -->` and `<!-- /hullmark:sizes -->`.

    Without FILES it is written into every Markdown file with such markers beside the project's Compose file and below
    its docs/.
    """
    from hullmark._documents import size_table, synced  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._files import write_whole  # noqa: PLC0415

    documents = dict(_documents(session, files))
    _sound(documents)
    table = size_table(_measured(session, report))
    behind = 0
    for name, before in documents.items():
        text = synced(before, name, table)
        behind += text != before
        if check:
            for line in difflib.unified_diff(before.splitlines(), text.splitlines(), name, name, lineterm=""):
                session.stdout.write(f"{line}\n")
        elif text != before:
            write_whole(session.directory / name, text.encode("utf-8"), what=name)
            session.stdout.write(f"{name}: written\n")
        else:
            session.stdout.write(f"{name}: up to date\n")
    session.stdout.flush()
    if check and behind and not session.quiet:
        session.tell("`hullmark docs sync` writes what differs")
    return 1 if check and behind else 0


def _documents(session: Session, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The documents as they are called, relative to where the command runs, with what stands in them.

    Raises `UsageError` with all that cannot be read.
    """
    from hullmark._documents import has_markers  # noqa: PLC0415
    from hullmark._project import root_and_settings  # noqa: PLC0415

    if named := tuple(files):
        texts: list[tuple[str, str]] = []
        unread: list[str] = []
        for file in named:
            try:
                texts.append((str(file), _text(session.directory / file, str(file))))
            except UsageError as error:
                unread.append(error.message)
        if unread:
            raise UsageError("; ".join(unread))
        yield from texts
        return
    root, _ = root_and_settings(session.directory, session.environ, options.flags())
    for path in sorted({path for pattern in _USUAL for path in root.glob(pattern) if path.is_file()}):
        name = os.path.relpath(path, session.directory)
        text = _text(path, name)
        if has_markers(text):
            yield name, text


def _text(path: Path, name: str) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text in UTF-8: byte {error.start} is not") from error


def _sound(documents: Mapping[str, str]) -> None:
    """Raises where a document has no table or markers that make no pairs, before anything is measured."""
    from hullmark._documents import BEGIN, END, tables_in  # noqa: PLC0415

    empty: list[str] = []
    problems: list[str] = []
    for name, text in documents.items():
        try:
            if not tables_in(text, name):
                empty.append(name)
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError([*problems, *(f"{name}: there is no table of sizes" for name in empty)])
    if empty or not documents:
        where = f"{', '.join(empty)}: there is" if empty else "no Markdown file here or below docs/ has"
        raise UsageError(
            f"{where}{' no' if empty else ' a'} table of sizes",
            hint=f"put `{BEGIN}` and `{END}` on lines of their own where it is to be",
        )


def _measured(session: Session, report: Path | None) -> list[Measured]:
    from hullmark._budgets import Measure  # noqa: PLC0415
    from hullmark._cli.budget import measure  # noqa: PLC0415
    from hullmark._contents.kept import sizes_in  # noqa: PLC0415
    from hullmark._documents import Measured  # noqa: PLC0415

    if report is not None:
        try:
            text = (session.directory / report).read_bytes()
        except OSError as error:
            raise Unavailable(f"{report} cannot be read: {error.strerror}") from error
        return [
            Measured(service=name, size=size, budget=budget)
            for name, size, budget in sizes_in(text, str(report))
        ]
    return [
        Measured(
            service=each.service,
            size=each.size,
            budget=None if each.budget is None else each.budget.size,
        )
        for each in measure(session, (), lambda _: (Measure.UNPACKED,))
        if each.size is not None
    ]
