"""What a person sees while work goes on, on standard error."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from rich.console import Group

    from hullmark._cli.session import Session
    from hullmark.model.outcome import Check

_CHECK = 8
_SERVICE = 12


class Lines:
    """One plain line per change, for logs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._last: dict[tuple[Check, str | None], str] = {}

    def begin(self, check: Check, service: str | None, text: str) -> None:
        """See `Progress.begin`."""
        self._write(check, service, f"{text} ...")

    def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:
        """See `Progress.end`."""
        self._write(check, service, self._session.paint(text, fg="green" if good else "red"))

    def close(self) -> None:
        """See `Progress.close`."""

    def _write(self, check: Check, service: str | None, text: str) -> None:
        with self._lock:
            if self._last.get((check, service)) != text:
                self._session.tell(f"{check:<{_CHECK}} {service or '':<{_SERVICE}} {text}")
            self._last[check, service] = text


class Live:
    """A line per piece of work that is going on, at the bottom of the terminal; what has ended scrolls away above."""

    def __init__(self, session: Session) -> None:
        from rich.console import Console  # noqa: PLC0415  # only on a terminal
        from rich.live import Live as Display  # noqa: PLC0415

        self._console = Console(
            file=session.stderr, no_color=not session.coloured(session.stderr), highlight=False
        )
        self._lock = threading.Lock()
        self._going: dict[tuple[Check, str | None], tuple[str, float]] = {}
        self._display = Display(
            console=self._console, get_renderable=self._picture, refresh_per_second=8, transient=True
        )
        self._display.start()

    def begin(self, check: Check, service: str | None, text: str) -> None:
        """See `Progress.begin`."""
        with self._lock:
            _, since = self._going.get((check, service), ("", time.monotonic()))
            self._going[check, service] = (text, since)

    def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:
        """See `Progress.end`."""
        from rich.text import Text  # noqa: PLC0415

        with self._lock:
            self._going.pop((check, service), None)
        mark, style = ("✓", "green") if good else ("✗", "red")
        self._console.print(
            Text.assemble((f"{mark} ", style), f"{check:<{_CHECK}} {service or '':<{_SERVICE}} ", text),
            overflow="ellipsis",
            no_wrap=True,
        )

    def close(self) -> None:
        """See `Progress.close`."""
        self._display.stop()

    def _picture(self) -> Group:
        from rich.console import Group  # noqa: PLC0415
        from rich.spinner import Spinner  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        now = time.monotonic()
        with self._lock:
            going = list(self._going.items())
        rows = []
        for (check, service), (text, since) in going:
            row = Text(
                f"{check:<{_CHECK}} {service or '':<{_SERVICE}} {format_duration(now - since):>7}  {text}",
                overflow="ellipsis",
                no_wrap=True,
            )
            spinner = Spinner("dots", row)
            spinner.start_time = since
            rows.append(spinner)
        return Group(*rows)
