"""Takes the container images of a Docker Compose project from Dockerfile to release; this is the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hullmark._library import check, load_project
    from hullmark.errors import HullmarkError
    from hullmark.model.finding import Finding, Severity
    from hullmark.model.outcome import Broken, Check, Ran, Skipped
    from hullmark.model.project import Project
    from hullmark.model.report import Report
    from hullmark.model.verdict import Status, Verdict

__version__ = "0.1.0"

_PLACES = {
    "Broken": "hullmark.model.outcome",
    "Check": "hullmark.model.outcome",
    "Finding": "hullmark.model.finding",
    "HullmarkError": "hullmark.errors",
    "Project": "hullmark.model.project",
    "Ran": "hullmark.model.outcome",
    "Report": "hullmark.model.report",
    "Severity": "hullmark.model.finding",
    "Skipped": "hullmark.model.outcome",
    "Status": "hullmark.model.verdict",
    "Verdict": "hullmark.model.verdict",
    "check": "hullmark._library",
    "load_project": "hullmark._library",
}

__all__ = [  # noqa: RUF022  # the two functions first
    "check",
    "load_project",
    "Broken",
    "Check",
    "Finding",
    "HullmarkError",
    "Project",
    "Ran",
    "Report",
    "Severity",
    "Skipped",
    "Status",
    "Verdict",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is asked for: the command line must start before it could load everything."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
