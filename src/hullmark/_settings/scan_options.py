"""`[scan]`: how vulnerabilities are looked for, which of them count, and which the project lives with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hullmark._settings.kinds import AGE, DATE, FEED, FLAG, TEXT, TEXTS, Option, Table, choice
from hullmark.model.project import ScanSettings, VulnerabilityIgnore
from hullmark.model.vulnerability import SCANNERS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._settings.positions import Path as KeyPath
    from hullmark.model.location import SourceSpan

_IGNORE = Table(
    key="ignore",
    array=True,
    help="A vulnerability that the project has decided to live with, for a while.",
    options=(
        Option(key="id", kind=TEXT, help="Any of its names.", required=True, example='"CVE-2026-12345"'),
        Option(
            key="reason",
            kind=TEXT,
            help="Why that is right.",
            required=True,
            example='"the parser is never given what others wrote"',
        ),
        Option(
            key="expires",
            kind=DATE,
            help="The last day on which it holds.",
            required=True,
            example="2027-06-30",
        ),
        Option(
            key="package",
            kind=TEXT,
            help="Only in this package, or what is built from this source package.",
            default="every package",
        ),
        Option(key="service", kind=TEXT, help="Only in this service.", default="all"),
        Option(key="owner", kind=TEXT, help="Whom to ask about it.", example='"platform team"'),
    ),
)

SCAN = Table(
    key="scan",
    help="How vulnerabilities are looked for. See [vulnerabilities.md](vulnerabilities.md).",
    options=(
        Option(
            key="fail-on",
            kind=choice("never", *SEVERITIES[1:]),
            help="The least severe vulnerability that fails.",
            default="never",
            environment="HULLMARK_SCAN_FAIL_ON",
            flag="--scan-fail-on",
        ),
        Option(
            key="scanner",
            kind=choice("embedded", *SCANNERS[1:], "all"),
            help="Who looks for them: hullmark itself, or another program; `all` is everyone that is there.",
            default="embedded",
            environment="HULLMARK_SCANNER",
            flag="--scanner",
        ),
        Option(
            key="fixable",
            kind=FLAG,
            help="Whether only vulnerabilities with a fix are findings; others are counted.",
            default="true",
        ),
        Option(
            key="grace",
            kind=AGE,
            help="The time from its disclosure for which a vulnerability is a note, whatever its severity.",
            example='"7 days"',
        ),
        Option(
            key="kernel-headers",
            kind=FLAG,
            help="Whether vulnerabilities of the kernel count where an image has nothing but its headers.",
            default="false",
        ),
        Option(
            key="reports", kind=TEXT, help="Directory for the scanners' own reports.", default="trivy-reports"
        ),
        Option(
            key="ignore-file",
            kind=TEXT,
            help="Vulnerabilities to ignore, in Trivy's format; with `.yaml` at the end in its other one.",
            default=".trivyignore, and .trivyignore.yaml where there is one",
            example='".trivyignore"',
        ),
        Option(
            key="vex",
            kind=TEXTS,
            help="Documents in OpenVEX or CycloneDX that say which vulnerabilities do not affect the images.",
            example='["vex.json"]',
        ),
        Option(
            key="db-url",
            kind=FEED,
            help="Where the records of vulnerabilities come from: a mirror of the bucket of OSV, by its URL or "
            "as a directory, also as `file:///PATH`.",
            default="the bucket of OSV",
            environment="HULLMARK_DB_URL",
            flag="--db-url",
        ),
        Option(
            key="db-max-age",
            kind=AGE,
            help="The age from which on stored records are too old to rely on.",
            default="7 days",
            environment="HULLMARK_DB_MAX_AGE",
            flag="--db-max-age",
        ),
    ),
    tables=(_IGNORE,),
)


def scan_settings(values: Mapping[str, Any], span: Callable[[KeyPath], SourceSpan]) -> ScanSettings:
    """What the table `[scan]` says; `span` tells where a key of the configuration stands."""
    defaults = ScanSettings()
    return ScanSettings(
        fail_on=values.get("fail-on", defaults.fail_on),
        scanner=values.get("scanner", defaults.scanner),
        fixable=values.get("fixable", defaults.fixable),
        grace=values.get("grace", defaults.grace),
        kernel_headers=values.get("kernel-headers", defaults.kernel_headers),
        reports=values.get("reports", defaults.reports),
        ignore_file=values.get("ignore-file", defaults.ignore_file),
        vex=values.get("vex", defaults.vex),
        db_url=values.get("db-url"),
        db_max_age=values.get("db-max-age", defaults.db_max_age),
        ignores=tuple(
            VulnerabilityIgnore(
                id=ignore["id"],
                reason=ignore["reason"],
                expires=ignore["expires"],
                package=ignore.get("package"),
                service=ignore.get("service"),
                owner=ignore.get("owner"),
                origin=span(("scan", "ignore", index)),
            )
            for index, ignore in enumerate(values.get("ignore", []))
            if ignore is not None
        ),
    )
