"""The one function of outcomes and policy that decides the exit code."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.baseline import Standing
from hullmark.model.finding import Severity
from hullmark.model.outcome import Broken, Check, Ran, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult, Outcome


class Status(enum.Enum):
    """What the verdict says; the value is the exit code."""

    CLEAN = 0
    FINDINGS = 1
    UNCHECKED = 3
    NOTHING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What makes the difference between pass and fail."""

    fail_on: Severity = Severity.ERROR
    """The least severe finding that fails."""
    required: frozenset[Check] = frozenset(Check)
    """Checks that must have run; one that was skipped or broke counts as not checked."""
    advisory: frozenset[Check] = frozenset()
    """Checks whose findings are reported and never decide."""
    asked: frozenset[Check] = frozenset()
    """Checks of which one has to have run for anything to have been checked; any one will do when empty."""
    new_only: bool = False
    """Whether findings that the baseline has are reported and never decide."""

    def decides(self, check: Check, finding: Finding) -> bool:
        """Whether `finding`, of `check`, is one that makes the verdict fail."""
        known = self.new_only and finding.standing is Standing.KNOWN
        return check not in self.advisory and not known and finding.severity >= self.fail_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many findings of each severity, and outcomes of each kind, there are."""

    errors: int = 0
    warnings: int = 0
    notes: int = 0
    ran: int = 0
    skipped: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the images may sail."""

    status: Status
    counts: Counts

    @property
    def exit_code(self) -> int:
        """The exit code that stands for the status."""
        return self.status.value


def decide(results: Iterable[CheckResult], policy: Policy) -> Verdict:
    """The verdict on `results`.

    Findings at or above the threshold decide first, because they are certain; then whatever could not be
    checked; then whether anything ran at all. Adding a finding or a failure never turns another verdict clean.
    """
    results = tuple(results)
    status = settle(
        failing=any(policy.decides(r.check, finding) for r in results for finding in r.findings),
        unchecked=any(r.check in policy.required and _unchecked(r.outcome) for r in results),
        ran=any(
            isinstance(r.outcome, Ran) and (r.check in policy.asked or not policy.asked) for r in results
        ),
    )
    return Verdict(status=status, counts=_count(results))


def settle(*, failing: bool, unchecked: bool, ran: bool) -> Status:
    """What weighs most: what was found is certain, then what was not looked at, then whether anything was."""
    if failing:
        return Status.FINDINGS
    if unchecked:
        return Status.UNCHECKED
    return Status.CLEAN if ran else Status.NOTHING


def _unchecked(outcome: Outcome) -> bool:
    match outcome:
        case Broken():
            return True
        case Skipped(moot=moot):
            return not moot
        case Ran():
            return False


def _count(results: tuple[CheckResult, ...]) -> Counts:
    severities = [f.severity for r in results for f in r.findings]
    return Counts(
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
        notes=severities.count(Severity.NOTE),
        ran=sum(isinstance(r.outcome, Ran) for r in results),
        skipped=sum(isinstance(r.outcome, Skipped) for r in results),
        broken=sum(isinstance(r.outcome, Broken) for r in results),
    )
