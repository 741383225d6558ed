"""The report: everything one run has to say; reporters are pure functions of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.model.outcome import Check
from hullmark.model.verdict import Policy

if TYPE_CHECKING:
    import datetime as dt

    from hullmark.model.affected import Affected
    from hullmark.model.baseline import Comparison, Standing
    from hullmark.model.difference import Difference
    from hullmark.model.finding import Finding, Severity
    from hullmark.model.fix import Fixed
    from hullmark.model.history import ServiceHistory
    from hullmark.model.location import SourceSpan
    from hullmark.model.outcome import CheckResult
    from hullmark.model.scan import ScanSummary
    from hullmark.model.space import OwnerSpace, SpaceMap
    from hullmark.model.stack import StackRun
    from hullmark.model.verdict import Verdict
    from hullmark.model.vulnerability import Vulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer in the report; sizes in bytes."""

    diff_id: str
    unpacked: int
    masked: int = 0
    digest: str | None = None
    """Of its blob, where it has one."""
    instruction: str = ""
    """The step that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSummary:
    """One image in the report; sizes in bytes."""

    service: str
    reference: str
    config_digest: str
    platform: str
    unpacked: int
    visible: int
    """In the final file system; the rest of `unpacked` is masked."""
    budget: int | None
    layers: tuple[LayerSummary, ...]
    digest: str | None = None
    """Of its manifest, where it has one."""
    transfer: int | None = None
    """Of its compressed blobs, where they are known."""
    estimated: bool = False
    """Whether `transfer` is an estimate: its layers were compressed here to measure it."""
    owners: tuple[OwnerSpace, ...] = ()
    """Whose the visible files are, the largest first."""
    boxes: SpaceMap | None = None
    """What takes the space, to be drawn."""
    growth: Difference | None = None
    """What changed since the previous image, file by file excepted; where the project says which one that is."""
    settings: tuple[tuple[str, str], ...] = ()
    """Its configuration by name, such as `User` and `Env.PATH`, without the secrets in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """What a report says of a rule that has findings in it."""

    id: str
    summary: str
    severity: Severity
    """What it usually is."""
    page: str = ""
    """What `hullmark explain` prints; empty for the rule of another program."""
    url: str = ""
    """Where another program describes its rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was checked, what was found, and the verdict."""

    project: str
    root: str
    services: tuple[str, ...]
    """Services with images of their own, sorted."""
    checks: tuple[Check, ...]
    """The checks that were asked for, in order."""
    started: dt.datetime
    finished: dt.datetime
    verdict: Verdict
    results: tuple[CheckResult, ...]
    images: tuple[ImageSummary, ...] = ()
    stack: StackRun | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    scans: tuple[ScanSummary, ...] = ()
    """How images were scanned for vulnerabilities, by service."""
    suppressed: tuple[Finding, ...] = ()
    """Findings that the configuration ignores."""
    silenced: tuple[Finding, ...] = ()
    """Findings of other linters about what is meant as it is; `hullmark explain` says why of each of their rules."""
    fixed: tuple[Fixed, ...] = ()
    """What was fixed before the checks ran."""
    policy: Policy = field(default_factory=Policy)
    """What the verdict was made by."""
    places: tuple[tuple[str, SourceSpan], ...] = ()
    """Where each service is declared, for findings that have no place in a file."""
    prefix: str = ""
    """The directory of the project below its repository, with forward slashes; empty at its root or without one."""
    comparison: Comparison | None = None
    """With the baseline, where there is one."""
    history: tuple[ServiceHistory, ...] = ()
    """What was measured of each service before, with this run where it was recorded."""
    affected: Affected | None = None
    """What the change touches, where only that was checked."""
    rules: tuple[RuleText, ...] = ()
    """The text of every rule that has findings here, sorted by id."""

    def decides(self, check: Check, finding: Finding) -> bool:
        """Whether `finding`, of `check`, is one that makes the verdict fail."""
        return self.policy.decides(check, finding)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, worst first."""
        return tuple(sorted((f for r in self.results for f in r.findings), key=lambda f: f.sort_key))

    @property
    def standings(self) -> Counter[Standing | None]:
        """How many findings stand how to the baseline, those about vulnerabilities excepted."""
        of_scans = {id(f) for r in self.results if r.check is Check.SCAN for f in r.findings}
        return Counter(each.standing for each in self.findings if id(each) not in of_scans)

    @property
    def vulnerability_standings(self) -> Counter[Standing | None]:
        """How many vulnerabilities stand how to the baseline."""
        return Counter(each.standing for each in self.vulnerabilities)
