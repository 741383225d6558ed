"""What sets vulnerabilities aside: every format, what it covers, and what has to be looked at again."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._scanners.ignore_files import suppressions
from hullmark._scanners.suppressions import Suppressions
from hullmark.errors import ConfigurationError
from hullmark.model.ignore import Stale
from hullmark.model.location import SourceSpan
from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.project import ScanSettings, VulnerabilityIgnore
from hullmark.model.vulnerability import Vulnerability

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.date(2026, 11, 24)
JINJA = "/usr/lib/python3/site-packages/Jinja2-2.11.2.dist-info/METADATA"
PYTHON = Package(
    owner=Owner(kind=OwnerKind.PYTHON, name="Jinja2", version="2.11.2"),
    location=JINJA,
    purl="pkg:pypi/jinja2@2.11.2",
)
DEBIAN = Package(
    owner=Owner(kind=OwnerKind.DPKG, name="libssl3", version="3.0.15-1"),
    location="/var/lib/dpkg/status",
    source="openssl",
    source_version="3.0.15-1",
    purl="pkg:deb/debian/libssl3@3.0.15-1?arch=amd64&distro=debian-12&upstream=openssl",
)


def _found(holder: Package = PYTHON, name: str = "CVE-2024-22195", **more: Any) -> Vulnerability:
    system = holder.owner.kind.distribution
    values: dict[str, Any] = {
        "id": name,
        "aliases": ("GHSA-h5c8-rqwp-cp95",),
        "package": holder.source or holder.owner.name,
        "installed": holder.owner.version,
        "fixed": "9",
        "severity": "high",
        "service": "web",
        "layer": None,
        "status": "fixed",
        "path": "" if system else holder.location,
        "ecosystem": "Debian" if system else "PyPI",
        "holders": (holder,),
    }
    return Vulnerability(**{**values, **more})


def _covers(root: Path, found: Vulnerability, *, image: str = "shop/web:dev", **settings: Any) -> bool:
    every = suppressions(root, ScanSettings(**settings))
    return Suppressions(every, TODAY).of(found, image) is not None


@pytest.mark.parametrize(
    ("line", "covered"),
    [
        ("CVE-2024-22195", True),
        ("GHSA-h5c8-rqwp-cp95  # by another name", True),
        ("CVE-2024-22195 exp:2026-11-24", True),
        ("CVE-2024-22195 exp:2026-11-23", False),
        ("CVE-2024-2219", False),
        ("# CVE-2024-22195", False),
    ],
)
def test_a_line_of_the_ignore_file_covers_by_any_name_until_it_expires(
    tmp_path: Path,
    line: str,
    covered: bool,  # noqa: FBT001
) -> None:
    (tmp_path / ".trivyignore").write_text(f"# why\n{line}\n", encoding="utf-8")
    assert _covers(tmp_path, _found()) is covered


@pytest.mark.parametrize("word", ["exp:2026-13-01", "exp:soon", "exp:"])
def test_a_date_that_is_none_is_a_mistake_with_its_line(tmp_path: Path, word: str) -> None:
    (tmp_path / ".trivyignore").write_text(f"\nCVE-2024-22195 {word}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"\.trivyignore:2:1: expected `exp:YYYY-MM-DD`"):
        suppressions(tmp_path, ScanSettings())


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        ("", True),
        ("    paths: ['usr/lib/**/METADATA']\n", True),
        ("    paths: ['usr/*/METADATA']\n", False),
        ("    purls: ['pkg:pypi/jinja2']\n", True),
        ("    purls: ['pkg:pypi/jinja2@2.11.2']\n", True),
        ("    purls: ['pkg:pypi/jinja2@2.11.3']\n", False),
        ("    purls: ['pkg:npm/jinja2']\n", False),
        ("    expired_at: 2026-11-23\n", False),
        ("    expired_at: 2027-01-01\n    statement: never called\n", True),
    ],
)
def test_the_other_ignore_file_covers_by_path_and_package(
    tmp_path: Path,
    more: str,
    covered: bool,  # noqa: FBT001
) -> None:
    text = f"vulnerabilities:\n  - id: CVE-2024-22195\n{more}"
    (tmp_path / ".trivyignore.yaml").write_text(text, encoding="utf-8")
    assert _covers(tmp_path, _found()) is covered


def test_a_rule_about_a_package_url_does_not_cover_what_has_none(tmp_path: Path) -> None:
    text = "vulnerabilities:\n  - id: CVE-2024-22195\n    purls: ['pkg:pypi/jinja2']\n"
    (tmp_path / ".trivyignore.yaml").write_text(text, encoding="utf-8")
    assert not _covers(tmp_path, _found(holders=()))


@pytest.mark.parametrize(
    "text", ["vulnerabilities: [", "vulnerabilities: {}", "- CVE-1", "vulnerabilities: [CVE-1]"]
)
def test_an_ignore_file_of_another_shape_is_a_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / ".trivyignore.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"\.trivyignore\.yaml"):
        suppressions(tmp_path, ScanSettings())


def _ignore(**more: Any) -> VulnerabilityIgnore:
    values: dict[str, Any] = {
        "id": "CVE-2024-22195",
        "reason": "never called",
        "expires": TODAY,
        "origin": SourceSpan(path="hullmark.toml", line=3),
    }
    return VulnerabilityIgnore(**{**values, **more})


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        ({}, True),
        ({"package": "Jinja2"}, True),
        ({"package": "flask"}, False),
        ({"service": "web"}, True),
        ({"service": "db"}, False),
        ({"expires": TODAY - dt.timedelta(days=1)}, False),
    ],
)
def test_an_ignore_of_the_configuration_covers_its_package_and_service(
    tmp_path: Path,
    more: dict[str, Any],
    covered: bool,  # noqa: FBT001
) -> None:
    assert _covers(tmp_path, _found(), ignores=(_ignore(**more),)) is covered


def _open_vex(**statement: Any) -> dict[str, Any]:
    whole = {"vulnerability": {"name": "CVE-2024-22195"}, "status": "not_affected", **statement}
    return {"@context": "https://openvex.dev/ns/v0.2.0", "statements": [whole]}


def _cyclone(ref: str, state: str = "not_affected", **more: Any) -> dict[str, Any]:
    one = {"id": "CVE-2024-22195", "analysis": {"state": state}, "affects": [{"ref": ref}]}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": [one], **more}


def _about(name: str, **more: str) -> dict[str, Any]:
    """What a document of CycloneDX says that it is about: an image."""
    return {"component": {"bom-ref": "i", "type": "container", "name": name, **more}}


def _twice(before: str, after: str, other: str = "pkg:pypi/jinja2") -> dict[str, Any]:
    """Two statements on the same vulnerability, the later one written first."""
    document = _open_vex(status=after, timestamp="2026-05-01T00:00:00Z", products=[{"@id": other}])
    said = {"vulnerability": {"name": "CVE-2024-22195"}, "products": [{"@id": "pkg:pypi/jinja2"}]}
    document["statements"].append({**said, "status": before, "timestamp": "2026-05-01T01:00:00+02:00"})
    return document


OTHER_DISTRO = "pkg:deb/debian/libssl3@3.0.15-1?arch=arm64&distro=debian-12.13"
VEX: dict[str, tuple[dict[str, Any], Package, bool]] = {
    "a package": (_open_vex(products=[{"@id": "pkg:pypi/jinja2@2.11.2"}]), PYTHON, True),
    "another version": (_open_vex(products=[{"@id": "pkg:pypi/jinja2@2.11.3"}]), PYTHON, False),
    "other qualifiers": (_open_vex(products=[{"@id": OTHER_DISTRO}]), DEBIAN, True),
    "its source package": (_open_vex(products=[{"@id": "pkg:deb/debian/openssl@3.0.15-1"}]), DEBIAN, True),
    "affected": (_open_vex(status="affected", products=[{"@id": "pkg:pypi/jinja2"}]), PYTHON, False),
    "being looked into": (_open_vex(status="under_investigation"), PYTHON, False),
    "the image": (_open_vex(products=[{"@id": "pkg:oci/web?tag=dev"}]), PYTHON, True),
    "another image": (_open_vex(products=[{"@id": "pkg:oci/db"}]), PYTHON, False),
    "a package in the image": (
        _open_vex(products=[{"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:pypi/jinja2"}]}]),
        PYTHON,
        True,
    ),
    "another package in the image": (
        _open_vex(products=[{"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:pypi/flask"}]}]),
        PYTHON,
        False,
    ),
    "CycloneDX, by package URL": (_cyclone("pkg:pypi/jinja2@2.11.2"), PYTHON, True),
    "CycloneDX, exploitable": (_cyclone("pkg:pypi/jinja2@2.11.2", "exploitable"), PYTHON, False),
    "CycloneDX, by reference": (
        _cyclone("j", components=[{"bom-ref": "j", "purl": "pkg:pypi/jinja2@2.11.2"}]),
        PYTHON,
        True,
    ),
    "CycloneDX, to nowhere": (_cyclone("j"), PYTHON, False),
    "CycloneDX, the image": (_cyclone("i", metadata=_about("shop/web:dev")), PYTHON, True),
    "CycloneDX, another image": (_cyclone("i", metadata=_about("shop/db:dev")), PYTHON, False),
    "CycloneDX, another image by package URL": (
        _cyclone("i", metadata=_about("", purl="pkg:oci/db@sha256:1")),
        PYTHON,
        False,
    ),
    "taken back later": (_twice("not_affected", "affected"), PYTHON, False),
    "decided later": (_twice("under_investigation", "not_affected"), PYTHON, True),
    "taken back of another package": (
        _twice("not_affected", "affected", other="pkg:pypi/flask"),
        PYTHON,
        True,
    ),
}


@pytest.mark.parametrize("case", VEX)
def test_a_statement_covers_the_package_that_it_names(tmp_path: Path, case: str) -> None:
    document, holder, covered = VEX[case]
    (tmp_path / "vex.json").write_text(json.dumps(document), encoding="utf-8")
    assert _covers(tmp_path, _found(holder), vex=("vex.json",)) is covered


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"@context": "https://openvex.dev/ns", "statements": 1}'])
def test_a_document_of_another_format_is_a_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / "vex.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"vex\.json: "):
        suppressions(tmp_path, ScanSettings(vex=("vex.json",)))


def test_a_statement_is_told_by_its_own_line(tmp_path: Path) -> None:
    document = _open_vex(products=[{"@id": "pkg:pypi/jinja2"}])
    other = {"vulnerability": {"name": "CVE-2024-221950"}, "status": "affected"}
    document["statements"].insert(0, other)
    text = json.dumps(document, indent=1)
    (tmp_path / "vex.json").write_text(text, encoding="utf-8")
    (one,) = suppressions(tmp_path, ScanSettings(vex=("vex.json",)))
    assert '"CVE-2024-22195"' in text.splitlines()[one.span.line - 1]


def test_a_document_in_csaf_is_refused_with_what_to_do(tmp_path: Path) -> None:
    document = {"document": {"category": "csaf_vex", "csaf_version": "2.0"}, "vulnerabilities": []}
    (tmp_path / "vex.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"CSAF is not read; take the document in OpenVEX or CycloneDX"
    ):
        suppressions(tmp_path, ScanSettings(vex=("vex.json",)))


@pytest.mark.parametrize("name", ["AVD-DS-0002", "DS002", "DS-0002", "KSV-0014", "aws-access-key-id"])
def test_what_trivy_ignores_beside_vulnerabilities_is_left_to_it(tmp_path: Path, name: str) -> None:
    (tmp_path / ".trivyignore").write_text(f"{name}\nDSA-5123-1\ncve-2024-1\n", encoding="utf-8")
    assert [each.id for each in suppressions(tmp_path, ScanSettings())] == ["DSA-5123-1", "cve-2024-1"]


def test_a_document_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"vex\.json cannot be read: No such file or directory$"):
        suppressions(tmp_path, ScanSettings(vex=("vex.json",)))


def test_a_document_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "vex.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ConfigurationError, match=r"vex\.json cannot be read: it is no text in UTF-8$"):
        suppressions(tmp_path, ScanSettings(vex=("vex.json",)))


def test_a_document_that_is_no_json_is_told_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "vex.json").write_text("@", encoding="utf-8")
    expected = r"vex\.json: this is no JSON; expected a document in OpenVEX or CycloneDX$"
    with pytest.raises(ConfigurationError, match=expected):
        suppressions(tmp_path, ScanSettings(vex=("vex.json",)))


def test_what_is_expired_unused_or_fixable_has_to_be_looked_at_again(tmp_path: Path) -> None:
    ignores = (
        _ignore(),
        _ignore(id="CVE-2000-0001"),
        _ignore(id="GHSA-h5c8-rqwp-cp95", expires=TODAY - dt.timedelta(days=1)),
    )
    (tmp_path / "vex.json").write_text(json.dumps(_cyclone("pkg:pypi/flask")), encoding="utf-8")
    aside = Suppressions(suppressions(tmp_path, ScanSettings(ignores=ignores, vex=("vex.json",))), TODAY)
    decision = aside.of(_found(), "web")
    assert decision is not None
    assert decision.told() == "ignored by hullmark.toml:3: never called"
    remedies = {"CVE-2024-22195": "raise it"}
    told = [(each.id, each.why, each.detail) for each in aside.stale(remedies, whole=True)]
    assert told == [
        ("CVE-2024-22195", Stale.FIXABLE, "raise it"),
        ("CVE-2000-0001", Stale.UNUSED, ""),
        ("GHSA-h5c8-rqwp-cp95", Stale.EXPIRED, "2026-11-23"),
        ("CVE-2024-22195", Stale.UNUSED, ""),
    ]
    # Where not everything was looked at, nobody knows what is unused.
    assert [each.why for each in aside.stale({}, whole=False)] == [Stale.EXPIRED]
