"""Findings: a rule's fixed text, and one occurrence of what it looks for."""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.baseline import Standing
    from hullmark.model.fix import Fix
    from hullmark.model.location import Location
    from hullmark.model.secret import Likeness


class Severity(enum.IntEnum):
    """How much a finding matters; higher is worse."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Severity:
        """The severity called `text`; raises `KeyError` for any other word."""
        return cls[text.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a rule saw at one place; the engine of checks makes a finding of it."""

    location: Location
    seen: str
    """What is there, in the user's own words where it can be quoted."""
    expected: str
    """What should be there."""
    remedy: str
    """The change that removes the finding, concrete enough to be typed."""
    severity: Severity | None = None
    """Set only when the occurrence is worse or better than its rule usually is."""
    key: str | None = None
    """What tells this occurrence from others of the rule at the same place; `seen` when not given."""
    fix: Fix | None = None
    """The same change for a machine to make, where one can."""
    origin: SourceSpan | None = None
    """The instruction that is to be changed, for what is seen inside of an image; where it is not given, the one that
    wrote the file counts."""
    likeness: Likeness | None = None
    """The secret that it is about, if it is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One occurrence of one rule, as it is reported."""

    rule: str
    summary: str
    severity: Severity
    service: str | None
    location: Location
    seen: str
    expected: str
    remedy: str
    fingerprint: str
    """Stable while the defect is the same: independent of line numbers, tags and digests."""
    fix: Fix | None = None
    """What a machine can do about it; see `hullmark lint --fix`."""
    aliases: tuple[str, ...] = ()
    """What other linters call the same; an ignore of one of these covers it as well."""
    origin: SourceSpan | None = None
    """The instruction that is to be changed, for a finding inside of an image, where that is known."""
    standing: Standing | None = None
    """How it stands to the baseline; `None` where there is none."""
    likeness: Likeness | None = None
    """The secret that it is about, if it is about one; policy goes by its format and its hash."""

    @property
    def sort_key(self) -> tuple[int, str, str, tuple[str, int, int], str]:
        """Worst first, then by rule, service and place."""
        match self.location:
            case SourceSpan(path=path, line=line, column=column):
                place = (path, line, column)
            case other:
                place = (str(other), 0, 0)
        return (-self.severity, self.rule, self.service or "", place, self.seen)


def fingerprint(rule: str, service: str | None, observation: Observation) -> str:
    """A stable name for one occurrence: the first 16 hexadecimal digits of a SHA-256."""
    key = observation.seen if observation.key is None else observation.key
    text = "\0".join((rule, service or "", observation.location.anchor, key))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def numbered(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """`findings`, worst first, each with its fingerprint and a number that tells it from others that have the same."""
    seen: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda finding: finding.sort_key):
        seen[finding.fingerprint] += 1
        yield finding, f"{finding.fingerprint}:{seen[finding.fingerprint]}"
