"""Grype, run as a process; its JSON is read strictly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark._scanners.adapter import TIMEOUT, Adapter, decoded
from hullmark._scanners.interface import Scanned
from hullmark._scanners.programs import Kind
from hullmark._vulnerabilities.severity import in_order, ratings
from hullmark.errors import Unavailable
from hullmark.model.vulnerability import Rating, Scale, Vulnerability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._scanners.interface import Target

_KIND = Kind(
    name="grype",
    ask=("version",),
    # Of a program that somebody has built by himself this is `[not provided]`.
    version=re.compile(r"^Version:\s+v?(\S.*?)\s*$", re.MULTILINE),
    images=("anchore/grype",),
    refused={},
    install="install Grype (https://github.com/anchore/grype) to scan for vulnerabilities with it",
    cache="/.cache/grype",
)
_ECOSYSTEMS = {
    "python": "PyPI",
    "npm": "npm",
    "go-module": "Go",
    "java-archive": "Maven",
    "jenkins-plugin": "Maven",
    "rust-crate": "crates.io",
    "gem": "RubyGems",
    "php-composer": "Packagist",
    "dotnet": "NuGet",
}
_DISTRIBUTIONS = {"deb": "Debian", "apk": "Alpine"}
_SYSTEM = frozenset({"deb", "apk", "rpm", "alpm", "portage"})
_STATES = {
    "fixed": "fixed",
    "not-fixed": "affected",
    "wont-fix": "will_not_fix",
    "unknown": "unknown",
    "": "unknown",
}
_NO_DATABASE = re.compile(r"failed to load vulnerability db: ([^\n\x1b]+)")


class Grype(Adapter):
    """See `Scanner`."""

    name = "grype"

    kind = _KIND

    def prepare(self) -> None:
        """See `Scanner.prepare`: fetches the database. Without a network one that was fetched before will do."""
        self._program.run(("db", "update", "--quiet"), timeout=TIMEOUT)

    def scan(self, target: Target) -> Scanned:
        """See `Scanner.scan`."""
        env = {"GRYPE_DB_AUTO_UPDATE": "false", "GRYPE_CHECK_FOR_APP_UPDATE": "false"}
        # Asked to be quiet, it does not say why it fails either.
        argv = (f"{target.scheme}:{target.image}", "--output", "json")
        completed = self._program.run(argv, timeout=TIMEOUT, env=env)
        if completed.returncode != 0 and (why := _NO_DATABASE.search(completed.stderr)):
            raise Unavailable(
                f"Grype has no database of vulnerabilities that it can use: {why[1]}",
                hint="run `grype db update`, or `grype db import FILE` on a machine without a network",
            )
        completed.check(hint="`grype IMAGE` on its own says more")
        text = completed.stdout.encode()
        scanned = read_report(text, service=target.service)
        self._keep(target, text)
        return scanned


def read_report(text: bytes, *, service: str) -> Scanned:
    """What a JSON report of Grype says; raises `Unavailable` when it is of another shape."""
    report = decoded(
        _DECODER, text, scanner="Grype", service=service, known="the JSON of Grype 0.74 and later"
    )
    system = report.distro
    recognised = [f"{system.name} {system.version}".rstrip()] if system is not None and system.name else []
    recognised += [each.artifact.type for each in report.matches if each.artifact.type not in _SYSTEM]
    found = [_vulnerability(each, service) for each in report.matches]
    hidden = len(report.ignoredMatches or ())
    return Scanned(
        vulnerabilities=tuple(sorted(dict.fromkeys(found), key=lambda v: v.sort_key)),
        recognised=tuple(dict.fromkeys(recognised)),
        notes=(f"{hidden} held back by Grype itself",) if hidden else (),
    )


class _Cvss(msgspec.Struct):
    version: str
    vector: str
    source: str = ""


class _Epss(msgspec.Struct):
    cve: str
    epss: float


class _Fix(msgspec.Struct):
    versions: list[str] | None
    state: Literal["fixed", "not-fixed", "wont-fix", "unknown", ""]


class _Related(msgspec.Struct):
    id: str


class _Found(msgspec.Struct):
    id: str
    severity: Literal["Unknown", "Negligible", "Low", "Medium", "High", "Critical", ""]
    fix: _Fix
    namespace: str = ""
    cvss: list[_Cvss] | None = None
    epss: list[_Epss] | None = None
    knownExploited: list[msgspec.Raw] | None = None  # noqa: N815  # the report's name


class _Place(msgspec.Struct):
    path: str
    layerID: str | None = None  # noqa: N815


class _Artifact(msgspec.Struct):
    name: str
    version: str
    type: str
    locations: list[_Place] | None = None
    purl: str = ""


class _Match(msgspec.Struct):
    vulnerability: _Found
    artifact: _Artifact
    relatedVulnerabilities: list[_Related] | None = None  # noqa: N815


class _Distro(msgspec.Struct):
    name: str
    version: str


class _Descriptor(msgspec.Struct):
    name: Literal["grype"]
    version: str


class _Report(msgspec.Struct):
    matches: list[_Match]
    descriptor: _Descriptor
    distro: _Distro | None = None
    ignoredMatches: list[msgspec.Raw] | None = None  # noqa: N815


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Report)


def _vulnerability(each: _Match, service: str) -> Vulnerability:
    found, artifact = each.vulnerability, each.artifact
    place = next(iter(artifact.locations or ()), None)
    told = in_order(_ratings(found))
    word = found.severity.lower()
    system = artifact.type in _SYSTEM
    named = artifact.purl.removeprefix("pkg:").split("/")[1:2]
    ecosystem = _DISTRIBUTIONS.get(artifact.type, artifact.type)
    if artifact.type == "deb" and named == ["ubuntu"]:
        ecosystem = "Ubuntu"
    return Vulnerability(
        id=found.id,
        aliases=tuple(related.id for related in each.relatedVulnerabilities or () if related.id != found.id),
        package=artifact.name,
        installed=artifact.version,
        fixed=next(iter(found.fix.versions or ()), None),
        severity={"negligible": "low", "": "unknown"}.get(word, word),
        service=service,
        layer=place.layerID if place else None,
        status=_STATES[found.fix.state],
        path="" if system or place is None else place.path,
        ecosystem=ecosystem if system else _ECOSYSTEMS.get(artifact.type, ""),
        ratings=told,
        exploited=True if found.knownExploited else None,
        likelihood=max((score.epss for score in found.epss or ()), default=None),
        seen_by=("grype",),
    )


def _ratings(found: _Found) -> Iterator[Rating]:
    source = found.namespace.partition(":")
    word = found.severity.lower()
    if word not in {"", "unknown"}:
        distribution = "distro" in source[2]
        yield Rating(
            severity={"negligible": "low"}.get(word, word),
            scale=Scale.DISTRIBUTION if distribution else Scale.DATABASE,
            source=f"{source[0] or 'grype'} severity",
            record=found.id,
        )
    for cvss in found.cvss or ():
        kind = {"4": "CVSS_V4", "3": "CVSS_V3", "2": "CVSS_V2"}.get(cvss.version[:1])
        if kind is not None:
            yield from ratings(found.id, (), [(kind, cvss.vector)], distribution="")
