"""The report as JSON, version 1: the keys are a promise, so these types stand apart from the model.

Every key is always there; what is not known is `null`. Lists are in the order of the model's own sort keys. Times
are RFC 3339, durations seconds, sizes bytes. `schema` describes it as JSON Schema 2020-12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark._reporters.json_baseline import BaselineV1, ChangeV1, baseline, change_of, standing  # noqa: TC001  # msgspec reads it
from hullmark._reporters.json_scan import ScanV1, VulnerabilityV1, scan_of, vulnerability  # noqa: TC001  # as above
from hullmark._reporters.json_smoke import SmokeV1, smoke  # noqa: TC001  # as above
from hullmark.model.location import ImageConfig, ImagePath, ServicePlace, SourceSpan
from hullmark.model.outcome import Broken, Ran, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.baseline import Comparison
    from hullmark.model.finding import Finding
    from hullmark.model.location import Location
    from hullmark.model.outcome import CheckResult, Outcome
    from hullmark.model.report import ImageSummary, Report

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
        smoke=None if report.stack is None else smoke(report.stack),
        vulnerabilities=[vulnerability(found) for found in report.vulnerabilities],
        scans={scan.service: scan_of(scan) for scan in report.scans},
        baseline=None if report.comparison is None else baseline(report, report.comparison),
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
        standing=standing(finding.standing),
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
        change=None if change is None else change_of(change),
    )
