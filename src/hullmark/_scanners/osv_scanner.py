"""osv-scanner, run as a process; the JSON of its version 2 is read strictly."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark._scanners.adapter import TIMEOUT, Adapter, decoded
from hullmark._scanners.interface import Scanned
from hullmark._scanners.programs import Kind
from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.severity import in_order, ratings
from hullmark._vulnerabilities.versions import Order
from hullmark.errors import Unavailable
from hullmark.model.vulnerability import SEVERITIES, Vulnerability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._process import Commands
    from hullmark._scanners.interface import Target

_KIND = Kind(
    name="osv-scanner",
    ask=("--version",),
    version=re.compile(r"^osv-scanner version: v?(\S+)", re.MULTILINE),
    images=("google/osv-scanner",),
    refused={},
    install="install osv-scanner (https://google.github.io/osv-scanner) to scan for vulnerabilities with it",
)
_FOUND, _NOTHING_THERE = 1, 128
"""Exit codes: some vulnerability was found; there was no package."""
_DISTRIBUTIONS = frozenset({Order.DEBIAN, Order.ALPINE, Order.RPM})
_LOCAL = "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY"
"""Names the directory that it takes records from without a network."""
_KNOWN = "jinja2==2.4\n"
"""A package that has had vulnerabilities for years, so that whoever finds none of them cannot look anything up."""
_UNREAD = re.compile(r"^could not load db for (\S+) ecosystem", re.MULTILINE)
_HINT = (
    "it asks api.osv.dev; without a network it takes records from the directory that "
    f"{_LOCAL} names, as osv-scalibr/ECOSYSTEM/all.zip there"
)


class OsvScanner(Adapter):
    """See `Scanner`."""

    name = "osv-scanner"

    kind = _KIND

    def __init__(
        self, commands: Commands, cwd: Path, environ: Mapping[str, str], cache: Path | None = None
    ) -> None:
        super().__init__(commands, cwd, environ, cache)
        self._records = environ.get(_LOCAL, "")
        self._unable: Unavailable | None = None

    def prepare(self) -> None:
        """See `Scanner.prepare`: finds out whether it can look up anything.

        Of an image for which it could not, it says the same as of one without vulnerabilities, and exits with 0.
        """
        if self._records:
            return
        with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
            # In a container it may be somebody else who reads it.
            Path(directory).chmod(0o755)
            known = Path(directory) / "requirements.txt"
            known.write_text(_KNOWN, encoding="utf-8")
            argv = ("scan", "source", "--no-resolve", "--format", "json", "--lockfile", str(known))
            completed = self._program.run(argv, timeout=TIMEOUT, mount=directory)
        if completed.returncode != _FOUND:
            said = completed.stderr.strip().rpartition("\n")[2] if completed.returncode else ""
            why = said or "it finds nothing in a package that is known to be vulnerable"
            self._unable = Unavailable(f"osv-scanner cannot look anything up: {why}", hint=_HINT)

    def scan(self, target: Target) -> Scanned:
        """See `Scanner.scan`."""
        if self._unable is not None:
            raise self._unable
        offline = ("--offline-vulnerabilities",) if self._records else ()
        argv = ("scan", "image", *offline, "--format", "json", "--all-packages", target.image)
        completed = self._program.run(
            argv, timeout=TIMEOUT, env={_LOCAL: self._records} if self._records else None, mount=self._records
        )
        if completed.returncode == _NOTHING_THERE:
            return Scanned(vulnerabilities=(), recognised=())
        if unread := _UNREAD.search(completed.stderr):
            # It goes on without all that it has not looked up by then.
            raise Unavailable(f"osv-scanner has no records of {unread[1]} in {self._records}", hint=_HINT)
        if completed.returncode != _FOUND:
            completed.check(hint="`osv-scanner scan image IMAGE` on its own says more")
        text = completed.stdout.encode()
        scanned = read_report(text, service=target.service)
        self._keep(target, text)
        return scanned


def read_report(text: bytes, *, service: str) -> Scanned:
    """What a JSON report of osv-scanner says; raises `Unavailable` when it is of another shape."""
    report = decoded(
        _DECODER, text, scanner="osv-scanner", service=service, known="the JSON of osv-scanner 2"
    )
    layers = (report.image_metadata.layer_metadata if report.image_metadata else None) or []
    recognised = [report.image_metadata.os] if report.image_metadata and report.image_metadata.os else []
    recognised += [each.package.ecosystem for result in report.results for each in result.packages or ()]
    found = [
        one
        for result in report.results
        for each in result.packages or ()
        for one in _vulnerabilities(each, result, service, layers)
    ]
    return Scanned(
        vulnerabilities=tuple(sorted(dict.fromkeys(found), key=lambda v: v.sort_key)),
        recognised=tuple(dict.fromkeys(filter(None, recognised))),
    )


class _Layer(msgspec.Struct):
    diff_id: str
    base_image_index: int = 0


class _ImageMetadata(msgspec.Struct):
    os: str = ""
    layer_metadata: list[_Layer] | None = None


class _Of(msgspec.Struct):
    name: str
    ecosystem: str = ""


class _Range(msgspec.Struct):
    type: str
    events: list[dict[str, str]] | None = None


class _Affected(msgspec.Struct):
    package: _Of | None = None
    ranges: list[_Range] | None = None
    ecosystem_specific: dict[str, Any] | None = None


class _Severity(msgspec.Struct):
    type: str
    score: str


class _Record(msgspec.Struct):
    id: str
    modified: str
    aliases: list[str] | None = None
    upstream: list[str] | None = None
    published: str = ""
    severity: list[_Severity] | None = None
    affected: list[_Affected] | None = None
    database_specific: dict[str, Any] | None = None


class _Group(msgspec.Struct):
    ids: list[str]
    aliases: list[str] | None = None
    max_severity: str = ""


class _Details(msgspec.Struct):
    index: int


class _Package(msgspec.Struct):
    name: str
    version: str
    ecosystem: str
    os_package_name: str = ""
    image_origin_details: _Details | None = None


class _Found(msgspec.Struct):
    package: _Package
    vulnerabilities: list[_Record] | None = None
    groups: list[_Group] | None = None


class _Source(msgspec.Struct):
    path: str
    type: Literal["os", "lockfile", "artifact", "sbom", "git", "docker", "unknown"]


class _Result(msgspec.Struct):
    source: _Source
    packages: list[_Found] | None = None


class _Report(msgspec.Struct):
    results: list[_Result]
    image_metadata: _ImageMetadata | None = None


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Report)


def _vulnerabilities(
    each: _Found, result: _Result, service: str, layers: list[_Layer]
) -> Iterator[Vulnerability]:
    package = each.package
    ecosystem = ECOSYSTEMS.get(package.ecosystem.partition(":")[0])
    system = ecosystem is not None and ecosystem.order in _DISTRIBUTIONS
    details = package.image_origin_details
    layer = layers[details.index].diff_id if details is not None and details.index < len(layers) else None
    others = {
        name: set(group.ids) | set(group.aliases or ()) for group in each.groups or () for name in group.ids
    }
    for record in each.vulnerabilities or ():
        upstream = record.upstream or []
        single = upstream if len(upstream) == 1 else []
        told = in_order(_ratings(record, package, ecosystem.name if system and ecosystem else ""))
        fixed = _fixed(record, package, ecosystem.order if ecosystem else None)
        yield Vulnerability(
            id=record.id,
            aliases=tuple(
                sorted({*(record.aliases or ()), *single, *others.get(record.id, ())} - {record.id})
            ),
            package=package.os_package_name or package.name,
            installed=package.version,
            fixed=fixed,
            severity=told[0].severity if told else SEVERITIES[0],
            service=service,
            layer=layer,
            status="fixed" if fixed else "affected",
            path="" if system else result.source.path,
            ecosystem=ecosystem.name if ecosystem else package.ecosystem,
            ratings=told,
            published=record.published,
            seen_by=("osv-scanner",),
        )


def _ratings(record: _Record, package: _Package, distribution: str) -> Any:
    words = [
        ("severity", str(value))
        for affected in record.affected or ()
        if affected.package is not None and affected.package.name.lower() == package.name.lower()
        for key, value in (affected.ecosystem_specific or {}).items()
        if key in {"urgency", "severity"}
    ]
    general = record.database_specific or {}
    if isinstance(general.get("severity"), str):
        words.append(("severity", general["severity"]))
    return ratings(
        record.id,
        words,
        [(each.type, each.score) for each in record.severity or ()],
        distribution=distribution,
    )


def _fixed(record: _Record, package: _Package, order: Order | None) -> str | None:
    """The lowest version above the installed one that fixes it."""
    versions = [
        event["fixed"]
        for affected in record.affected or ()
        if affected.package is None or affected.package.name.lower() == package.name.lower()
        for each in affected.ranges or ()
        if each.type != "GIT"
        for event in each.events or ()
        if "fixed" in event
    ]
    if order is None:
        return versions[0] if versions else None
    best: str | None = None
    for version in versions:
        try:
            higher = order.key(package.version) < order.key(version)
            if higher and (best is None or order.key(version) < order.key(best)):
                best = version
        except ValueError:
            continue
    return best
