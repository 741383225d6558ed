"""One run of the tool while it goes on, and what it needs of the world outside the project."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._anatomy import Medium, Reading
from hullmark._checks.anatomies import Anatomies
from hullmark._engines import connect
from hullmark._smoke import labels_of_run, reap
from hullmark.model.duration import format_duration
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.stack import Aftermath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._ci.reuse import Reuse
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.baseline import Baseline
    from hullmark.model.difference import Difference
    from hullmark.model.dockerfile import Dockerfile, Recipe
    from hullmark.model.finding import Finding
    from hullmark.model.location import SourceSpan
    from hullmark.model.outcome import Outcome
    from hullmark.model.progress import Progress
    from hullmark.model.project import Project, Service
    from hullmark.model.report import ImageSummary
    from hullmark.model.scan import ScanSummary
    from hullmark.model.stack import StackRun
    from hullmark.model.vulnerability import Vulnerability


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
class Run:
    """One run while it goes on."""

    project: Project
    services: tuple[Service, ...]
    surroundings: Surroundings
    reuse: Reuse
    checks: tuple[Check, ...] = tuple(Check)
    """Those that are asked for."""
    reusing: bool = False
    """Whether an image that was built from the same inputs will do."""
    aftermath: Aftermath = field(default_factory=Aftermath)
    """What the smoke test is to leave on purpose."""
    medium: Medium = field(default_factory=Medium)
    """Where the images are read."""
    dockerfiles: dict[str, Dockerfile] = field(default_factory=dict)
    results: list[CheckResult] = field(default_factory=list)
    images: dict[str, ImageSummary] = field(default_factory=dict)
    vulnerabilities: list[Vulnerability] = field(default_factory=list)
    scans: list[ScanSummary] = field(default_factory=list)
    suppressed: list[Finding] = field(default_factory=list)
    """What was set aside before the configuration is asked, with the reason in what was seen."""
    silenced: list[Finding] = field(default_factory=list)
    """What another linter finds in what is meant as it is."""
    stack: StackRun | None = None
    baseline: Baseline | None = None
    """What it is compared with."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """By service, a document that lists the software of its image, in whose place it is scanned."""
    changes: dict[str, Difference] = field(default_factory=dict)
    """What changed since the baseline, by service and without single files."""
    _anatomies: Anatomies = field(init=False)

    def __post_init__(self) -> None:
        looking = sum(check in self.checks for check in (Check.VALIDATE, Check.SECRETS, Check.SCAN))
        self._anatomies = Anatomies(self._open, uses=max(1, looking))

    def add(self, check: Check, service: str | None, outcome: Outcome, started: float) -> None:
        """Notes an outcome and tells the progress."""
        seconds = time.monotonic() - started
        self.results.append(CheckResult(check=check, service=service, outcome=outcome, seconds=seconds))
        good = isinstance(outcome, Ran) and not outcome.findings
        self.surroundings.progress.end(
            check, service, f"{_told(outcome)} in {format_duration(seconds)}", good=good
        )

    def recipe(self, service: Service) -> Recipe | None:
        """What the image of `service` is made from, where its Dockerfile can be read."""
        dockerfile = self.dockerfiles.get(service.name)
        return (
            None if dockerfile is None or service.build is None else dockerfile.recipe(service.build.target)
        )

    @property
    def reading(self) -> Reading:
        """How the images of this run are read."""
        around = self.surroundings
        return Reading(around.commands, around.environ, around.cancelled)

    def anatomy(self, service: Service) -> Anatomy:
        """All about the image of `service`, for each check that looks at it; see `Reading.service`.

        It is opened once, and read whole where secrets are looked for as well.
        """
        return self._anatomies.of(service)

    def _open(self, service: Service) -> Anatomy:
        return self.reading.service(
            self.project,
            service,
            self.recipe(service),
            lambda: self.surroundings.engine,
            labels=labels_of_run,
            secrets=Check.SECRETS in self.checks,
            medium=self.medium,
        )

    def final_stage(self, service: Service) -> SourceSpan | None:
        """Where the stage begins that the image of `service` is."""
        recipe = self.recipe(service)
        return None if recipe is None else recipe.final.span

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


def _told(outcome: Outcome) -> str:
    match outcome:
        case Ran(findings=(), note=note):
            return note.splitlines()[0] if note else "ok"
        case Ran(findings=findings):
            return f"{len(findings)} finding{'s' if len(findings) != 1 else ''}"
        case Skipped(reason=reason):
            return f"skipped: {reason}"
        case Broken(error=error):
            return f"could not be checked: {error.splitlines()[0]}"
