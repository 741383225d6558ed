"""The steps of the pipeline of a pull request: the same here and on a CI system, whose files only call them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._checks import Surroundings
from hullmark._ci.examine import Where, examine
from hullmark._cli.destinations import settle_failures, write_all
from hullmark._cli.options import flags
from hullmark._pipeline import open_project, run_checks
from hullmark._process import SystemCommands
from hullmark._project import root_and_settings
from hullmark._reporters import Style, render
from hullmark._reporters import affected as of_affected
from hullmark._reporters.affected_markdown import nothing, section
from hullmark._root import below_repository
from hullmark.errors import UsageError
from hullmark.model.outcome import Check
from hullmark.model.report import Report
from hullmark.model.verdict import Policy, Status, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hullmark._cli.session import Session
    from hullmark.model.affected import Affected
    from hullmark.model.project import Project

FILES = {
    "json": "report.json",
    "sarif": "report.sarif",
    "junit": "report.xml",
    "markdown": "report.md",
    "html": "report.html",
}
"""What is written of one run, by format."""
_SECONDS = 1800.0
"""Time in which an image is written to a file, or read from one."""


class Steps:
    """The pipeline of what has changed since `base`."""

    def __init__(self, session: Session, base: str) -> None:
        self.session = session
        self.commands = SystemCommands(session.environ, session.cancelled)
        where = Where(
            directory=session.directory, commands=self.commands, environ=session.environ, flags=flags()
        )
        self.affected: Affected = examine(where, base)
        session.warn(self.affected.warnings)
        if not session.quiet:
            for line in of_affected.text(self.affected):
                session.tell(line.rstrip("\n"))

    def pr(self, reports: Path | None) -> int:
        """All of it on this machine, without a file in between."""
        names = self.affected.to_smoke
        if not names:
            return self._nothing(reports)
        project, _ = self._open(names)
        # An image of another branch may have the name of one that is not affected; then it is built again.
        rest = tuple(each.name for each in project.built if each.name not in names)
        built = self._run(project, rest, [Check.BUILD]) if rest else None
        if built is not None and built.verdict.exit_code:
            return self._tell(built, reports)
        return self._tell(_joined(built, self._run(project, names, Check)), reports)

    def build(self, services: tuple[str, ...], images: Path | None, reports: Path | None) -> int:
        """Builds those of `services` that are affected (all when empty), and writes each image to a file in `images`."""
        project, _ = self._open(services)
        names = tuple(name for name in self.affected.to_build if not services or name in services)
        if not names:
            self.session.write(["nothing to build\n"])
            if reports is not None:
                self._write(self._empty(), reports)
            return 0
        # What fails here fails in the step that reports everything, too, and one annotation is enough.
        code = self._tell(self._run(project, names, [Check.BUILD]), reports, annotated=False)
        if code == 0 and images is not None:
            images.mkdir(parents=True, exist_ok=True)
            for name in names:
                self._docker("save", "--output", str(images / f"{name}.tar"), project.service(name).image)
        return code

    def stack(self, images: Path, reports: Path | None) -> int:
        """Everything after the build, on what was built elsewhere; the rest of the stack is taken from where it is."""
        if not images.is_dir():
            raise UsageError(f"{images} is no directory; expected what `hullmark ci run build` wrote")
        names = self.affected.to_smoke
        if not names:
            return self._nothing(reports)
        project, _ = self._open(names)
        brought = {name for name in self.affected.to_build if (images / f"{name}.tar").is_file()}
        for name in sorted(brought):
            self._docker("load", "--input", str(images / f"{name}.tar"))
        # What could not be built elsewhere cannot be built here either, and then the report says why.
        missing = sorted({*self.affected.to_build} - brought)
        if missing:
            self.session.warn([f"{images} has no image of {', '.join(missing)}: built here"])
        here = {*brought, *(names if missing else ())}
        rest = tuple(each.name for each in project.built if each.name not in here)
        built = self._run(project, rest, [Check.BUILD]) if rest else None
        if built is not None and built.verdict.exit_code:
            return self._tell(built, reports)
        report = self._run(project, names, [check for check in Check if missing or check is not Check.BUILD])
        return self._tell(_joined(built, report), reports)

    def _open(self, services: Iterable[str]) -> tuple[Project, object]:
        session = self.session
        return open_project(session.directory, services, self.commands, session.environ, flags())

    def _run(self, project: Project, names: tuple[str, ...], checks: Iterable[Check]) -> Report:
        session = self.session
        progress = session.progress()
        try:
            return run_checks(
                project,
                tuple(project.service(name) for name in names),
                checks,
                project.settings.policy,
                Surroundings(
                    commands=self.commands,
                    environ=session.environ,
                    progress=progress,
                    cancelled=session.cancelled,
                ),
                reusing=True,
            )
        finally:
            progress.close()

    def _tell(self, report: Report, reports: Path | None, *, annotated: bool = True) -> int:
        report = replace(report, affected=self.affected)
        self.session.write(render("text", report, self.session.style()))
        if annotated:
            self._annotate(report)
        if reports is not None:
            self._write(report, reports)
        return report.verdict.exit_code

    def _annotate(self, report: Report) -> None:
        """In a job of GitHub, shows what was found at the lines of the change that it is about."""
        _, settings = root_and_settings(self.session.directory, self.session.environ, flags())
        if self.session.environ.get("GITHUB_ACTIONS") == "true" and settings.ci.annotations:
            lines = render("github", report, Style())
            self.session.write(line for line in lines if line.startswith("::"))

    def _nothing(self, reports: Path | None) -> int:
        """Nothing is affected: that is said, also where a report of an earlier commit may stand."""
        self.session.write(["no image is affected\n"])
        if reports is not None:
            self._write(self._empty(), reports)
        return 0

    def _empty(self) -> Report:
        """The report of a change that touches no image."""
        now = dt.datetime.now(dt.UTC)
        root, _ = root_and_settings(self.session.directory, self.session.environ, flags())
        return Report(
            project=self.affected.project,
            root="",
            services=(),
            checks=(),
            started=now,
            finished=now,
            # That there is nothing to check is what is right about such a change.
            verdict=replace(decide((), Policy()), status=Status.CLEAN),
            results=(),
            prefix=below_repository(root),
            affected=self.affected,
        )

    def _write(self, report: Report, reports: Path) -> None:
        """Every format, so that nothing of an earlier commit is left beside what is said of this one."""
        failed = write_all(
            (reports / name, "".join(self._rendered(format_, report))) for format_, name in FILES.items()
        )
        settle_failures(self.session, failed, report.verdict)

    def _rendered(self, format_: str, report: Report) -> Iterator[str]:
        if format_ != "markdown":
            yield from render(format_, report, Style())
        elif report.results:
            yield from render(format_, report, Style())
            yield f"\n{section(self.affected)}"
        else:
            yield nothing(self.affected, report.prefix)

    def _docker(self, *arguments: str) -> None:
        self.commands.run(("docker", *arguments), timeout=_SECONDS).check()


def _joined(built: Report | None, report: Report) -> Report:
    """One report of both runs."""
    if built is None:
        return report
    results = (*built.results, *report.results)
    return replace(
        report,
        started=built.started,
        checks=tuple(check for check in Check if check in {*built.checks, *report.checks}),
        results=results,
        suppressed=(*built.suppressed, *report.suppressed),
        verdict=decide(results, report.policy),
        rules=tuple(dict.fromkeys((*built.rules, *report.rules))),
    )
