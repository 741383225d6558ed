"""The report: everything one run has to say; reporters are pure functions of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from hullmark.model.finding import Finding
    from hullmark.model.fix import Fixed
    from hullmark.model.outcome import Check, CheckResult
    from hullmark.model.space import OwnerSpace
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
    owners: tuple[OwnerSpace, ...] = ()
    """Whose the visible files are, the largest first."""


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
    suppressed: tuple[Finding, ...] = ()
    """Findings that the configuration ignores."""
    fixed: tuple[Fixed, ...] = ()
    """What was fixed before the checks ran."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, worst first."""
        return tuple(sorted((f for r in self.results for f in r.findings), key=lambda f: f.sort_key))
