"""What the configuration and comments ignore, and which of these ignores cover nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._dockerfile import ignores
from hullmark._linters.known import IDS
from hullmark.errors import ConfigurationError, nearest
from hullmark.model.ignore import IdleIgnore
from hullmark.model.outcome import Check, CheckResult, Ran, Skipped
from hullmark.rules import TOLD_BY, catalogue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._checks.run import Run
    from hullmark.model.dockerfile import Dockerfile
    from hullmark.model.finding import Finding
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Ignore, Settings

_CHECKS = {
    "dockerfile": Check.LINT,
    "compose": Check.LINT,
    "image": Check.VALIDATE,
    "runtime": Check.SMOKE,
}
"""Which check the rules of a package belong to."""
_ELSEWHERE = {
    "failed-build": Check.BUILD,
    "committed-secret": Check.LINT,
    "privileges-kept": Check.VALIDATE,
    "visible-secret": Check.SECRETS,
    "buried-secret": Check.SECRETS,
    "recorded-secret": Check.SECRETS,
    "vulnerable-package": Check.SCAN,
}
"""Rules that belong to another check than the others of their package."""


def check_rules(settings: Settings) -> None:
    """Every rule that an ignore names must be one that there is; raises `ConfigurationError` with all that are not."""
    valid = [rule.id for rule in catalogue()] if settings.ignores else []
    problems = []
    for ignore in settings.ignores:
        if ignore.rule not in valid and not IDS.fullmatch(ignore.rule):
            meant = TOLD_BY.get(ignore.rule) or nearest(ignore.rule, valid)
            question = f"; did you mean `{meant}`?" if meant else ""
            problems.append(f"{ignore.origin}: there is no rule `{ignore.rule}`{question}")
    if problems:
        raise ConfigurationError(problems, hint="`hullmark explain` lists every rule")


def without_ignored(
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


def idle_ignores(
    run: Run, results: list[CheckResult], suppressed: Iterable[Finding], today: dt.date
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
        found.setdefault(check, []).extend(apply(idle, None))
    return [
        CheckResult(check=check, service=None, outcome=Ran(findings=tuple(findings)), seconds=0.0)
        for check, findings in found.items()
    ]


def idle_comments(
    run: Run,
    dockerfiles: Mapping[str, Dockerfile],
    used: Mapping[str, set[tuple[int, str]]],
    found: Mapping[str, set[tuple[int, str]]],
    *,
    with_hadolint: bool,
) -> Iterator[Finding]:
    """The ignores in comments that nothing was found for, each file's once, whoever builds from it.

    `used` has the ignores that something was found for, by file, and `found` what no comment ignores: line and rule.
    """
    ours = {rule.id: _check_of(rule.id) for rule in catalogue()}
    seen: set[SourceSpan] = set()
    for service in run.services:
        dockerfile = dockerfiles.get(service.name)
        if dockerfile is None or service.build is None:
            continue
        for instruction, rule, span in ignores(dockerfile, service.build.target):
            judged = rule in ours or with_hadolint or not IDS.fullmatch(rule)
            if not judged or (instruction.span.line, rule) in used.get(dockerfile.path, ()) or span in seen:
                continue
            seen.add(span)
            lines = [at for at, name in found.get(dockerfile.path, ()) if name == rule]
            unknown = rule not in ours and not IDS.fullmatch(rule)
            idle = IdleIgnore(
                rule=rule,
                span=span,
                misplaced=ours.get(rule, Check.LINT) is not Check.LINT,
                unknown=unknown,
                nearest=(TOLD_BY.get(rule) or nearest(rule, ours)) if unknown else None,
                elsewhere=min(lines, key=lambda at: (abs(at - span.line), at), default=None),
            )
            yield from apply(idle, None)


def _check_of(rule: str) -> Check | None:
    """The check that the rule called `rule` belongs to; `None` for those about the configuration."""
    if IDS.fullmatch(rule):
        return Check.LINT
    found = next(each for each in catalogue() if each.id == rule)
    if rule in _ELSEWHERE:
        return _ELSEWHERE[rule]
    return _CHECKS.get(found.function.__module__.split(".")[-2])


def _ignored(finding: Finding, ignores: Iterable[Ignore], today: dt.date) -> bool:
    return any(
        ignore.covers(name, finding.service, today)
        for ignore in ignores
        for name in (finding.rule, *finding.aliases)
    )


def _found(results: Iterable[CheckResult]) -> Iterator[Finding]:
    for result in results:
        yield from result.findings
