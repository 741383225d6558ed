"""The gate: what was pushed is looked at, read by its digest and never built again, and only then published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._anatomy import Medium
from hullmark._compose import with_images
from hullmark._pipeline import run_checks
from hullmark._release.vulnerabilities import kept
from hullmark._smoke.fetch import fetch_given
from hullmark.errors import Unavailable
from hullmark.model.outcome import Broken, Check, Ran, Skipped
from hullmark.model.project import AnyUser, BaselineSettings, DropsTo
from hullmark.model.staging import Passage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark._release.undertaking import Undertaking
    from hullmark.model.project import Project, Service, Settings
    from hullmark.model.report import Report

_MOST = 50
"""Findings that the state keeps; the report has all of them."""


def gate(
    undertaking: Undertaking, platforms: tuple[str, ...], tell: Callable[[str, Report], None]
) -> tuple[Passage, ...]:
    """How the images for each of `platforms` fare; `tell` is given the whole report of each.

    Images that passed already are not looked at again. Raises `Unavailable` where some have not been built.
    """
    missing = [each for each in undertaking.state.missing if each.partition(" for ")[2] in platforms]
    if missing:
        raise Unavailable(
            f"there is no image of {', '.join(missing)}",
            hint=f"`hullmark release build {undertaking.version}` builds those for one platform, `--state FILE` adds those "
            "that another machine has built",
        )
    passages = []
    for platform in platforms:
        if undertaking.state.passed(platform):
            passages.append(next(each for each in undertaking.state.gate if each.platform == platform))
            continue
        report = _look(undertaking, platform)
        passage = _passage(undertaking, platform, report)
        others = (each for each in undertaking.state.gate if each.platform != platform)
        undertaking.save(replace(undertaking.state, gate=(*others, passage)))
        tell(platform, report)
        passages.append(passage)
    return tuple(passages)


def _look(undertaking: Undertaking, platform: str) -> Report:
    native = platform == undertaking.wanted.native
    around = undertaking.surroundings
    images = {
        service.name: pinned
        for service in undertaking.state.services
        if (pinned := service.pinned(platform)) is not None
    }
    original = undertaking.project
    release = original.settings.release
    # Whatever is started elsewhere than on this machine's platform is emulated.
    smoke = release.smoke and (native or release.smoke_platforms == "all")
    project = replace(
        with_images(original, images, platform=None if native else platform),
        settings=_settings(original.settings, undertaking, platform, started=native or smoke),
    )
    services = tuple(service for service in project.services if service.name in images)
    checks = (Check.VALIDATE, Check.SECRETS, Check.SCAN, *((Check.SMOKE,) if smoke else ()))
    fetched: tuple[str, ...] = ()
    if smoke:
        _build_others(undertaking, project)
    if smoke or any(isinstance(project.settings.service(name).user, DropsTo) for name in images):
        fetched = fetch_given(project, around.engine, around.commands, around.progress)
    try:
        return run_checks(
            project,
            services,
            checks,
            project.settings.policy,
            around,
            medium=Medium(scheme="registry", platform=platform),
        )
    finally:
        for image in fetched:
            around.commands.run(("docker", "image", "rm", image))


def _settings(settings: Settings, undertaking: Undertaking, platform: str, *, started: bool) -> Settings:
    """What holds for releases."""
    release = settings.release
    scan_fail_on = release.scan_fail_on or settings.scan.fail_on
    scan = frozenset({Check.SCAN})
    advisory = scan if scan_fail_on == "never" else frozenset[Check]()
    # That findings do not count is the default; that nobody looks is something that somebody has to say.
    dispensable = scan if release.scan_fail_on == "never" else frozenset[Check]()
    reports = f".hullmark/release/{undertaking.version}/{platform.replace('/', '-')}"
    services = settings.services
    if not started:
        # Who a process ends up as is seen where it runs.
        services = tuple(
            (name, replace(each, user=AnyUser()) if isinstance(each.user, DropsTo) else each)
            for name, each in services
        )
    return replace(
        settings,
        services=services,
        # A release is held to everything, whatever was there before.
        baseline=BaselineSettings(),
        scan=replace(settings.scan, fail_on=scan_fail_on, reports=reports),
        policy=replace(
            settings.policy,
            fail_on=release.fail_on or settings.policy.fail_on,
            required=frozenset(Check) - dispensable,
            advisory=advisory,
        ),
    )


def _build_others(undertaking: Undertaking, project: Project) -> None:
    """Builds what is started with the images of the release and is not published itself."""
    others: tuple[Service, ...] = project.built
    if not others:
        return
    report = run_checks(project, others, (Check.BUILD,), project.settings.policy, undertaking.surroundings)
    failed = [
        result.service or ""
        for result in report.results
        if not (isinstance(result.outcome, Ran) and not result.outcome.findings)
    ]
    if failed:
        raise Unavailable(
            f"the stack cannot be started: {', '.join(failed)}, of which nothing is published, cannot be built",
            hint=f"`hullmark build {failed[0]}` says why",
        )


def _passage(undertaking: Undertaking, platform: str, report: Report) -> Passage:
    pinned = filter(None, (service.pinned(platform) for service in undertaking.state.services))
    scanned, vulnerabilities = kept(report)
    unmade = _unmade(report)
    return Passage(
        platform=platform,
        exit_code=report.verdict.exit_code,
        checks=tuple(str(check) for check in report.checks if check not in unmade),
        unmade=tuple(line for lines in unmade.values() for line in lines),
        findings=tuple(_stopping(report))[:_MOST],
        images=tuple(sorted(pinned)),
        scanned=scanned,
        vulnerabilities=vulnerabilities,
    )


def _unmade(report: Report) -> dict[Check, list[str]]:
    """The checks that were not made of every image, each with a line for every reason."""
    reasons: dict[Check, dict[str, list[str]]] = {}
    for result in report.results:
        match result.outcome:
            case Broken(error=why) | Skipped(reason=why, moot=False):
                services = reasons.setdefault(result.check, {}).setdefault(why.splitlines()[0], [])
                services += [result.service] if result.service else []
            case _:
                pass
    return {
        check: [f"{check}{' of ' * bool(names)}{', '.join(names)} ({why})" for why, names in each.items()]
        for check, each in reasons.items()
    }


def _stopping(report: Report) -> Iterator[str]:
    """What makes the verdict, a line each."""
    policy = report.policy
    for result in report.results:
        about = f"{result.service}: " if result.service else ""
        if result.check not in policy.advisory:
            for finding in result.findings:
                if finding.severity >= policy.fail_on:
                    yield f"{about}{finding.rule}: {finding.summary}: {finding.seen}"
        match result.outcome:
            case Broken(error=error) if result.check in policy.required:
                yield f"{about}{result.check} could not be done: {error.splitlines()[0]}"
            case Skipped(reason=reason, moot=False) if result.check in policy.required:
                yield f"{about}{result.check} was skipped: {reason}"
            case _:
                pass
