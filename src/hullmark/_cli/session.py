"""What a command is given besides its arguments."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from hullmark._reporters import Style
    from hullmark.model.progress import Progress

WIDTH = 80
"""Columns of output that goes to no terminal."""


@dataclass(kw_only=True)
class Session:
    """Streams, environment and global options of one call."""

    stdout: IO[str]
    stderr: IO[str]
    environ: dict[str, str]
    cancelled: threading.Event
    directory: Path = field(default_factory=Path)
    """Where the project is looked for."""
    quiet: bool = False
    colour: str = "auto"
    """`auto`, `always` or `never`."""
    _warned: set[str] = field(default_factory=set)
    """What `warn` has told."""

    def coloured(self, stream: IO[str]) -> bool:
        """Whether colour may be written to `stream` (see https://no-color.org)."""
        if self.colour != "auto":
            return self.colour == "always"
        if self.environ.get("NO_COLOR"):
            return False
        return stream.isatty() and self.environ.get("TERM") != "dumb"

    def width(self) -> int:
        """Columns that a report for a person may take."""
        if self.environ.get("COLUMNS", "").isdecimal():
            return max(int(self.environ["COLUMNS"]), 40)
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns if self.stdout.isatty() else WIDTH
        except OSError:
            return WIDTH

    def paint(self, text: str, **style: Any) -> str:
        """`text` in a style, where standard error shows colour."""
        if not self.coloured(self.stderr):
            return text
        import click  # noqa: PLC0415  # takes long to load

        return click.style(text, **style)

    def style(self) -> Style:
        """What standard output can show of a report."""
        from hullmark._reporters import Style  # noqa: PLC0415  # not every report has one

        return Style(width=self.width(), colour=self.coloured(self.stdout))

    def write(self, lines: Iterable[str]) -> None:
        """Writes to standard output the lines of a report for a person."""
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def write_for_programs(self, text: str) -> None:
        """Writes to standard output what a program reads: UTF-8, whatever the terminal's encoding."""
        if isinstance(self.stdout, TextIOWrapper):
            self.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        self.stdout.write(text)
        self.stdout.flush()

    def tell(self, text: str) -> None:
        """Writes a line for the person in front, not for the report."""
        self.stderr.write(f"{text}\n")
        self.stderr.flush()

    def warn(self, lines: Iterable[str]) -> None:
        """Tells of what is no error and may not be meant, a line each and each once; not when quiet."""
        for line in () if self.quiet else lines:
            if line in self._warned:
                continue
            self._warned.add(line)
            self.tell(f"{self.paint('warning:', fg='yellow', bold=True)} {line}")

    def progress(self) -> Progress:
        """How long work is shown: live on a terminal, as plain lines elsewhere, not at all when quiet."""
        if self.quiet:
            from hullmark.model.progress import Silent  # noqa: PLC0415

            return Silent()
        from hullmark._cli.progress import Lines, Live  # noqa: PLC0415

        live = self.stderr.isatty() and self.environ.get("TERM") != "dumb" and not self.environ.get("CI")
        return Live(self) if live else Lines(self)
