"""Trivy, run as a process; its JSON (schema version 2) is read strictly."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark._scanners.adapter import TIMEOUT, Adapter, decoded
from hullmark._scanners.interface import Scanned
from hullmark._scanners.programs import Kind
from hullmark._vulnerabilities.severity import in_order, ratings
from hullmark.model.vulnerability import SEVERITIES, Rating, Scale, Vulnerability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._scanners.interface import Target

STOLEN = frozenset({"0.69.4", "0.69.5", "0.69.6"})
"""Versions that were published by an attacker (CVE-2026-33634) and must not be run."""
_KIND = Kind(
    name="trivy",
    ask=("--version",),
    version=re.compile(r"^Version: v?(\S+)", re.MULTILINE),
    images=("aquasec/trivy", "aquasecurity/trivy"),
    refused=dict.fromkeys(STOLEN, "was published by an attacker"),
    install="install Trivy (https://trivy.dev) to scan for vulnerabilities with it",
    cache="/root/.cache/trivy",
)
_FAMILIES = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "alpine": "Alpine",
    "wolfi": "Wolfi",
    "chainguard": "Chainguard",
}
_LANGUAGES = {
    "python-pkg": "PyPI",
    "pip": "PyPI",
    "pipenv": "PyPI",
    "poetry": "PyPI",
    "pylock": "PyPI",
    "uv": "PyPI",
    "node-pkg": "npm",
    "npm": "npm",
    "bun": "npm",
    "javascript": "npm",
    "yarn": "npm",
    "pnpm": "npm",
    "gobinary": "Go",
    "gomod": "Go",
    "jar": "Maven",
    "pom": "Maven",
    "gradle": "Maven",
    "sbt": "Maven",
    "rustbinary": "crates.io",
    "cargo": "crates.io",
    "gemspec": "RubyGems",
    "bundler": "RubyGems",
    "composer": "Packagist",
    "composer-vendor": "Packagist",
    "nuget": "NuGet",
    "dotnet-core": "NuGet",
    "packages-props": "NuGet",
}
_ONLY_LISTED = frozenset({"conda-pkg", "conda-environment"})
"""Packages that Trivy tells of and has no records for."""
_DATABASES = frozenset({"nvd", "ghsa", "glad", "julia"})
"""Sources of severities that are no distributions."""
_ALL = (
    "--severity=UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL",
    "--ignore-unfixed=false",
    f"--ignorefile={os.devnull}",
)
"""What is set aside is decided for all scanners alike, and not by the files and variables that Trivy takes by itself."""
_Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


class Trivy(Adapter):
    """See `Scanner`."""

    name = "trivy"

    kind = _KIND

    def prepare(self) -> None:
        """See `Scanner.prepare`: fetches the database. Without a network one that was fetched before will do."""
        self._program.run(("image", "--quiet", "--download-db-only"), timeout=TIMEOUT)

    def scan(self, target: Target) -> Scanned:
        """See `Scanner.scan`."""
        # Its cache in memory locks nobody out.
        options = ("--scanners", "vuln", "--skip-db-update", "--cache-backend", "memory", *_ALL)
        argv = ("image", "--quiet", "--format", "json", *options, target.image)
        completed = self._program.run(argv, timeout=TIMEOUT).check(
            hint="`trivy image` on its own says more; without a network it needs a database fetched before"
        )
        text = completed.stdout.encode()
        scanned = read_report(text, service=target.service)
        self._keep(target, text)
        return scanned


def read_report(text: bytes, *, service: str) -> Scanned:
    """What a JSON report of Trivy says; raises `Unavailable` when it is of another shape."""
    report = decoded(_DECODER, text, scanner="Trivy", service=service, known="reports of schema version 2")
    system = report.Metadata.OS
    # It names every system that it knows, and looks only at those that it has records for.
    looked = [(result.Class, result.Type) for result in report.Results or ()]
    recognised = [f"{system.Family} {system.Name}"] if system and ("os-pkgs", system.Family) in looked else []
    recognised += [kind for of, kind in looked if kind and of == "lang-pkgs" and kind not in _ONLY_LISTED]
    found = [
        _vulnerability(each, result, service)
        for result in report.Results or ()
        for each in result.Vulnerabilities or ()
    ]
    hidden = sum(len(result.ExperimentalModifiedFindings or ()) for result in report.Results or ())
    return Scanned(
        vulnerabilities=tuple(sorted(dict.fromkeys(found), key=lambda v: v.sort_key)),
        recognised=tuple(dict.fromkeys(recognised)),
        notes=(f"{hidden} held back by Trivy itself",) if hidden else (),
    )


class _OS(msgspec.Struct):
    Family: str
    Name: str


class _Metadata(msgspec.Struct):
    OS: _OS | None = None


class _Layer(msgspec.Struct):
    DiffID: str | None = None


class _Cvss(msgspec.Struct):
    V2Vector: str = ""
    V3Vector: str = ""
    V40Vector: str = ""


class _Vulnerability(msgspec.Struct):
    VulnerabilityID: str
    PkgName: str
    InstalledVersion: str
    Severity: _Severity
    FixedVersion: str = ""
    Status: str = "unknown"
    PkgPath: str = ""
    VendorIDs: list[str] | None = None
    Layer: _Layer | None = None
    SeveritySource: str = ""
    VendorSeverity: dict[str, int] | None = None
    CVSS: dict[str, _Cvss] | None = None
    PublishedDate: str = ""


class _Result(msgspec.Struct):
    Target: str
    Class: str = ""
    Type: str = ""
    Vulnerabilities: list[_Vulnerability] | None = None
    ExperimentalModifiedFindings: list[msgspec.Raw] | None = None


class _Report(msgspec.Struct):
    SchemaVersion: Literal[2]
    ArtifactName: str
    Metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    Results: list[_Result] | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Report)


def _vulnerability(each: _Vulnerability, result: _Result, service: str) -> Vulnerability:
    language = result.Class == "lang-pkgs"
    told = in_order(_ratings(each))
    return Vulnerability(
        id=each.VulnerabilityID,
        aliases=tuple(each.VendorIDs or ()),
        package=each.PkgName,
        installed=each.InstalledVersion,
        fixed=each.FixedVersion or None,
        severity=each.Severity.lower(),
        service=service,
        layer=each.Layer.DiffID if each.Layer else None,
        status=each.Status,
        path=each.PkgPath or (result.Target if language else ""),
        ecosystem=_LANGUAGES.get(result.Type, "") if language else _FAMILIES.get(result.Type, result.Type),
        ratings=told,
        published=each.PublishedDate,
        seen_by=("trivy",),
    )


def _ratings(each: _Vulnerability) -> Iterator[Rating]:
    for source, level in sorted((each.VendorSeverity or {}).items()):
        if 0 < level < len(SEVERITIES):
            scale = Scale.DATABASE if source in _DATABASES else Scale.DISTRIBUTION
            # Of all distributions only the word of the image's own decides.
            if scale is Scale.DATABASE or source == each.SeveritySource:
                yield Rating(
                    severity=SEVERITIES[level],
                    scale=scale,
                    source=f"{source} severity",
                    record=each.VulnerabilityID,
                )
    for cvss in (each.CVSS or {}).values():
        vectors = [("CVSS_V4", cvss.V40Vector), ("CVSS_V3", cvss.V3Vector), ("CVSS_V2", cvss.V2Vector)]
        yield from ratings(
            each.VulnerabilityID, (), [(kind, vector) for kind, vector in vectors if vector], distribution=""
        )
