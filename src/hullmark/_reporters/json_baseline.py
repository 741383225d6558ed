"""What changed since the baseline, in the JSON report, version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark.model.baseline import Standing

if TYPE_CHECKING:
    from hullmark.model.baseline import Comparison
    from hullmark.model.difference import Difference
    from hullmark.model.report import Report


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


def baseline(report: Report, comparison: Comparison) -> BaselineV1:
    """What the run was compared with, as it is written."""
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


def change_of(change: Difference) -> ChangeV1:
    """What changed in one image, as it is written."""
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


def standing(standing: Standing | None) -> Literal["introduced", "disclosed", "known"] | None:
    """How something stands to the baseline, as it is written."""
    return None if standing is None else standing.value
