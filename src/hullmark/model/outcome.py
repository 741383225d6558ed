"""What became of a check: it ran, it was skipped, or it broke; and the two that are not `Ran` never pass as it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.finding import Finding


class Check(enum.StrEnum):
    """The steps between Dockerfile and verdict, in the order in which they run."""

    LINT = "lint"
    BUILD = "build"
    VALIDATE = "validate"
    SMOKE = "smoke"
    SECRETS = "secrets"
    SCAN = "scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The check looked at everything it was asked to look at."""

    findings: tuple[Finding, ...] = ()
    note: str = ""
    """What is worth knowing of how it went, such as that nothing had to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The check did not look, for a reason that is no defect of the project."""

    reason: str
    moot: bool = False
    """Whether there is nothing that it could have looked at, so that nothing is left unchecked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The check tried to look and could not."""

    error: str
    findings: tuple[Finding, ...] = ()
    """What it saw before it broke."""


Outcome = Ran | Skipped | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check on one service (or on the project as a whole) and what became of it."""

    check: Check
    service: str | None
    outcome: Outcome
    seconds: float = 0.0
    """How long it took."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that the outcome holds."""
        return () if isinstance(self.outcome, Skipped) else self.outcome.findings
