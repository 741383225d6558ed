"""The report as JSON, version 1: the keys are a promise, so these types stand apart from the model.

Every key is always there; what is not known is `null`. Lists are in the order of the model's own sort keys. Times
are RFC 3339, durations seconds, sizes bytes. `schema` describes it as JSON Schema 2020-12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark.model.baseline import Standing
from hullmark.model.location import ImageConfig, ImagePath, ServicePlace, SourceSpan
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.stack import LinkRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.baseline import Comparison
    from hullmark.model.difference import Difference
    from hullmark.model.finding import Finding
    from hullmark.model.location import Location
    from hullmark.model.outcome import CheckResult, Outcome
    from hullmark.model.owner import Package
    from hullmark.model.report import ImageSummary, Report
    from hullmark.model.scan import ScanSummary
    from hullmark.model.stack import StackRun
    from hullmark.model.vulnerability import Vulnerability

SCHEMA: Literal["hullmark/report/1"] = "hullmark/report/1"


class ToolV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who made the report."""

    name: Literal["hullmark"]
    version: str


class ProjectV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it is about."""

    name: str
    root: str
    services: list[str]


class CountsV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Findings by severity, outcomes by kind."""

    error: int
    warning: int
    note: int
    suppressed: int
    ran: int
    skipped: int
    broken: int


class VerdictV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the images may sail."""

    exit_code: Literal[0, 1, 3, 4]
    status: Literal["clean", "findings", "unchecked", "nothing"]
    counts: CountsV1


class OutcomeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one check on one service; of a check on the whole project `service` is null."""

    check: str
    service: str | None
    status: Literal["ran", "skipped", "broken"]
    reason: str | None
    seconds: float


class LocationV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a finding points; which keys are set depends on `kind`."""

    kind: Literal["source", "service", "image-path", "image-config"]
    text: str
    """The location as the text format writes it."""
    path: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    service: str | None = None
    image: str | None = None
    layer: int | None = None
    """Index in the `layers` of the image, the lowest is 0; `text` says its number, which is one more."""
    key: str | None = None


class FindingV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One occurrence of one rule."""

    rule: str
    severity: Literal["error", "warning", "note"]
    summary: str
    service: str | None
    location: LocationV1
    origin: LocationV1 | None
    """The instruction that wrote what a finding inside of an image is about, where it is known."""
    seen: str
    expected: str
    remedy: str
    fingerprint: str
    aliases: list[str]
    """What other linters call the same, for example `DL3015`."""
    fixable: Literal["safe", "unsafe"] | None
    """Whether `hullmark lint` can fix it: with `--fix`, with `--unsafe-fixes` as well, or not."""
    check: str | None
    """The check that found it."""
    standing: Literal["introduced", "disclosed", "known"] | None
    """How it stands to the baseline; null where there is none."""


class FixedV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fix that was made before the checks ran, and where the finding was."""

    rule: str
    message: str
    location: LocationV1


class SizeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The four sizes of an image in bytes; `transfer` is estimated where layers were compressed to measure it."""

    transfer: int | None
    transfer_estimated: bool
    unpacked: int
    visible: int
    masked: int


class LayerV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layer, from the bottom up."""

    diff_id: str
    digest: str | None
    instruction: str | None
    unpacked: int
    masked: int


class OwnerV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What files belong to."""

    kind: str
    name: str
    version: str | None
    bytes: int
    files: int
    why: list[str]
    """From a package that somebody asked for, or that nobody requires, to this one, by name; empty where not known."""


class ImageV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One image that was read."""

    reference: str
    digest: str | None
    config_digest: str
    platform: str
    size: SizeV1
    budget: int | None
    layers: list[LayerV1]
    owners: list[OwnerV1]
    settings: dict[str, str]
    """Its configuration by name, without the secrets in it."""
    change: ChangeV1 | None
    """Since the baseline; null where that has no image of the service."""


class SettingV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting that changed; null where it was not set."""

    name: str
    before: str | None
    after: str | None


class OwnerChangeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package, or a directory that no package owns, whose versions or bytes changed."""

    kind: str
    name: str
    before: list[str]
    """Versions; none where it was not there."""
    after: list[str]
    bytes: int
    """By how much it grew."""
    instruction: str | None


class ChangeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an image differs from that of the baseline; sizes are by how many bytes it grew."""

    transfer: int | None
    unpacked: int | None
    visible: int | None
    masked: int | None
    why: str
    settings: list[SettingV1] | None
    owners: list[OwnerChangeV1] | None
    layers_added: int
    layers_removed: int


class ServiceRunV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The life of one service in the stack under test; times in seconds since the stack was started."""

    state: str
    created_after_s: float | None
    started_after_s: float | None
    healthy_after_s: float | None
    answered_after_s: float | None
    """When its probes had passed, of one without a health check."""
    ended_after_s: float | None
    """When it completed, or when it was certain that it had failed."""
    restarts: int
    exit_code: int | None
    out_of_memory: bool
    blocked_by: str | None
    """What it waits for, what that waits for, and how the last of them stands."""
    health_output: str
    log: list[str]
    """The lines that say most."""


class StepV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a flow, or one path of an OpenAPI document, and its answer."""

    step: str
    passed: bool
    seen: str
    seconds: float


class LogV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often one log holds what it must not hold; `count` is null when it could not be read."""

    service: str
    pattern: str
    count: int | None
    lines: list[str]
    """The first of these lines, or why there are none."""


class ProbeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One probe and its answer; `passed` is null when it was not tried."""

    service: str
    probe: str
    passed: bool | None
    seen: str
    seconds: float
    steps: list[StepV1]
    """As far as it came; of a probe of another kind there are none."""


class LinkV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One link; `passed` is null when it could not be tried."""

    from_: str = msgspec.field(name="from")
    to: str
    derived: str | None
    """What says that there is this link; null where `hullmark.toml` declares it."""
    passed: bool | None
    seen: str
    by: str | None
    """What tried it."""
    resolved: bool | None
    """Whether the name stands for an address; this and what follows is null where it was not asked or not seen."""
    address: str | None
    connected: bool | None
    secured: bool | None
    """Whether TLS was agreed upon."""
    status: int | None
    """Of the HTTP answer."""
    seconds: float


class DrillV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One drill of one service; `seen` is why, when it was skipped or broke."""

    drill: str
    service: str
    subject: str | None
    """What of the service was drilled, where that is not all of it: the link that was cut."""
    status: Literal["passed", "failed", "skipped", "broken"]
    seen: str
    seconds: float


class SmokeV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One isolated run of the stack."""

    project: str
    seconds: float
    services: dict[str, ServiceRunV1]
    probes: list[ProbeV1]
    links: list[LinkV1]
    logs: list[LogV1]
    drills: list[DrillV1]
    notes: list[str]
    """How the copy differs from the project in what it has of the world outside, a sentence each."""
    kept: bool
    """Whether it was left up on purpose."""
    artifacts: str | None
    """The directory with its logs, events and health, where that was asked for."""
    teardown_error: str | None


class VulnerabilityV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known vulnerability of one installed package."""

    id: str
    aliases: list[str]
    package: str
    path: str | None
    installed: str
    fixed: str | None
    severity: str
    service: str
    layer: str | None
    instruction: str | None
    """The step that brought the package."""
    origin: str | None
    """The base image that the package came with; null for what the project brought."""
    status: str
    ecosystem: str | None
    packages: list[str]
    """The packages that have it: binary packages of the source package, or one package at several places."""
    ratings: list[RatingV1]
    """By every source, the one that decides first."""
    published: str | None
    exploited: bool | None
    likelihood: float | None
    seen_by: list[str]
    """The scanners that know of it."""
    held: str | None
    """Why it does not count as a finding."""
    remedy: str | None
    standing: Literal["introduced", "disclosed", "known"] | None
    """How it stands to the baseline; null where there is none."""


class RatingV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How severe one source calls a vulnerability."""

    severity: str
    scale: str
    source: str
    record: str
    score: float | None
    vector: str | None


class ScannerV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scanner that has looked for vulnerabilities."""

    name: str
    version: str
    digest: str | None
    """Of its program, or of the image that holds it."""
    found: int
    alone: int
    """How many of these no other scanner knows of."""


class CoverageV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was looked up in one ecosystem."""

    ecosystem: str
    packages: int
    records: int
    fetched: str | None
    reason: str | None
    """Why nothing was looked up."""


class AdviceV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change, and how many vulnerabilities it takes away."""

    text: str
    fixes: int


class SetAsideV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vulnerability that was found and is ignored."""

    id: str
    package: str
    installed: str
    severity: str
    reason: str


class SystemV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The distribution of an image, as its `os-release` has it."""

    id: str
    version_id: str
    codename: str
    id_like: list[str]
    name: str


class PackageV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One package that was looked up; what is empty is not known."""

    kind: str
    name: str
    version: str
    source: str
    source_version: str
    architecture: str
    location: str
    purl: str
    maintainer: str
    part_of: tuple[str, str, str] | None
    """Kind, name and version of the package that it came in."""


class ScanV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one image was scanned for vulnerabilities."""

    distribution: str | None
    packages: dict[str, int]
    """How many of each kind are in the image."""
    scanners: list[ScannerV1]
    coverage: list[CoverageV1]
    unrecognised: dict[str, str]
    """Files whose software could not be named, with the reason."""
    advice: list[AdviceV1]
    held: dict[str, int]
    """Why vulnerabilities do not count, and how many."""
    set_aside: list[SetAsideV1]
    notes: list[str]
    system: SystemV1 | None
    inventory: list[PackageV1]


class FixedFindingV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding of the baseline that is there no more."""

    rule: str
    severity: str
    service: str | None
    fingerprint: str


class GoneV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vulnerability of the baseline that is there no more."""

    id: str
    package: str
    installed: str
    severity: str
    service: str


class BaselineV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the run was compared with; how findings and vulnerabilities stand to it, they say themselves."""

    name: str
    first: bool
    """Whether there is none yet, so that everything counts as known."""
    new_only: bool
    """Whether only what is new can fail."""
    introduced: int
    known: int
    fixed: list[FixedFindingV1]
    vulnerabilities_introduced: int
    vulnerabilities_disclosed: int
    vulnerabilities_known: int
    vulnerabilities_gone: list[GoneV1]
    notes: list[str]
    """What could not be compared."""


class ReportV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole report."""

    schema: Literal["hullmark/report/1"]
    tool: ToolV1
    project: ProjectV1
    started: str
    finished: str
    verdict: VerdictV1
    outcomes: list[OutcomeV1]
    findings: list[FindingV1]
    suppressed: list[FindingV1]
    fixed: list[FixedV1]
    images: dict[str, ImageV1]
    smoke: SmokeV1 | None
    vulnerabilities: list[VulnerabilityV1]
    scans: dict[str, ScanV1]
    baseline: BaselineV1 | None


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # the same everywhere
    """See `interface.render`."""
    yield written(_report(report))


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    return schema_of(ReportV1, SCHEMA)


def _report(report: Report) -> ReportV1:
    counts = report.verdict.counts
    checks = {id(finding): str(result.check) for result in report.results for finding in result.findings}
    return ReportV1(
        schema=SCHEMA,
        tool=ToolV1(name="hullmark", version=__version__),
        project=ProjectV1(name=report.project, root=report.root, services=list(report.services)),
        started=report.started.isoformat(timespec="milliseconds"),
        finished=report.finished.isoformat(timespec="milliseconds"),
        verdict=VerdictV1(
            exit_code=report.verdict.status.value,
            status=report.verdict.status.name.lower(),  # type: ignore[arg-type]  # the names are those
            counts=CountsV1(
                error=counts.errors,
                warning=counts.warnings,
                note=counts.notes,
                suppressed=len(report.suppressed) + len(report.silenced),
                ran=counts.ran,
                skipped=counts.skipped,
                broken=counts.broken,
            ),
        ),
        outcomes=[_outcome(result) for result in report.results],
        findings=[_finding(finding, checks.get(id(finding))) for finding in report.findings],
        suppressed=[_finding(finding) for finding in (*report.suppressed, *report.silenced)],
        fixed=[
            FixedV1(rule=each.rule, message=each.message, location=_location(each.location))
            for each in report.fixed
        ],
        images={image.service: _image(image, report.comparison) for image in report.images},
        smoke=None if report.stack is None else _smoke(report.stack),
        vulnerabilities=[_vulnerability(found) for found in report.vulnerabilities],
        scans={scan.service: _scan(scan) for scan in report.scans},
        baseline=None if report.comparison is None else _baseline(report, report.comparison),
    )


def _baseline(report: Report, comparison: Comparison) -> BaselineV1:
    found, known = report.standings, report.vulnerability_standings
    return BaselineV1(
        name=comparison.name,
        first=comparison.first,
        new_only=comparison.new_only,
        introduced=found[Standing.INTRODUCED],
        known=found[Standing.KNOWN],
        fixed=[
            FixedFindingV1(
                rule=each.rule, severity=each.severity, service=each.service, fingerprint=each.fingerprint
            )
            for each in comparison.fixed
        ],
        vulnerabilities_introduced=known[Standing.INTRODUCED],
        vulnerabilities_disclosed=known[Standing.DISCLOSED],
        vulnerabilities_known=known[Standing.KNOWN],
        vulnerabilities_gone=[
            GoneV1(
                id=each.id,
                package=each.package,
                installed=each.installed,
                severity=each.severity,
                service=each.service,
            )
            for each in comparison.gone
        ],
        notes=list(comparison.notes),
    )


def _change(change: Difference) -> ChangeV1:
    return ChangeV1(
        transfer=change.total("transfer").delta,
        unpacked=change.total("unpacked").delta,
        visible=change.total("visible").delta,
        masked=change.total("masked").delta,
        why=change.why,
        settings=None
        if change.settings is None
        else [SettingV1(name=each.name, before=each.before, after=each.after) for each in change.settings],
        owners=None
        if change.owners is None
        else [
            OwnerChangeV1(
                kind=str(each.kind),
                name=each.name,
                before=list(each.before),
                after=list(each.after),
                bytes=each.delta,
                instruction=each.text or None,
            )
            for each in change.owners
        ],
        layers_added=len(change.layers.added),
        layers_removed=len(change.layers.removed),
    )


def _outcome(result: CheckResult) -> OutcomeV1:
    status, reason = _status(result.outcome)
    return OutcomeV1(
        check=str(result.check),
        service=result.service,
        status=status,
        reason=reason,
        seconds=round(result.seconds, 3),
    )


def _status(outcome: Outcome) -> tuple[Literal["ran", "skipped", "broken"], str | None]:
    match outcome:
        case Ran(note=note):
            return "ran", note or None
        case Skipped(reason=reason):
            return "skipped", reason
        case Broken(error=error):
            return "broken", error


def _finding(finding: Finding, check: str | None = None) -> FindingV1:
    return FindingV1(
        rule=finding.rule,
        severity=str(finding.severity),  # type: ignore[arg-type]  # the names are those
        summary=finding.summary,
        service=finding.service,
        location=_location(finding.location),
        origin=None if finding.origin is None else _location(finding.origin),
        seen=finding.seen,
        expected=finding.expected,
        remedy=finding.remedy,
        fingerprint=finding.fingerprint,
        aliases=list(finding.aliases),
        fixable=None if finding.fix is None else finding.fix.applicability.value,
        check=check,
        standing=_standing(finding.standing),
    )


def _location(place: Location) -> LocationV1:
    text = str(place)
    match place:
        case SourceSpan(path=path, line=line, column=column, end_line=end):
            return LocationV1(
                kind="source", text=text, path=path, line=line, column=column, end_line=end or line
            )
        case ServicePlace(service=service):
            return LocationV1(kind="service", text=text, service=service)
        case ImagePath(image=image, path=path, layer=layer):
            return LocationV1(kind="image-path", text=text, image=image, path=path, layer=layer)
        case ImageConfig(image=image, key=key):
            return LocationV1(kind="image-config", text=text, image=image, key=key)


def _standing(standing: Standing | None) -> Literal["introduced", "disclosed", "known"] | None:
    return None if standing is None else standing.value


def _image(image: ImageSummary, comparison: Comparison | None) -> ImageV1:
    change = None if comparison is None else comparison.image(image.service)
    return ImageV1(
        reference=image.reference,
        digest=image.digest,
        config_digest=image.config_digest,
        platform=image.platform,
        size=SizeV1(
            transfer=image.transfer,
            transfer_estimated=image.estimated,
            unpacked=image.unpacked,
            visible=image.visible,
            masked=image.unpacked - image.visible,
        ),
        budget=image.budget,
        layers=[
            LayerV1(
                diff_id=each.diff_id,
                digest=each.digest,
                instruction=each.instruction or None,
                unpacked=each.unpacked,
                masked=each.masked,
            )
            for each in image.layers
        ],
        owners=[
            OwnerV1(
                kind=str(each.owner.kind),
                name=each.owner.name,
                version=each.owner.version or None,
                bytes=each.bytes,
                files=each.files,
                why=list(each.why),
            )
            for each in image.owners
        ],
        settings=dict(image.settings),
        change=None if change is None else _change(change),
    )


def _link(run: LinkRun, *, tried: bool = True) -> LinkV1:
    return LinkV1(
        from_=run.link.from_service,
        to=run.link.to,
        derived=run.link.derived or None,
        passed=run.passed if tried else None,
        seen=run.seen,
        by=run.by or None,
        resolved=run.resolved,
        address=run.address or None,
        connected=run.connected,
        secured=run.secured,
        status=run.status,
        seconds=_s(run.seconds),
    )


def _smoke(stack: StackRun) -> SmokeV1:
    links = [_link(run) for run in stack.links]
    links += [
        _link(LinkRun(link=each.link, passed=False, seen=each.reason), tried=False) for each in stack.untried
    ]
    probes = [
        ProbeV1(
            service=run.service,
            probe=str(run.probe),
            passed=run.passed,
            seen=run.seen,
            seconds=_s(run.seconds),
            steps=[
                StepV1(step=each.step, passed=each.passed, seen=each.seen, seconds=_s(each.seconds))
                for each in run.steps
            ],
        )
        for run in stack.probes
    ]
    probes += [
        ProbeV1(
            service=each.service,
            probe=str(each.probe),
            passed=None,
            seen=each.reason,
            seconds=0.0,
            steps=[],
        )
        for each in stack.unprobed
    ]
    return SmokeV1(
        project=stack.name,
        seconds=_s(stack.seconds),
        services={
            run.service: ServiceRunV1(
                state=str(run.state),
                created_after_s=None if run.created is None else _s(run.created),
                started_after_s=None if run.started is None else _s(run.started),
                healthy_after_s=None if run.healthy is None else _s(run.healthy),
                answered_after_s=None if run.answered is None else _s(run.answered),
                ended_after_s=None if run.ended is None else _s(run.ended),
                restarts=run.restarts,
                exit_code=run.exit_code,
                out_of_memory=run.out_of_memory,
                blocked_by=stack.blocked_by(run.service) or None,
                health_output=run.health_output,
                log=list(run.log),
            )
            for run in stack.services
        },
        probes=probes,
        links=sorted(links, key=lambda link: (link.from_, link.to)),
        logs=[
            LogV1(
                service=run.service,
                pattern=run.rule.pattern,
                count=None if run.error else run.count,
                lines=[run.error] if run.error else list(run.lines),
            )
            for run in stack.logs
        ],
        drills=[
            DrillV1(
                drill=str(run.drill),
                service=run.service,
                subject=run.subject or None,
                status=run.status,
                seen=run.said,
                seconds=_s(run.seconds),
            )
            for run in stack.drills
        ],
        notes=list(stack.notes),
        kept=stack.kept is not None,
        artifacts=stack.artifacts,
        teardown_error=stack.teardown_error,
    )


def _vulnerability(found: Vulnerability) -> VulnerabilityV1:
    return VulnerabilityV1(
        id=found.id,
        aliases=list(found.aliases),
        package=found.package,
        path=found.path or None,
        installed=found.installed,
        fixed=found.fixed,
        severity=found.severity,
        service=found.service,
        layer=found.layer,
        instruction=str(found.origin) if found.origin else None,
        origin=found.base or None,
        status=found.status,
        ecosystem=found.ecosystem or None,
        packages=[str(holder.owner) for holder in found.holders],
        ratings=[
            RatingV1(
                severity=each.severity,
                scale=str(each.scale),
                source=each.source,
                record=each.record,
                score=each.score,
                vector=each.vector or None,
            )
            for each in found.ratings
        ],
        published=found.published or None,
        exploited=found.exploited,
        likelihood=found.likelihood,
        seen_by=list(found.seen_by),
        held=found.held or None,
        remedy=found.remedy or None,
        standing=_standing(found.standing),
    )


def _scan(scan: ScanSummary) -> ScanV1:
    return ScanV1(
        distribution=scan.distribution or None,
        packages=dict(scan.packages),
        scanners=[
            ScannerV1(
                name=each.name,
                version=each.version,
                digest=each.digest or None,
                found=each.found,
                alone=each.alone,
            )
            for each in scan.scanners
        ],
        coverage=[
            CoverageV1(
                ecosystem=each.ecosystem,
                packages=each.packages,
                records=each.records,
                fetched=each.fetched or None,
                reason=each.reason or None,
            )
            for each in scan.coverage
        ],
        unrecognised={each.path: each.reason for each in scan.unrecognised},
        advice=[AdviceV1(text=each.text, fixes=each.fixes) for each in scan.advice],
        held=dict(scan.held),
        set_aside=[
            SetAsideV1(
                id=each.vulnerability.id,
                package=each.vulnerability.package,
                installed=each.vulnerability.installed,
                severity=each.vulnerability.severity,
                reason=each.reason,
            )
            for each in scan.set_aside
        ],
        notes=list(scan.notes),
        system=_system(scan),
        inventory=[] if scan.inventory is None else [_package(each) for each in scan.inventory.packages],
    )


def _system(scan: ScanSummary) -> SystemV1 | None:
    system = None if scan.inventory is None else scan.inventory.distribution
    if system is None:
        return None
    return SystemV1(
        id=system.id,
        version_id=system.version_id,
        codename=system.codename,
        id_like=list(system.id_like),
        name=system.name,
    )


def _package(package: Package) -> PackageV1:
    part_of = package.part_of
    return PackageV1(
        kind=str(package.owner.kind),
        name=package.owner.name,
        version=package.owner.version,
        source=package.source,
        source_version=package.source_version,
        architecture=package.architecture,
        location=package.location,
        purl=package.purl,
        maintainer=package.maintainer,
        part_of=None if part_of is None else (str(part_of.kind), part_of.name, part_of.version),
    )


def _s(seconds: float) -> float:
    return round(seconds, 3)
