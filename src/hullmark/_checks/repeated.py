"""What two checks say of the same file of an image, said once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.location import ImagePath
from hullmark.model.outcome import Check, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult

_BY_NAME = frozenset({"credential-file-in-layer", "env-file-in-layer"})
"""The rules that name a file in which others name the secret."""
_BY_CONTENT = frozenset({"visible-secret", "buried-secret"})

_Place = tuple[str | None, str, int | None]


def said_once(results: Iterable[CheckResult]) -> list[CheckResult]:
    """The results without findings about files of which another one, that weighs no less, tells the secret itself.

    That one keeps their name among its aliases.
    """
    results = list(results)
    named: dict[_Place, list[Finding]] = {}
    told: dict[_Place, Finding] = {}
    for result in results:
        for finding in result.findings:
            place = _place(finding)
            if place is None:
                continue
            if finding.rule in _BY_NAME and result.check is Check.VALIDATE:
                named.setdefault(place, []).append(finding)
            elif finding.rule in _BY_CONTENT and (
                place not in told or finding.severity > told[place].severity
            ):
                told[place] = finding
    changed: dict[Finding, Finding | None] = {}
    for place, findings in named.items():
        one = told.get(place)
        if one is None:
            continue
        repeated = [each for each in findings if each.severity <= one.severity]
        changed |= dict.fromkeys(repeated)
        if repeated:
            aliases = dict.fromkeys((*one.aliases, *(each.rule for each in repeated)))
            changed[one] = replace(one, aliases=tuple(aliases))
    return [_with(result, changed) for result in results] if changed else results


def _place(finding: Finding) -> _Place | None:
    where = finding.location
    return (finding.service, where.path, where.layer) if isinstance(where, ImagePath) else None


def _with(result: CheckResult, changed: dict[Finding, Finding | None]) -> CheckResult:
    if isinstance(result.outcome, Skipped) or not any(each in changed for each in result.findings):
        return result
    kept = tuple(new for each in result.findings if (new := changed.get(each, each)) is not None)
    return replace(result, outcome=replace(result.outcome, findings=kept))
