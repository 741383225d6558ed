"""The files that reports are written to: looked at before anything starts, and written when all of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._files import refusal, write_whole
from hullmark.errors import Unavailable, UsageError
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.errors import HullmarkError
    from hullmark.model.verdict import Verdict


def refuse_unwritable(session: Session, reports: Sequence[tuple[str, Path]]) -> None:
    """Raises `UsageError` where one of `reports`, by format, cannot be written to the file that it is meant for."""
    taken: dict[Path, str] = {}
    for format_, path in reports:
        if str(path) == "-":
            raise UsageError(
                f"`--report {format_}=-`: a report goes to a file",
                hint=f"`--format {format_}` writes it to standard output",
            )
        target = session.directory / path
        if why := refusal(target):
            raise UsageError(
                f"the report cannot be written to {path}: {why}", hint="nothing has been started"
            )
        target = target.resolve()
        if target in taken and not target.is_char_device():
            raise UsageError(f"two reports, {taken[target]} and {format_}, are to be written to {path}")
        taken[target] = format_


def write_all(files: Iterable[tuple[Path, str]]) -> list[Unavailable]:
    """Writes every text to its file, whatever becomes of the others; what went wrong."""
    failed = []
    for path, text in files:
        try:
            write_whole(path, text.encode("utf-8", "surrogateescape"), what="the report")
        except Unavailable as error:
            failed.append(error)
    return failed


def settle_failures(session: Session, failures: Sequence[HullmarkError], verdict: Verdict) -> None:
    """Tells `failures`; the last is raised where no finding weighs more, so that it decides the exit code."""
    findings = verdict.status is Status.FINDINGS
    for error in failures if findings else failures[:-1]:
        session.tell(f"{session.paint('error:', fg='red', bold=True)} {error.message}")
    if failures and not findings:
        raise failures[-1]
