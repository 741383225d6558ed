"""Findings, images and vulnerabilities as a run has them, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hullmark.model.finding import Finding, Observation, Severity, fingerprint
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check, CheckResult, Ran

if TYPE_CHECKING:
    from collections.abc import Callable


def made(rule: str = "root-user", service: str | None = "web", **change: Any) -> Finding:
    """A finding, whose fingerprint comes about as those of rules do."""
    line, key = change.pop("line", 1), change.pop("key", "root")
    where = SourceSpan(path="Dockerfile", line=line)
    seen = Observation(location=where, seen="it runs as root", expected="another", remedy="USER app", key=key)
    return Finding(
        rule=rule,
        summary="runs as root",
        severity=change.pop("severity", Severity.ERROR),
        service=service,
        location=where,
        seen=seen.seen,
        expected=seen.expected,
        remedy=seen.remedy,
        fingerprint=fingerprint(rule, service, seen),
        **change,
    )


@pytest.fixture
def finding() -> Callable[..., Finding]:
    """Make a finding of `rule` in `service`, at `line`, told from others by `key`."""
    return made


@pytest.fixture
def result() -> Callable[..., CheckResult]:
    """Make what became of a check of a service."""

    def make(*findings: Finding, check: Check = Check.LINT, service: str | None = "web") -> CheckResult:
        return CheckResult(check=check, service=service, outcome=Ran(findings=findings))

    return make
