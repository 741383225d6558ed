"""What a format is, and which there are."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.report import Report

FORMATS = {
    "text": "hullmark._reporters.text",
    "json": "hullmark._reporters.json_v1",
    "sarif": "hullmark._reporters.sarif",
    "junit": "hullmark._reporters.junit",
    "markdown": "hullmark._reporters.markdown",
    "github": "hullmark._reporters.github",
    "html": "hullmark._reporters.html",
}
"""Every format and the module whose `render` writes it; loaded when it is asked for."""

VIEWS = ("layer", "instruction", "owner", "path")
"""By what the sizes in an image can be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What the place that a report goes to can show; formats for machines have no use for it."""

    width: int = 80
    """Columns."""
    colour: bool = False
    suppressed: bool = False
    """Whether findings that are ignored are listed."""


def render(format_: str, report: Report, style: Style) -> Iterator[str]:
    """The lines of `report` in the format called `format_`, one of `FORMATS`, each with its line end.

    The same report gives the same lines: nothing here looks at a clock, a terminal or the environment.
    """
    lines: Iterator[str] = importlib.import_module(FORMATS[format_]).render(report, style)
    return lines
