"""Which checks run, in what order, on what, and how their outcomes become a report.

```
lint ── build ──┬── validate (each image)
                ├── smoke    (the stack)
                └── scan     (each image)
```

A check that raises becomes `Broken` for the service it was about and does not stop the others; a mistake in the
project's own files (`ConfigurationError`) and the user's wish to stop (`Interrupted`) end the run.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._anatomy import Reading, shipped
from hullmark._ci.digest import LABEL
from hullmark._ci.inputs import inputs_of
from hullmark._ci.reuse import Reuse
from hullmark._compose import below_repository, chosen_services, compositions, resolve
from hullmark._contents.update import largest_transfer
from hullmark._dockerfile import dockerfile_of, ignores, review
from hullmark._engines import build_service, connect
from hullmark._linters.hadolint import Hadolint, NoHadolint
from hullmark._linters.known import EQUIVALENT, IDS, page, silenced
from hullmark._project import root_and_settings
from hullmark._scanners import Missing, Trivy
from hullmark._settings import UnsoundSettings
from hullmark._smoke import labels_of_run, missing_images, needed, observe_privileges, reap, smoke
from hullmark.errors import (
    ConfigurationError,
    HullmarkError,
    Interrupted,
    Unavailable,
    UsageError,
    nearest,
)
from hullmark.model.duration import format_duration
from hullmark.model.ignore import IdleIgnore
from hullmark.model.location import ImagePath, shown
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.project import DropsTo
from hullmark.model.report import ImageSummary, LayerSummary, Report, RuleText
from hullmark.model.size import format_size
from hullmark.model.verdict import decide
from hullmark.model.vulnerability import Exposure
from hullmark.rules import catalogue, rules_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from hullmark._anatomy import Previous
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._scanners import Scanner
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.dockerfile import Dockerfile
    from hullmark.model.finding import Finding
    from hullmark.model.image import ShippedImage
    from hullmark.model.location import SourceSpan
    from hullmark.model.outcome import Outcome
    from hullmark.model.progress import Progress
    from hullmark.model.project import Ignore, Project, Service, Settings
    from hullmark.model.stack import LinkRun, ProbeRun, ServiceRun, StackRun
    from hullmark.model.verdict import Policy
    from hullmark.model.vulnerability import Vulnerability

AT_ONCE = 4
"""Services that are worked on at the same time in one step."""
_TICK = 0.1
_CHECKS = {
    "dockerfile": Check.LINT,
    "compose": Check.LINT,
    "image": Check.VALIDATE,
    "runtime": Check.SMOKE,
}
"""Which check the rules of a package belong to."""
_ELSEWHERE = {
    "failed-build": Check.BUILD,
    "privileges-kept": Check.VALIDATE,
    "vulnerable-package": Check.SCAN,
}
"""Rules that belong to another check than the others of their package."""


@dataclass(kw_only=True)
class Surroundings:
    """What a run needs of the world outside the project."""

    commands: Commands
    environ: Mapping[str, str]
    progress: Progress
    cancelled: threading.Event
    _engine: Engine | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def engine(self) -> Engine:
        """The engine, connected when it is first needed, and cleared of what killed runs left behind.

        Raises `Unavailable` when there is none.
        """
        with self._lock:
            if self._engine is None:
                engine = connect(self.commands, self.environ, self.cancelled)
                reap(engine)
                self._engine = engine
            return self._engine


@dataclass(kw_only=True)
class _Run:
    """One run while it goes on."""

    project: Project
    services: tuple[Service, ...]
    surroundings: Surroundings
    reuse: Reuse
    reusing: bool = False
    """Whether an image that was built from the same inputs will do."""
    dockerfiles: dict[str, Dockerfile] = field(default_factory=dict)
    results: list[CheckResult] = field(default_factory=list)
    images: dict[str, ImageSummary] = field(default_factory=dict)
    vulnerabilities: list[Vulnerability] = field(default_factory=list)
    stack: StackRun | None = None

    def add(self, check: Check, service: str | None, outcome: Outcome, started: float) -> None:
        """Notes an outcome and tells the progress."""
        seconds = time.monotonic() - started
        self.results.append(CheckResult(check=check, service=service, outcome=outcome, seconds=seconds))
        good = isinstance(outcome, Ran) and not outcome.findings
        self.surroundings.progress.end(
            check, service, f"{_told(outcome)} in {format_duration(seconds)}", good=good
        )

    def failed_builds(self) -> dict[str, str]:
        """Services without an image, and why."""
        reasons = {}
        for result in self.results:
            if result.check is Check.BUILD and result.service:
                match result.outcome:
                    case Ran(findings=()):
                        pass
                    case Ran():
                        reasons[result.service] = "its image could not be built"
                    case Broken(error=error):
                        reasons[result.service] = f"its image could not be built: {error.splitlines()[0]}"
                    case Skipped(reason=reason):
                        reasons[result.service] = reason
        return reasons


def open_project(
    directory: Path,
    services: Iterable[str],
    commands: Commands,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
) -> tuple[Project, tuple[Service, ...]]:
    """The project that `directory` belongs to, and the services of it that `services` names (all when empty).

    Raises `ConfigurationError` when a file cannot be used, `Unavailable` without Compose, and `UsageError` for a
    service that is not there.
    """
    errors: list[ConfigurationError] = []
    try:
        root, settings = root_and_settings(directory, environ, flags or {})
    except UnsoundSettings as error:
        if error.rest is None:
            raise
        root, settings = error.root, error.rest
        errors.append(error)
    project = _resolved(root, settings, commands, errors)
    return project, chosen_services(project, services)


def _resolved(
    root: Path, settings: Settings, commands: Commands, errors: Iterable[ConfigurationError]
) -> Project:
    """The project, when there are no `errors` and its settings name nothing that is not there; otherwise raises all."""
    found = [*errors]
    try:
        _check_rules(settings)
    except ConfigurationError as error:
        found.append(error)
    try:
        project = resolve(root, settings, commands)
    except ConfigurationError as error:
        raise ConfigurationError.joined([*found, error]) from error
    except Unavailable as error:
        if found:
            raise ConfigurationError.joined(found) from error
        raise
    if found:
        raise ConfigurationError.joined(found)
    return project


def _check_rules(settings: Settings) -> None:
    """Every rule that an ignore names must be one that there is; raises `ConfigurationError` with all that are not."""
    valid = [rule.id for rule in catalogue()] if settings.ignores else []
    problems = []
    for ignore in settings.ignores:
        if ignore.rule not in valid and not IDS.fullmatch(ignore.rule):
            meant = nearest(ignore.rule, valid)
            question = f"; did you mean `{meant}`?" if meant else ""
            problems.append(f"{ignore.origin}: there is no rule `{ignore.rule}`{question}")
    if problems:
        raise ConfigurationError(problems, hint="`hullmark explain` lists every rule")


def run_checks(
    project: Project,
    services: tuple[Service, ...],
    checks: Iterable[Check],
    policy: Policy,
    surroundings: Surroundings,
    *,
    reusing: bool = False,
) -> Report:
    """The report of `checks` on the images of `services` (and, for the smoke test, on the whole stack).

    With `reusing`, what was built from the same inputs is not built again. Checks run in the order of `Check`; those that need nothing of each other run side by side. Raises
    `ConfigurationError` for Dockerfiles that cannot be read, and `Interrupted` when the user asks to stop; what
    was started is removed before that.
    """
    checks = tuple(check for check in Check if check in set(checks))
    started = dt.datetime.now(dt.UTC)
    run = _Run(
        project=project,
        services=services,
        surroundings=surroundings,
        reuse=Reuse(
            project=project,
            commands=surroundings.commands,
            environ=surroundings.environ,
            cancelled=surroundings.cancelled,
            inputs=lambda name: inputs_of(project, (name,)).get(name),
        ),
        reusing=reusing,
    )
    _read_dockerfiles(run)
    if Check.LINT in checks:
        _lint(run)
    if Check.BUILD in checks:
        _each(run, Check.BUILD, _build, services=(*services, *_lacking(run, checks)))
    with ThreadPoolExecutor() as pool:
        after: list[tuple[Check, Callable[[], None]]] = [
            (Check.VALIDATE, lambda: _each(run, Check.VALIDATE, _validate)),
            (Check.SMOKE, lambda: _smoke(run)),
            (Check.SCAN, lambda: _scan(run)),
        ]
        _finish([pool.submit(work) for check, work in after if check in checks], surroundings)
    results, suppressed = _without_ignored(run.results, project.settings.ignores, started.date())
    results += _idle_ignores(run, results, suppressed, started.date())
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
        suppressed=suppressed,
        policy=policy,
        places=tuple((service.name, service.span) for service in project.services),
        prefix=below_repository(project.root),
        rules=_texts(chain(suppressed, *(result.findings for result in results))),
    )


def _texts(findings: Iterable[Finding]) -> tuple[RuleText, ...]:
    """What there is to say of the rules that have findings, ours and those of others."""
    ours = {rule.id: rule for rule in catalogue()}
    found = {finding.rule: finding for finding in findings}
    return tuple(
        RuleText(id=name, summary=ours[name].summary, severity=ours[name].severity, page=ours[name].page)
        if name in ours
        else RuleText(id=name, summary=found[name].summary, severity=found[name].severity, url=page(name))
        for name in sorted(found)
    )


def _finish(futures: list[Future[None]], surroundings: Surroundings) -> None:
    """Waits for all of `futures`; when one fails the others are asked to stop, and the first failure is raised."""
    pending = set(futures)
    failure: BaseException | None = None
    while pending:
        done, pending = wait(pending, timeout=_TICK, return_when=FIRST_COMPLETED)
        for future in done:
            error = future.exception()
            # The reason why the others are interrupted is worth more than that they were.
            if error is not None and (failure is None or isinstance(failure, Interrupted)):
                failure = error
                surroundings.cancelled.set()
    if failure is not None:
        raise failure
    if surroundings.cancelled.is_set():
        raise Interrupted


def _each(
    run: _Run,
    check: Check,
    work: Callable[[_Run, Service], Outcome],
    *,
    at_once: int = AT_ONCE,
    services: tuple[Service, ...] | None = None,
) -> None:
    """Does `work` for every service, several at a time; what it raises becomes that service's outcome."""
    services = run.services if services is None else services
    if not services:
        run.add(check, None, Skipped(reason="the project builds no images", moot=True), time.monotonic())
        return

    def one(service: Service) -> None:
        started = time.monotonic()
        run.add(check, service.name, _guarded(lambda: work(run, service)), started)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        _finish([pool.submit(one, service) for service in services], run.surroundings)


def _guarded(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of `work`, or that it broke and why."""
    try:
        return work()
    except (ConfigurationError, UsageError, Interrupted):
        raise
    except HullmarkError as error:
        return Broken(error=_reason(error))


def _reason(error: HullmarkError) -> str:
    """Why something could not be checked, and on a line of its own what to do about it."""
    return f"{error.message}\nhelp: {error.hint}" if error.hint else error.message


def _read_dockerfiles(run: _Run) -> None:
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


def _lint(run: _Run) -> None:
    """Lints what is chosen; of a whole project also the services that run images of others."""
    declared = {each.service: each for each in compositions(run.project, run.surroundings.commands)}
    others, failure = _ask_hadolint(run)
    used: dict[str, set[tuple[int, str]]] = {}

    def one(run: _Run, service: Service) -> Outcome:
        findings = _apply(declared[service.name], service.name)
        dockerfile = run.dockerfiles.get(service.name)
        if service.build is not None and dockerfile is not None:
            recipe = dockerfile.recipe(service.build.target)
            reviewed = review(
                dockerfile,
                target=service.build.target,
                service=service.name,
                volumes=service.volumes,
                labels=service.build.labels,
                required=run.project.settings.labels,
                others=[f for f in (others or {}).get(dockerfile.path, ()) if not silenced(f, recipe)],
                equivalent=EQUIVALENT,
            )
            findings += reviewed.findings
            used.setdefault(dockerfile.path, set()).update(reviewed.used)
        elif service.build is not None:
            # What is in the Compose file is found all the same; that the rest was not looked at is told.
            reason = f"its Dockerfile cannot be linted: {service.build.unreadable}"
            return Broken(error=reason, findings=findings) if findings else Skipped(reason=reason)
        if failure is not None:
            return Broken(error=failure, findings=findings)
        return Ran(findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)))

    whole = run.services == run.project.built
    _each(run, Check.LINT, one, at_once=1, services=run.project.services if whole else run.services)
    idle = tuple(_idle_comments(run, used, with_hadolint=others is not None))
    if idle:
        run.add(Check.LINT, None, Ran(findings=idle), time.monotonic())


def _ask_hadolint(run: _Run) -> tuple[Mapping[str, tuple[Finding, ...]] | None, str | None]:
    """What hadolint finds in each Dockerfile, `None` when it does not run; and why not, where it should have."""
    wanted = run.project.settings.hadolint
    if wanted == "never":
        return None, None
    linter = Hadolint(run.surroundings.commands, run.project.root)
    program = linter.probe()
    if isinstance(program, NoHadolint):
        return None, program.reason if wanted == "always" else None
    try:
        return linter.lint(program, sorted({each.path for each in run.dockerfiles.values()})), None
    except Interrupted:
        raise
    except HullmarkError as error:
        return None, _reason(error)


def _idle_comments(
    run: _Run, used: Mapping[str, set[tuple[int, str]]], *, with_hadolint: bool
) -> Iterator[Finding]:
    """The ignores in comments that nothing was found for, each file's once, whoever builds from it."""
    ours = {rule.id: _check_of(rule.id) for rule in catalogue()}
    seen: set[SourceSpan] = set()
    for service in run.services:
        dockerfile = run.dockerfiles.get(service.name)
        if dockerfile is None or service.build is None:
            continue
        for instruction, rule, span in ignores(dockerfile, service.build.target):
            judged = rule in ours or with_hadolint or not IDS.fullmatch(rule)
            if not judged or (instruction.span.line, rule) in used[dockerfile.path] or span in seen:
                continue
            seen.add(span)
            misplaced = ours.get(rule, Check.LINT) is not Check.LINT
            yield from _apply(IdleIgnore(rule=rule, span=span, misplaced=misplaced), None)


def _check_of(rule: str) -> Check | None:
    """The check that the rule called `rule` belongs to; `None` for those about the configuration."""
    if IDS.fullmatch(rule):
        return Check.LINT
    found = next(each for each in catalogue() if each.id == rule)
    if rule in _ELSEWHERE:
        return _ELSEWHERE[rule]
    return _CHECKS.get(found.function.__module__.split(".")[-2])


def _lacking(run: _Run, checks: tuple[Check, ...]) -> tuple[Service, ...]:
    """Services that are not among those to be checked, but have to be started with them and have no image yet."""
    others = {service.name for service in run.project.built} - {service.name for service in run.services}
    starting: set[str] = set()
    if Check.SMOKE in checks:
        starting |= others
    if Check.VALIDATE in checks:
        for service in run.services:
            if isinstance(run.project.settings.service(service.name).user, DropsTo):
                starting |= others.intersection(needed(run.project, (service.name,)))
    if not starting:
        return ()
    try:
        found = missing_images(run.project, sorted(starting), run.surroundings.engine)
    except Unavailable:
        return ()  # every build says so
    for service in found:
        run.surroundings.progress.begin(
            Check.BUILD, service.name, "not asked for, but what starts needs its image, and there is none"
        )
    return found


def _build(run: _Run, service: Service) -> Outcome:
    engine = run.surroundings.engine  # one that is missing is told as such, not as a failed build
    progress = run.surroundings.progress
    inputs = run.reuse.digest(service)
    if run.reusing and (found := run.reuse.find(service, inputs, engine)):
        run.reuse.keep(inputs)
        return Ran(note=f"reused: {found}")
    dockerfile = run.dockerfiles.get(service.name)
    failure = build_service(
        run.project,
        service,
        run.surroundings.commands,
        lambda step: progress.begin(Check.BUILD, service.name, step),
        dockerfile.recipe(service.build.target) if dockerfile and service.build else None,
        {} if inputs.digest is None else {LABEL: inputs.digest},
    )
    if failure is None:
        run.reuse.keep(inputs)
    return Ran(findings=() if failure is None else _apply(failure, service.name))


def _validate(run: _Run, service: Service) -> Outcome:
    if reason := run.failed_builds().get(service.name):
        return Skipped(reason=reason)
    progress = run.surroundings.progress
    progress.begin(Check.VALIDATE, service.name, "reading the image")
    surroundings = run.surroundings
    dockerfile = run.dockerfiles.get(service.name)
    reading = Reading(surroundings.commands, surroundings.environ, surroundings.cancelled)
    anatomy = reading.service(
        run.project,
        service,
        dockerfile.recipe(service.build.target) if dockerfile and service.build else None,
        lambda: surroundings.engine,
        labels=labels_of_run,
    )
    settings = run.project.settings.service(service.name)
    before, unknown = _previous(run, service, reading, anatomy.image.platform)
    image = shipped(
        anatomy,
        service=service.name,
        settings=settings,
        labels=run.project.settings.labels,
        origin=_final_stage(run, service),
        override=service.user,
        previous=before,
    )
    run.images[service.name] = _summary(image, anatomy)
    findings = tuple(_traced(finding, anatomy) for finding in _apply(image, service.name))
    unknown += _unmeasured(image)
    if isinstance(settings.user, DropsTo):
        progress.begin(Check.VALIDATE, service.name, "seeing whom it runs as")
        try:
            seen = observe_privileges(
                run.project, service.name, run.surroundings.engine, run.surroundings.commands
            )
        except Interrupted:
            raise
        except HullmarkError as error:
            return Broken(error="; ".join((*unknown, _reason(error))), findings=findings)
        findings += _apply(seen, service.name)
    return Broken(error="; ".join(unknown), findings=findings) if unknown else Ran(findings=findings)


def _traced(finding: Finding, anatomy: Anatomy) -> Finding:
    """The finding with the instruction that wrote the file it is about."""
    if not isinstance(finding.location, ImagePath):
        return finding
    return replace(finding, origin=anatomy.instruction(finding.location.path, finding.location.layer))


def _previous(
    run: _Run, service: Service, reading: Reading, platform: str
) -> tuple[Previous | None, tuple[str, ...]]:
    """The image that hosts have, where the project says which one that is; and why it cannot be had."""
    settings = run.project.settings
    own = settings.service(service.name)
    name = own.previous or settings.previous
    if name is None:
        if own.update_budget is None:
            return None, ()
        return None, (
            "what an update pulls is not known: `update-budget` needs `previous`, which is not set",
        )
    try:
        return reading.previous(name, service.name, run.project.root, platform=platform), ()
    except Interrupted:
        raise
    except UsageError as error:
        # A service that the last release did not have cannot have grown; its update is not known all the same.
        return None, () if own.update_budget is None else (f"the previous image: {error.message}",)
    except HullmarkError as error:
        return None, (f"the previous image, `{name}`: {error.message}",)


def _unmeasured(image: ShippedImage) -> tuple[str, ...]:
    """The budgets of what is pulled that may be exceeded or not: nobody has compressed the layers yet.

    Where even what is not compressed is within the budget, there is nothing to ask.
    """
    found = []
    settings, update = image.settings, image.update
    why = "the engine keeps its layers without compression, and uncompressed they may be up to"
    if settings.transfer_budget is not None and image.image.transfer is None:
        most = largest_transfer(image.image.layers)
        if most > settings.transfer_budget.size:
            found.append(f"`transfer-budget`: {why} {format_size(most)}")
    if settings.update_budget is not None and update is not None and not update.compressed:
        most = largest_transfer(layer for layer in image.image.layers if str(layer.diff_id) in update.pulled)
        if most > settings.update_budget.size:
            found.append(f"`update-budget`: {why} {format_size(most)}")
    return tuple(found)


def _final_stage(run: _Run, service: Service) -> SourceSpan | None:
    dockerfile = run.dockerfiles.get(service.name)
    if dockerfile is None or service.build is None:
        return None
    return dockerfile.recipe(service.build.target).final.span


def _summary(shipped: ShippedImage, anatomy: Anatomy) -> ImageSummary:
    image, files = anatomy.image, anatomy.files
    return ImageSummary(
        service=shipped.service,
        reference=shipped.image.reference,
        digest=None if image.digest is None else str(image.digest),
        config_digest=str(image.config_digest),
        platform=image.platform,
        transfer=image.transfer,
        unpacked=files.unpacked,
        visible=files.visible_bytes,
        budget=shipped.settings.budget.size if shipped.settings.budget else None,
        layers=tuple(
            LayerSummary(
                diff_id=str(layer.diff_id),
                digest=None if layer.digest is None else str(layer.digest),
                instruction=str(step),
                unpacked=layer.unpacked,
                masked=hidden,
            )
            for layer, step, hidden in zip(
                image.layers, anatomy.attribution.steps, anatomy.masked, strict=True
            )
        ),
        owners=tuple(each for each in anatomy.owners if each.files),
    )


def _scan(run: _Run) -> None:
    scanner = Trivy(run.surroundings.commands, run.project.root)
    there = scanner.probe()

    def one(run: _Run, service: Service) -> Outcome:
        if reason := run.failed_builds().get(service.name):
            return Skipped(reason=reason)
        if isinstance(there, Missing):
            return Skipped(reason=there.reason)
        return _scan_one(run, service, scanner)

    # One at a time: the first one fetches the database for all, and Trivy locks its cache.
    _each(run, Check.SCAN, one, at_once=1)


def _scan_one(run: _Run, service: Service, scanner: Scanner) -> Outcome:
    run.surroundings.progress.begin(Check.SCAN, service.name, "looking for known vulnerabilities")
    root, settings = run.project.root, run.project.settings.scan
    ignore_file = root / settings.ignore_file
    scanned = scanner.scan(
        service.image,
        service=service.name,
        report=root / settings.reports / f"{service.name}.json",
        ignore_file=ignore_file if ignore_file.is_file() else None,
    )
    if not scanned.recognised:
        return Skipped(reason="the scanner knows neither its distribution nor any of its packages")
    run.vulnerabilities += scanned.vulnerabilities
    origin = _final_stage(run, service)
    exposures = (
        Exposure(vulnerability=found, fail_on=settings.fail_on, image=service.image, origin=origin)
        for found in scanned.vulnerabilities
    )
    return Ran(findings=tuple(f for exposure in exposures for f in _apply(exposure, service.name)))


def _smoke(run: _Run) -> None:
    started = time.monotonic()
    failed = run.failed_builds()
    if failed:
        run.add(
            Check.SMOKE, None, Skipped(reason=f"no image of {', '.join(sorted(failed))} to start"), started
        )
        return

    def work() -> Outcome:
        run.stack = smoke(
            run.project, run.surroundings.engine, run.surroundings.commands, run.surroundings.progress
        )
        return Ran()

    outcome = _guarded(work)
    if run.stack is None:
        run.add(Check.SMOKE, None, outcome, started)
        return
    stack, seconds = run.stack, run.stack.seconds
    outcomes = {service.service: _smoke_outcome(stack, service) for service in stack.services}
    outcomes |= {name: _unwanted_outcome(stack, name) for name in stack.unwanted}
    for name, result in sorted(outcomes.items()):
        run.results.append(CheckResult(check=Check.SMOKE, service=name, outcome=result, seconds=seconds))
    if stack.teardown_error:
        error = f"the stack was tested, but not all of it could be removed: {stack.teardown_error}"
        run.add(Check.SMOKE, None, Broken(error=error), started)
    else:
        passed = all(
            (isinstance(outcome, Ran) and not outcome.findings)
            or (isinstance(outcome, Skipped) and outcome.moot)
            for outcome in outcomes.values()
        )
        came = stack.states if stack.ready else "the stack does not work"
        text = f"{came}; {stack.tally}; in {format_duration(seconds)}"
        run.surroundings.progress.end(Check.SMOKE, None, text, good=passed)


def _smoke_outcome(stack: StackRun, service: ServiceRun) -> Outcome:
    """What the run of the stack says of one service."""
    name = service.service
    findings = _apply(service, name)
    probes: list[ProbeRun] = [probe for probe in stack.probes if probe.service == name]
    links: list[LinkRun] = [link for link in stack.links if link.link.from_service == name]
    for observed in (*probes, *links):
        findings += _apply(observed, name)
    if untried := _untried(stack, name):
        return Broken(error=untried, findings=findings)
    if findings:
        return Ran(findings=findings)
    if not service.ready:
        behind = ", ".join(service.waits_on)
        return Skipped(
            reason=f"not started: waits for {behind}" if behind else "still starting when the run ended"
        )
    return Ran()


def _unwanted_outcome(stack: StackRun, name: str) -> Outcome:
    """What is said of a service of which the project wants no container."""
    if untried := _untried(stack, name):
        return Broken(error=untried)
    return Skipped(reason="no container of it is wanted (`scale` or `deploy.replicas` is 0)", moot=True)


def _untried(stack: StackRun, name: str) -> str:
    """Why not everything that is configured for the service `name` was tried; empty when it was."""
    reasons = [each.reason for each in stack.unprobed if each.service == name]
    reasons += [each.reason for each in stack.untried if each.link.from_service == name]
    text = "; ".join(dict.fromkeys(reasons))
    tried = stack.tried and name not in stack.unwanted
    return text if tried or not text else f"its probes and links were not tried: {text}"


def _apply(target: Any, service: str | None) -> tuple[Finding, ...]:
    """What all rules about this type of target find in it."""
    return tuple(
        finding for rule in rules_for(type(target)) for finding in rule.check(target, service=service)
    )


def _without_ignored(
    results: Iterable[CheckResult], ignores: tuple[Ignore, ...], today: dt.date
) -> tuple[list[CheckResult], tuple[Finding, ...]]:
    """The results without the findings that the configuration ignores, and those findings."""
    kept: list[CheckResult] = []
    suppressed: list[Finding] = []
    for result in results:
        ignored = {f for f in result.findings if _ignored(f, ignores, today)}
        if ignored and not isinstance(result.outcome, Skipped):
            left = tuple(f for f in result.findings if f not in ignored)
            result = replace(result, outcome=replace(result.outcome, findings=left))  # noqa: PLW2901
        suppressed += sorted(ignored, key=lambda f: f.sort_key)
        kept.append(result)
    return kept, tuple(suppressed)


def _ignored(finding: Finding, ignores: Iterable[Ignore], today: dt.date) -> bool:
    return any(
        ignore.covers(name, finding.service, today)
        for ignore in ignores
        for name in (finding.rule, *finding.aliases)
    )


def _idle_ignores(
    run: _Run, results: list[CheckResult], suppressed: Iterable[Finding], today: dt.date
) -> list[CheckResult]:
    """Results with the ignores of the configuration that cover nothing, as far as this run can tell."""
    found: dict[Check, list[Finding]] = {}
    for ignore in run.project.settings.ignores:
        check = _check_of(ignore.rule)
        looked = [result.outcome for result in results if result.check is check]
        if check is None or not looked or run.services != run.project.built:
            continue
        expired = ignore.expires if ignore.expires is not None and ignore.expires < today else None
        unseen = any(not isinstance(outcome, Ran) for outcome in looked)
        alien = IDS.fullmatch(ignore.rule) and not any(
            IDS.fullmatch(name) for f in (*suppressed, *_found(results)) for name in (f.rule, *f.aliases)
        )
        used = any(_ignored(finding, (replace(ignore, expires=None),), today) for finding in suppressed)
        if expired is None and (used or unseen or alien):
            continue
        idle = IdleIgnore(rule=ignore.rule, span=ignore.origin, service=ignore.service, expired=expired)
        found.setdefault(check, []).extend(_apply(idle, None))
    return [
        CheckResult(check=check, service=None, outcome=Ran(findings=tuple(findings)), seconds=0.0)
        for check, findings in found.items()
    ]


def _found(results: Iterable[CheckResult]) -> Iterator[Finding]:
    for result in results:
        yield from result.findings


def _told(outcome: Outcome) -> str:
    match outcome:
        case Ran(findings=(), note=note):
            return note or "ok"
        case Ran(findings=findings):
            return f"{len(findings)} finding{'s' if len(findings) != 1 else ''}"
        case Skipped(reason=reason):
            return f"skipped: {reason}"
        case Broken(error=error):
            return f"could not be checked: {error.splitlines()[0]}"
