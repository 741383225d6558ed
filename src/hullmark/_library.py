"""What the commands do, for programs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._checks import Surroundings
from hullmark._pipeline import open_project, run_checks
from hullmark._process import SystemCommands
from hullmark.model.outcome import Check
from hullmark.model.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.progress import Progress
    from hullmark.model.project import Project
    from hullmark.model.report import Report


def load_project(directory: str | Path = ".", *, environ: Mapping[str, str] | None = None) -> Project:
    """The Compose project that `directory` belongs to, resolved, with its settings.

    Raises `ConfigurationError` for files that cannot be used and `Unavailable` without Compose. `environ` takes the
    place of the process's environment.
    """
    environ = os.environ if environ is None else environ
    commands = SystemCommands(environ, threading.Event())
    project, _ = open_project(Path(directory).resolve(), (), commands, environ)
    return project


def check(
    directory: str | Path = ".",
    services: Iterable[str] = (),
    *,
    checks: Iterable[Check] = tuple(Check),
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> Report:
    """The report of `checks` on the images of `services` (all when empty) of the project in `directory`.

    `report.verdict` says whether they may sail. Raises what `load_project` raises, `UsageError` for a service that
    is not there, and `Interrupted` after `cancelled` was set, when everything that was started has been removed.
    """
    environ = os.environ if environ is None else environ
    cancelled = cancelled or threading.Event()
    commands = SystemCommands(environ, cancelled)
    project, chosen = open_project(Path(directory).resolve(), services, commands, environ)
    surroundings = Surroundings(
        commands=commands, environ=environ, progress=progress or Silent(), cancelled=cancelled
    )
    return run_checks(project, chosen, checks, project.settings.policy, surroundings)
