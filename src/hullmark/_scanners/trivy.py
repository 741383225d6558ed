"""Trivy, run as a process; its JSON (schema version 2) is read strictly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark._files import write_whole
from hullmark._scanners.interface import Available, Missing, Scanned
from hullmark.errors import Unavailable
from hullmark.model.vulnerability import Vulnerability

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._process import Commands

TIMEOUT = 900.0
"""Seconds that one scan may take; the first one fetches Trivy's database."""
STOLEN = frozenset({"0.69.4", "0.69.5", "0.69.6"})
"""Versions that were published by an attacker (CVE-2026-33634) and must not be run."""
_INSTALL = "install Trivy (https://trivy.dev) to scan for vulnerabilities"
_VERSION = re.compile(r"^Version: v?(\S+)", re.MULTILINE)
_Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


class Trivy:
    """See `Scanner`."""

    def __init__(self, commands: Commands, cwd: Path) -> None:
        self._commands = commands
        self._cwd = cwd

    def probe(self) -> Available | Missing:
        """See `Scanner.probe`."""
        try:
            completed = self._commands.run(("trivy", "--version"), cwd=self._cwd, timeout=60)
        except Unavailable:
            return Missing(reason=f"trivy is not on PATH; {_INSTALL}")
        version = _VERSION.search(completed.stdout)
        if completed.returncode != 0 or version is None:
            return Missing(reason=f"`trivy --version` does not say which version it is; {_INSTALL}")
        if version[1] in STOLEN:
            return Missing(
                reason=f"trivy {version[1]} was published by an attacker; remove it and install another"
            )
        return Available(version=version[1])

    def scan(self, image: str, *, service: str, report: Path, ignore_file: Path | None) -> Scanned:
        """See `Scanner.scan`."""
        ignore = ("--ignorefile", str(ignore_file)) if ignore_file else ()
        argv = ("trivy", "image", "--quiet", "--format", "json", "--scanners", "vuln", *ignore, image)
        completed = self._commands.run(argv, cwd=self._cwd, timeout=TIMEOUT).check(
            hint="`trivy image` on its own says more; without a network it needs a database fetched before"
        )
        text = completed.stdout.encode()
        scanned = read_report(text, service=service)
        write_whole(report, text, what="the scanner's report")
        return scanned


def read_report(text: bytes, *, service: str) -> Scanned:
    """What a JSON report of Trivy says; raises `Unavailable` when it is of another shape."""
    try:
        report = _DECODER.decode(text)
    except msgspec.DecodeError as error:
        raise Unavailable(
            f"Trivy's report on `{service}` is not the JSON that was expected: {error}",
            hint="hullmark reads reports of schema version 2; upgrade whichever of the two is older",
        ) from error
    recognised = [f"{report.Metadata.OS.Family} {report.Metadata.OS.Name}"] if report.Metadata.OS else []
    recognised += [
        result.Type for result in report.Results or () if result.Type and result.Class == "lang-pkgs"
    ]
    found = [
        _vulnerability(each, result, service)
        for result in report.Results or ()
        for each in result.Vulnerabilities or ()
    ]
    return Scanned(
        vulnerabilities=tuple(sorted(dict.fromkeys(found), key=lambda v: v.sort_key)),
        recognised=tuple(dict.fromkeys(recognised)),
    )


class _OS(msgspec.Struct):
    Family: str
    Name: str


class _Metadata(msgspec.Struct):
    OS: _OS | None = None


class _Layer(msgspec.Struct):
    DiffID: str | None = None


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


class _Result(msgspec.Struct):
    Target: str
    Class: str = ""
    Type: str = ""
    Vulnerabilities: list[_Vulnerability] | None = None


class _Report(msgspec.Struct):
    SchemaVersion: Literal[2]
    ArtifactName: str
    Metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    Results: list[_Result] | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Report)


def _vulnerability(each: _Vulnerability, result: _Result, service: str) -> Vulnerability:
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
        path=each.PkgPath or (result.Target if result.Class == "lang-pkgs" else ""),
    )
