"""Which checks run, in what order, on what, and how their outcomes become a report.

```
lint ── build ──┬── validate (each image)
                ├── smoke    (the stack)
                ├── secrets  (each image)
                └── scan     (each image)
```

A check that raises becomes `Broken` for the service it was about and does not stop the others; a mistake in the
project's own files (`ConfigurationError`) and the user's wish to stop (`Interrupted`) end the run.
"""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._anatomy import Medium
from hullmark._baseline.compare import compare, with_standings
from hullmark._baseline.store import Stores
from hullmark._checks import Run
from hullmark._checks.build import build, lacking
from hullmark._checks.findings import texts
from hullmark._checks.ignores import check_rules, idle_ignores, without_ignored
from hullmark._checks.lint import lint
from hullmark._checks.repeated import said_once
from hullmark._checks.scan import scan
from hullmark._checks.secrets import look_for_secrets
from hullmark._checks.sharing import finish, for_each
from hullmark._checks.smoke import smoke_stack
from hullmark._checks.validate import validate
from hullmark._ci.inputs import inputs_of
from hullmark._ci.reuse import Reuse
from hullmark._compose import check_profiles, chosen_services, resolve, with_images
from hullmark._dockerfile import dockerfile_of
from hullmark._engines.handed_on import LocalImages
from hullmark._project import root_and_settings
from hullmark._root import below_repository
from hullmark._settings import UnsoundSettings
from hullmark.errors import ConfigurationError, Unavailable, UsageError
from hullmark.model.location import shown
from hullmark.model.outcome import Check
from hullmark.model.report import Report
from hullmark.model.stack import Aftermath
from hullmark.model.verdict import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hullmark._checks import Surroundings
    from hullmark._process import Commands
    from hullmark.model.baseline import Baseline
    from hullmark.model.project import Project, Service, Settings
    from hullmark.model.verdict import Policy


def open_project(
    directory: Path,
    services: Iterable[str],
    commands: Commands,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
    *,
    images: Mapping[str, str] | None = None,
) -> tuple[Project, tuple[Service, ...]]:
    """The project that `directory` belongs to, and the services of it that `services` names (all when empty).

    `images` are run in place of those that it builds or names, by service. Raises `ConfigurationError` when a file
    cannot be used, `Unavailable` without Compose, and `UsageError` for a service that is not there.
    """
    errors: list[ConfigurationError] = []
    try:
        root, settings = root_and_settings(directory, environ, flags or {})
    except UnsoundSettings as error:
        if error.rest is None:
            raise
        root, settings = error.root, error.rest
        errors.append(error)
    project = with_images(_resolved(root, settings, commands, errors), images or {})
    return project, chosen_services(project, services)


def _resolved(
    root: Path, settings: Settings, commands: Commands, errors: Iterable[ConfigurationError]
) -> Project:
    """The project, when there are no `errors` and its settings name nothing that is not there; otherwise raises all."""
    found = [*errors]
    try:
        check_rules(settings)
    except ConfigurationError as error:
        found.append(error)
    try:
        project = resolve(root, settings, commands)
        check_profiles(project, commands)
    except ConfigurationError as error:
        raise ConfigurationError.joined([*found, error]) from error
    except Unavailable as error:
        if found:
            raise ConfigurationError.joined(found) from error
        raise
    if found:
        raise ConfigurationError.joined(found)
    return project


def run_checks(
    project: Project,
    services: tuple[Service, ...],
    checks: Iterable[Check],
    policy: Policy,
    surroundings: Surroundings,
    *,
    reusing: bool = False,
    aftermath: Aftermath = Aftermath(),  # noqa: B008  # it cannot change
    medium: Medium = Medium(),  # noqa: B008  # nor can it
    documents: Mapping[str, str] | None = None,
) -> Report:
    """The report of `checks` on the images of `services` (and, for the smoke test, on the whole stack).

    With `reusing`, what was built from the same inputs is not built again. `aftermath` says what the smoke test is to
    leave on purpose, and `medium` where the images are read; `documents` are scanned in their place, by service. Checks run in the order of `Check`; those
    that need nothing of each other run side by side. Raises `ConfigurationError` for Dockerfiles that cannot be read,
    and `Interrupted` when the user asks to stop; what was started is removed before that.
    """
    checks = tuple(check for check in Check if check in set(checks))
    started = dt.datetime.now(dt.UTC)
    here = LocalImages(commands=surroundings.commands)
    run = Run(
        project=project,
        services=services,
        surroundings=surroundings,
        checks=checks,
        reuse=Reuse(
            project=project,
            commands=surroundings.commands,
            environ=surroundings.environ,
            cancelled=surroundings.cancelled,
            inputs=lambda name: inputs_of(project, (name,), here.handed_on).get(name),
        ),
        reusing=reusing,
        aftermath=aftermath,
        medium=medium,
        documents=documents or {},
    )
    run.baseline = _baseline(run)
    _read_dockerfiles(run)
    if Check.LINT in checks:
        lint(run)
    if Check.BUILD in checks:
        building = (*services, *lacking(run, checks))
        for group in tuple(run.reuse.in_order(building)) or (building,):
            for_each(run, Check.BUILD, build, services=group)
    with ThreadPoolExecutor() as pool:
        after: list[tuple[Check, Callable[[], None]]] = [
            (Check.VALIDATE, lambda: for_each(run, Check.VALIDATE, validate)),
            (Check.SMOKE, lambda: smoke_stack(run)),
            (Check.SECRETS, lambda: for_each(run, Check.SECRETS, look_for_secrets)),
            (Check.SCAN, lambda: scan(run)),
        ]
        finish([pool.submit(work) for check, work in after if check in checks], surroundings)
    results, suppressed = without_ignored(run.results, project.settings, started.date())
    suppressed = (*suppressed, *sorted(run.suppressed, key=lambda finding: finding.sort_key))
    results += idle_ignores(run, results, suppressed, started.date())
    results = said_once(results)
    comparison = None
    if run.baseline is not None:
        results = with_standings(results, run.baseline)
        comparison = compare(
            run.baseline,
            results,
            aside=suppressed,
            vulnerabilities=run.vulnerabilities,
            scans=run.scans,
            images=run.changes,
            services=[service.name for service in services],
            new_only=policy.new_only,
        )
    order = {check: position for position, check in enumerate(Check)}
    results.sort(key=lambda result: (order[result.check], result.service or ""))
    return Report(
        project=project.name,
        root=str(project.root),
        services=tuple(service.name for service in services),
        checks=checks,
        started=started,
        finished=dt.datetime.now(dt.UTC),
        verdict=decide(results, policy),
        results=tuple(results),
        images=tuple(run.images[name] for name in sorted(run.images)),
        stack=run.stack,
        vulnerabilities=tuple(sorted(run.vulnerabilities, key=lambda v: v.sort_key)),
        scans=tuple(sorted(run.scans, key=lambda each: each.service)),
        suppressed=suppressed,
        silenced=tuple(sorted(run.silenced, key=lambda finding: finding.sort_key)),
        policy=policy,
        places=tuple((service.name, service.span) for service in project.services),
        prefix=below_repository(project.root),
        comparison=comparison,
        rules=texts(chain(suppressed, run.silenced, *(result.findings for result in results))),
    )


def _baseline(run: Run) -> Baseline | None:
    """What the run is compared with, where the project or the command line says so."""
    settings = run.project.settings.baseline
    if settings.against is None:
        return None
    around = run.surroundings
    found = Stores(
        root=run.project.root,
        file=settings.file,
        services=tuple(service.name for service in run.services),
        commands=around.commands,
        environ=around.environ,
        cancelled=around.cancelled,
    ).load(settings.against)
    if found.first and settings.required:
        raise Unavailable(
            f"there is no baseline at {found.name}, and one is required",
            hint="`hullmark baseline save` makes one; is the name spelt right?",
        )
    return found


def _read_dockerfiles(run: Run) -> None:
    """Parses what is built, so that a mistake in any of them is told before work on the others is spent."""
    problems: list[str] = []
    for service in run.services:
        if service.build is None or service.build.unreadable:
            continue
        if not os.path.lexists(service.build.dockerfile):
            path = shown(Path(service.build.dockerfile), run.project.root)
            problems.append(
                f"{service.span}: service `{service.name}`: `{path}` does not exist; expected a Dockerfile"
            )
            continue
        try:
            dockerfile = dockerfile_of(service, run.project.root)
            if dockerfile is not None:
                dockerfile.recipe(service.build.target)
                run.dockerfiles[service.name] = dockerfile
        except ConfigurationError as error:
            problems += [problem for problem in error.problems if problem not in problems]
        except UsageError as error:
            problems.append(f"{service.span}: service `{service.name}`: {error.message}")
    if problems:
        raise ConfigurationError(problems)
