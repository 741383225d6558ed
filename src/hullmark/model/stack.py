"""What was seen of a running stack as a whole: probes, links, logs, and how it was left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.service_run import blocked_by

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.drill import DrillRun
    from hullmark.model.location import SourceSpan
    from hullmark.model.probe import LogRule, Probe
    from hullmark.model.project import Link
    from hullmark.model.service_run import ServiceRun


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a probe and its answer."""

    step: str
    passed: bool
    seen: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """What one log was found to hold of what it must not hold."""

    service: str
    rule: LogRule
    count: int
    """How many lines."""
    lines: tuple[str, ...] = ()
    """The first of them, short and printable."""
    error: str = ""
    """Why the log could not be read, if it could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """One probe and its answer."""

    service: str
    probe: Probe
    passed: bool
    seen: str
    """The answer, or what came instead of one."""
    seconds: float = 0.0
    steps: tuple[StepRun, ...] = ()
    """Of a flow its steps, of an OpenAPI document its paths, as far as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UntriedProbe:
    """A probe that was not tried."""

    service: str
    probe: Probe
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRun:
    """One link, tried from inside the calling container's network.

    Whether the name stands for an address, whether that accepts connections and whether it can be spoken to in secret
    are `None` where that was not asked, or not seen.
    """

    link: Link
    passed: bool
    seen: str
    """The answer, or what came instead of one, in words."""
    by: str = ""
    """What tried it."""
    resolved: bool | None = None
    address: str = ""
    """What the name stands for."""
    connected: bool | None = None
    secured: bool | None = None
    """Whether TLS was agreed upon, with a certificate that the link takes for a good one."""
    status: int | None = None
    """Of the HTTP answer."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinkable:
    """A link that was not, or could not be, tried."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a smoke test is to leave on purpose."""

    keep: bool = False
    """Whether the stack stays up."""
    artifacts: Path | None = None
    """Directory for all there is to know of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A stack that stays up after its test."""

    name: str
    """The Compose project name."""
    services: tuple[str, ...]
    """Those that have a container."""
    addresses: tuple[tuple[str, int, str], ...] = ()
    """Services, their ports inside, and where on this host these answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRun:
    """One isolated run of the stack."""

    name: str
    """The Compose project name of this run."""
    services: tuple[ServiceRun, ...] = ()
    probes: tuple[ProbeRun, ...] = ()
    links: tuple[LinkRun, ...] = ()
    untried: tuple[Unlinkable, ...] = ()
    unprobed: tuple[UntriedProbe, ...] = ()
    logs: tuple[LogRun, ...] = ()
    tried: bool = True
    """Whether probes and links were tried; they are not when something did not come up."""
    unwanted: tuple[str, ...] = ()
    """Services of which the project wants no container."""
    notes: tuple[str, ...] = ()
    """How the copy differs from the project in what it has of the world outside, a sentence each."""
    seconds: float = 0.0
    drills: tuple[DrillRun, ...] = ()
    """What it was put to afterwards, in order."""
    teardown_error: str | None = None
    """What could not be removed, if anything."""
    kept: Kept | None = None
    """How to get at what was left up on purpose."""
    artifacts: str | None = None
    """The directory with all there is to know of it, where that was asked for."""
    artifacts_error: str | None = None
    """Why that could not be written."""

    @property
    def ready(self) -> bool:
        """Whether every service came up."""
        return all(service.ready for service in self.services)

    def blocked_by(self, service: str) -> str:
        """What kept `service` from being started, such as `rag, which waits for db: unhealthy`; empty when nothing did."""
        return blocked_by(self.services, service)

    @property
    def states(self) -> str:
        """How the services stand, as the beginning of a sentence."""
        counts = Counter(str(service.state) for service in self.services)
        shown = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        many = "all services are" if len(self.services) != 1 else "the service is"
        return f"{many} up ({shown})" if self.ready else f"not all services are up ({shown})"

    @property
    def unproven(self) -> str:
        """Which services run without anything that says whether they work, in a sentence; empty where there are none."""
        names = [run.service for run in self.services if run.ready and not run.proven]
        return f"not proven to work: {', '.join(names)} (no health check, no probe)" if names else ""

    @property
    def tally(self) -> str:
        """How many of the configured probes, links and drills passed, or that there are none; and of derived links."""
        probes = len(self.probes) + len(self.unprobed)
        known = [*(run.link for run in self.links), *(each.link for each in self.untried)]
        links = sum(not link.derived for link in known)
        more = f"{self._drilled}{self._derived}"
        if not probes and not links:
            return f"no probes or links are configured (`[[services.NAME.probes]]`, `[[links]]`){more}"
        named = f"{{}} of {probes} probe{'' if probes == 1 else 's'} and {{}} of {links} link{'' if links == 1 else 's'}"
        if not self.tried:
            return f"{named.format(0, 0)} tried"
        passed = sum(run.passed for run in self.probes)
        linked = sum(run.passed for run in self.links if not run.link.derived)
        return f"{named.format(passed, linked)} passed{more}"

    @property
    def _derived(self) -> str:
        """How many of the derived links held, as the end of a sentence; empty where there are none."""
        found = [run.passed for run in self.links if run.link.derived]
        return (
            f"; {sum(found)} of {len(found)} derived link{'' if len(found) == 1 else 's'} held"
            if found
            else ""
        )

    @property
    def _drilled(self) -> str:
        """How many of the drills passed, as the end of a sentence; empty where there are none."""
        counts = Counter(run.status for run in self.drills)
        tried = sum(counts.values()) - counts["skipped"]
        return f", and {counts['passed']} of {tried} drill{'' if tried == 1 else 's'}" if tried else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUser:
    """A process of a running service and the user it runs as."""

    uid: int
    name: str
    """The name in the container's `/etc/passwd`, or the number."""
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """Who the processes of a service that promised to drop privileges run as."""

    service: str
    expected: str
    span: SourceSpan
    processes: tuple[ProcessUser, ...]
