"""What the rules find in what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hullmark._linters.known import page
from hullmark.model.report import RuleText
from hullmark.rules import catalogue, rules_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.finding import Finding


def apply(target: Any, service: str | None) -> tuple[Finding, ...]:
    """What all rules about this type of target find in it."""
    return tuple(
        finding for rule in rules_for(type(target)) for finding in rule.check(target, service=service)
    )


def texts(findings: Iterable[Finding]) -> tuple[RuleText, ...]:
    """What there is to say of the rules that have findings, ours and those of others."""
    ours = {rule.id: rule for rule in catalogue()}
    found = {finding.rule: finding for finding in findings}
    return tuple(
        RuleText(id=name, summary=ours[name].summary, severity=ours[name].severity, page=ours[name].page)
        if name in ours
        else RuleText(id=name, summary=found[name].summary, severity=found[name].severity, url=page(name))
        for name in sorted(found)
    )
