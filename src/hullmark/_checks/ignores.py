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
from hullmark.model.secret import is_hash_of
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
NAMED = ("named-secret",)
"""Formats that no detector has: what only a name tells."""
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
    problems += _unknown_formats(settings)
    if problems:
        raise ConfigurationError(problems, hint="`hullmark explain` lists every rule")


def _unknown_formats(settings: Settings) -> Iterator[str]:
    named = [(each.origin, each.format) for each in settings.ignores if each.format is not None]
    named += [(each.origin, each.format) for each in settings.secrets.formats]
    if not named:
        return
    from hullmark._secrets.catalogue import catalogue as formats  # noqa: PLC0415  # dozens of modules

    valid = [*(each.id for each in formats()), *NAMED]
    for origin, name in named:
        if name not in valid:
            meant = nearest(name, valid)
            question = f"; did you mean `{meant}`?" if meant else f"; there are {', '.join(sorted(valid))}"
            yield f"{origin}: there is no format of secrets called `{name}`{question}"


def without_ignored(
    results: Iterable[CheckResult], settings: Settings, today: dt.date
) -> tuple[list[CheckResult], tuple[Finding, ...]]:
    """The results without the findings that the configuration ignores or allows, and those findings."""
    kept: list[CheckResult] = []
    suppressed: list[Finding] = []
    for result in results:
        ignored = {
            f
            for f in result.findings
            if _ignored(f, settings.ignores, today)
            or (f.likeness is not None and settings.secrets.allows(f.likeness, today))
        }
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
        expired = ignore.expires if ignore.expires is not None and ignore.expires < today else None
        if expired is not None and not looked and results:
            # That it is over can be told without looking.
            check, looked = results[0].check, [results[0].outcome]
        if check is None or not looked or (run.services != run.project.built and expired is None):
            continue
        unseen = any(not isinstance(outcome, Ran) for outcome in looked)
        alien = IDS.fullmatch(ignore.rule) and not any(
            IDS.fullmatch(name) for f in (*suppressed, *_found(results)) for name in (f.rule, *f.aliases)
        )
        used = any(_ignored(finding, (replace(ignore, expires=None),), today) for finding in suppressed)
        if expired is None and (used or unseen or alien):
            continue
        idle = IdleIgnore(
            rule=ignore.rule,
            span=ignore.origin,
            service=ignore.service,
            expired=expired,
            narrowed=ignore.narrowed,
        )
        found.setdefault(check, []).extend(apply(idle, None))
    for idle in _idle_allowances(run, results, suppressed, today):
        found.setdefault(Check.SECRETS, []).extend(apply(idle, None))
    return [
        CheckResult(check=check, service=None, outcome=Ran(findings=tuple(findings)), seconds=0.0)
        for check, findings in found.items()
    ]


def _idle_allowances(
    run: Run, results: Iterable[CheckResult], suppressed: Iterable[Finding], today: dt.date
) -> Iterator[IdleIgnore]:
    """What is allowed by hash and was found nowhere, or is not allowed any more."""
    results, suppressed = list(results), list(suppressed)
    outcomes = {
        check: [each.outcome for each in results if each.check is check]
        for check in (Check.SECRETS, Check.LINT)
    }
    if not outcomes[Check.SECRETS]:
        return
    # One that no image has may be in a file that a build would take, or that git tracks.
    whole = run.services == run.project.built and all(
        looked and all(isinstance(each, Ran) for each in looked) for looked in outcomes.values()
    )
    seen = [each.likeness for each in (*suppressed, *_found(results)) if each.likeness is not None]
    for entry in run.project.settings.secrets.allow:
        expired = entry.expires if entry.expires is not None and entry.expires < today else None
        used = any(is_hash_of(entry.hash, each.hash) for each in seen)
        if entry.origin is not None and (expired is not None or (whole and not used)):
            yield IdleIgnore(rule="", span=entry.origin, expired=expired, narrowed=entry.hash)


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
    return any(ignore.covers(finding, today) for ignore in ignores)


def _found(results: Iterable[CheckResult]) -> Iterator[Finding]:
    for result in results:
        yield from result.findings
