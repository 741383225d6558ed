"""Where something is, for those who read a report beside the repository and not in the directory of the project."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from hullmark.model.location import Location
    from hullmark.model.report import Report


def in_repository(report: Report, path: str) -> str:
    """`path`, which is relative to the project, relative to the repository; one from elsewhere as it is."""
    return path if path.startswith("/") else posixpath.normpath(posixpath.join(report.prefix, path))


def place(report: Report, location: Location) -> str:
    """`location` in words, a file of the project as the repository calls it."""
    if isinstance(location, SourceSpan) and report.prefix:
        return str(replace(location, path=in_repository(report, location.path)))
    return str(location)
