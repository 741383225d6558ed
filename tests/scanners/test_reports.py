"""Real reports of every scanner: each is read whole, or refused for a reason that is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._scanners import grype, osv_scanner, trivy
from hullmark.errors import Unavailable
from hullmark.model.vulnerability import SEVERITIES, Scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._scanners import Scanned

DATA = Path(__file__).parent / "data"
READ: dict[str, Callable[..., Scanned]] = {
    "trivy": trivy.read_report,
    "grype": grype.read_report,
    "osv-scanner": osv_scanner.read_report,
}
REDUCED = "image-snapshot-"
REPORTS = sorted(DATA.glob("*/*.json"))


def _listed(kind: str, raw: dict[str, Any]) -> set[tuple[str, str]]:
    """Every vulnerability and version that a report tells of, read without any of our code."""
    match kind:
        case "trivy":
            found = (each for result in raw["Results"] for each in result.get("Vulnerabilities") or ())
            return {(each["VulnerabilityID"], each["InstalledVersion"]) for each in found}
        case "grype":
            return {(each["vulnerability"]["id"], each["artifact"]["version"]) for each in raw["matches"]}
        case _:
            packages = (each for result in raw["results"] for each in result["packages"])
            return {
                (one["id"], each["package"]["version"])
                for each in packages
                for one in each.get("vulnerabilities") or ()
            }


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", [each for each in REPORTS if REDUCED not in each.name], ids=_name)
def test_a_report_is_read_whole(path: Path) -> None:
    kind = path.parent.name
    scanned = READ[kind](path.read_bytes(), service="web")
    listed = _listed(kind, json.loads(path.read_text(encoding="utf-8")))
    assert {(each.id, each.installed) for each in scanned.vulnerabilities} == listed
    assert listed
    assert scanned.recognised
    for each in scanned.vulnerabilities:
        assert each.severity in SEVERITIES
        assert each.seen_by == (kind,)
        assert each.service == "web"


@pytest.mark.parametrize("path", [each for each in REPORTS if REDUCED in each.name], ids=_name)
def test_a_report_without_its_records_is_refused_with_the_place(path: Path) -> None:
    with pytest.raises(Unavailable, match=r"osv-scanner's report on `web` .* at `\$\.results\[0\]"):
        osv_scanner.read_report(path.read_bytes(), service="web")


BENT: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "grype without matches": ("grype", lambda raw: raw.pop("matches")),
    "grype of another program": ("grype", lambda raw: raw["descriptor"].update(name="syft")),
    "grype with a state nobody knows": (
        "grype",
        lambda raw: raw["matches"][0]["vulnerability"]["fix"].update(state="maybe"),
    ),
    "grype with a severity nobody knows": (
        "grype",
        lambda raw: raw["matches"][0]["vulnerability"].update(severity="Terrible"),
    ),
    "osv-scanner without results": ("osv-scanner", lambda raw: raw.pop("results")),
    "osv-scanner without an id": (
        "osv-scanner",
        lambda raw: raw["results"][0]["packages"][0]["vulnerabilities"][0].pop("id"),
    ),
    "osv-scanner with a source nobody knows": (
        "osv-scanner",
        lambda raw: raw["results"][0]["source"].update(type="dream"),
    ),
}
WHOLE = {"grype": "defectdojo-busybox-epss", "osv-scanner": "defectdojo-some_findings"}


@pytest.mark.parametrize("change", BENT)
def test_an_answer_of_another_shape_is_not_an_image_without_vulnerabilities(change: str) -> None:
    kind, bend = BENT[change]
    raw = json.loads((DATA / kind / f"{WHOLE[kind]}.json").read_text(encoding="utf-8"))
    bend(raw)
    with pytest.raises(Unavailable, match="not the JSON that was expected"):
        READ[kind](json.dumps(raw).encode(), service="web")


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("text", [b"", b"FATAL", b"{}", b"[]", b"null"])
def test_what_is_no_report_is_not_an_image_without_vulnerabilities(kind: str, text: bytes) -> None:
    with pytest.raises(Unavailable, match="not the JSON that was expected"):
        READ[kind](text, service="web")


def test_the_deciding_source_of_a_severity_is_named_with_all_others() -> None:
    path = DATA / "trivy" / "defectdojo-cvssv4_severity_source.json"
    found = trivy.read_report(path.read_bytes(), service="web").vulnerabilities
    several = [each for each in found if len(each.ratings) > 1]
    assert any(each.ratings[0].scale is Scale.CVSS_4 for each in several)
    for each in several:
        scales = [list(Scale).index(rating.scale) for rating in each.ratings]
        assert scales == sorted(scales)


def test_what_is_exploited_and_how_likely_that_is_are_kept() -> None:
    path = DATA / "grype" / "grype-repo-TestJsonImgsPresenter.json"
    found = {each.id: each for each in grype.read_report(path.read_bytes(), service="web").vulnerabilities}
    assert (found["CVE-1999-0002"].exploited, found["CVE-1999-0002"].likelihood) == (True, 0.08)
    assert (found["CVE-1999-0001"].exploited, found["CVE-1999-0001"].fixed) == (None, "1.2.1")
