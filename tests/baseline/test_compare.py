"""What came with a change is told from what was there, and what is not known is not made up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._baseline.compare import before, compare, with_standings
from hullmark.model.baseline import Baseline, KnownFinding, KnownImage, KnownVulnerability, Standing
from hullmark.model.difference import Contents
from hullmark.model.finding import Severity, numbered
from hullmark.model.inventory import Inventory
from hullmark.model.outcome import Check, CheckResult, Skipped
from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.verdict import Policy, Status, decide
from hullmark.model.vulnerability import Match, Vulnerability

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark.model.finding import Finding

INTRODUCED, DISCLOSED, KNOWN = Standing.INTRODUCED, Standing.DISCLOSED, Standing.KNOWN


def known(*findings: Finding, check: Check = Check.LINT, looked: Any = None) -> Baseline:
    """The baseline of a run that found that."""
    return Baseline(
        name="it",
        findings=tuple(
            KnownFinding(
                fingerprint=name,
                rule=each.rule,
                severity=str(each.severity),
                service=each.service,
                check=check,
            )
            for each, name in numbered(findings)
        ),
        looked=frozenset({(check, "web")} if looked is None else looked),
    )


def standings(results: list[CheckResult], baseline: Baseline) -> list[Any]:
    return [each.standing for found in with_standings(results, baseline) for each in found.findings]


def compared(results: list[CheckResult], baseline: Baseline, **change: Any) -> Any:
    given: dict[str, Any] = {
        "aside": (),
        "vulnerabilities": (),
        "scans": (),
        "images": {},
        "services": ("web",),
        "new_only": True,
        **change,
    }
    return compare(baseline, with_standings(results, baseline), **given)


def test_a_finding_is_known_wherever_its_line_has_moved_to(finding: Any, result: Any) -> None:
    found = [result(finding(line=90), finding(key="new", line=3))]
    assert standings(found, known(finding(line=5))) == [KNOWN, INTRODUCED]


def test_one_more_of_the_same_is_new_and_one_less_is_fixed(finding: Any, result: Any) -> None:
    one, two = finding(line=1), finding(line=2)
    assert standings([result(one, two)], known(one)) == [KNOWN, INTRODUCED]
    assert [each.fingerprint[-2:] for each in compared([result(one)], known(one, two)).fixed] == [":2"]


def test_only_a_check_that_was_made_again_tells_that_something_is_fixed(finding: Any, result: Any) -> None:
    old = known(finding())
    assert [each.rule for each in compared([result()], old).fixed] == ["root-user"]
    assert not compared([result(check=Check.SMOKE)], old).fixed
    assert not compared([result(service="db")], old).fixed
    skipped = CheckResult(check=Check.LINT, service="web", outcome=Skipped(reason="no time"))
    assert not compared([skipped], old).fixed
    assert not compared([result()], old, aside=(finding(),)).fixed


def test_of_a_check_that_had_not_been_made_nothing_is_known(finding: Any, result: Any) -> None:
    found = [result(finding(), check=Check.SMOKE)]
    assert standings(found, known(finding(key="other"))) == [None]
    assert compared(found, known()).notes == ("it tells nothing of smoke of web",)


def test_everything_about_a_new_service_is_new(finding: Any, result: Any) -> None:
    found = [result(finding(service="db"), service="db")]
    assert standings(found, known(finding())) == [INTRODUCED]
    assert standings(found, known(looked=())) == [None]


def test_what_is_about_the_whole_project_is_compared_too(finding: Any, result: Any) -> None:
    found = [result(finding(service=None), service=None)]
    assert standings(found, known()) == [INTRODUCED]
    assert standings(found, known(finding(service=None))) == [KNOWN]
    assert [each.rule for each in compared([result()], known(finding(service=None))).fixed] == ["root-user"]


def test_the_first_run_sets_its_own_baseline(finding: Any, result: Any) -> None:
    first = Baseline(name="it", first=True)
    assert standings([result(finding())], first) == [KNOWN]
    assert compared([result(finding())], first).notes[0].startswith("there is none yet")


@pytest.mark.parametrize(
    ("baseline", "new_only", "status"),
    [
        ("same", True, Status.CLEAN),
        ("same", False, Status.FINDINGS),
        ("other", True, Status.FINDINGS),
        ("unknown", True, Status.FINDINGS),
        ("none", True, Status.FINDINGS),
    ],
)
def test_only_what_is_new_decides_where_that_is_asked_for(
    finding: Any, result: Any, baseline: str, status: Status, *, new_only: bool
) -> None:
    found = [result(finding())]
    old = {"same": known(finding()), "other": known(finding(key="other")), "unknown": known(looked=())}
    if baseline in old:
        found = with_standings(found, old[baseline])
    assert decide(found, Policy(new_only=new_only, required=frozenset())).status is status


def test_a_known_finding_that_is_worse_now_is_the_same_finding(finding: Any, result: Any) -> None:
    assert standings([result(finding())], known(finding(severity=Severity.NOTE))) == [KNOWN]


# --- vulnerabilities ------------------------------------------------------------------------------------------------


def package(version: str = "1.0", name: str = "libcurl4", source: str = "curl") -> Package:
    owner = Owner(kind=OwnerKind.DPKG, name=name, version=version)
    return Package(owner=owner, location="/var/lib/dpkg/status", source=source, source_version=version)


def vulnerability(id_: str = "CVE-1", **change: Any) -> Vulnerability:
    given: dict[str, Any] = {
        "aliases": ("DSA-1",),
        "package": "curl",
        "installed": "1.0",
        "fixed": None,
        "severity": "high",
        "service": "web",
        "layer": None,
        "status": "affected",
        "holders": (package(),),
        **change,
    }
    return Vulnerability(id=id_, **given)


def match(id_: str = "CVE-1", version: str = "0.9") -> Match:
    return Match(
        id=id_,
        aliases=(),
        package="curl",
        ecosystem="Debian:12",
        version=version,
        installed=(package(version),),
        fixed=(),
        ratings=(),
        evidence=(),
        summary="",
        published="",
        modified="",
    )


def scanned(
    *ids: str, packages: tuple[Package, ...] = (), looked: bool = True, listed: bool = True
) -> Baseline:
    """The baseline of an image with those packages, in which those vulnerabilities were known."""
    image = KnownImage(
        service="web",
        contents=Contents(reference="it", unpacked=1),
        inventory=Inventory(packages=packages) if listed else None,
    )
    return Baseline(
        name="it",
        images=(image,),
        vulnerabilities=tuple(
            KnownVulnerability(
                service="web", id=each, aliases=(), package="curl", installed="0.9", severity="high"
            )
            for each in ids
        ),
        looked=frozenset({(Check.SCAN, "web")} if looked else ()),
    )


@pytest.mark.parametrize(
    ("baseline", "today", "standing"),
    [
        (scanned("CVE-1"), (), KNOWN),
        (scanned("DSA-1"), (), KNOWN),
        (scanned("CVE-2"), (), INTRODUCED),
        # The records of today have it in the older version as well: nobody has brought it, it has become known.
        (scanned("CVE-2"), (match(),), DISCLOSED),
        (scanned("CVE-2"), (match("CVE-3"),), INTRODUCED),
        # Without records, the same package in the same version is what it was.
        (scanned(packages=(package(),)), (), DISCLOSED),
        (scanned(packages=(package("0.9"),)), (), INTRODUCED),
        # Of an image that nobody has scanned, what it has was there, whenever it became known.
        (scanned(looked=False), (match(),), KNOWN),
        (scanned(looked=False), (), INTRODUCED),
        (Baseline(name="it", first=True), (), KNOWN),
    ],
)
def test_a_vulnerability_is_introduced_newly_disclosed_or_known(
    baseline: Baseline, today: tuple[Match, ...], standing: Standing
) -> None:
    there = before(baseline, "web", lambda _: today)
    assert there is not None
    assert there.standing(vulnerability()) is standing


def test_packages_that_were_scanned_and_not_measured_tell_as_much() -> None:
    baseline = Baseline(
        name="it",
        listed=(("web", Inventory(packages=(package("0.9"),))),),
        looked=frozenset({(Check.SCAN, "web")}),
    )
    there = before(baseline, "web", lambda old: (match(),) if old.packages == (package("0.9"),) else ())
    assert there is not None
    assert there.standing(vulnerability()) is DISCLOSED


def test_of_a_new_service_the_first_image_sets_its_own_baseline() -> None:
    there = before(scanned("CVE-2"), "db", lambda _: ())
    assert there is not None
    assert there.standing(vulnerability(service="db")) is KNOWN


NOT_BUILT = Baseline(
    name="it",
    images=tuple(replace(each, service="other") for each in scanned(looked=False).images),
    looked=frozenset({(Check.LINT, "web")}),
)
"""Of a run in which the image of the service could not be built, and that of another one could."""


@pytest.mark.parametrize("baseline", [Baseline(name="it"), scanned(looked=False, listed=False), NOT_BUILT])
def test_a_baseline_that_tells_nothing_of_packages_says_nothing(baseline: Baseline) -> None:
    assert before(baseline, "web", lambda _: ()) is None


def test_a_vulnerability_is_gone_when_a_scan_does_not_find_it_any_more(result: Callable[..., Any]) -> None:
    old, looked = scanned("CVE-1", "CVE-9"), [result(check=Check.SCAN)]
    gone = compared(looked, old, vulnerabilities=(vulnerability(),)).gone
    assert [each.id for each in gone] == ["CVE-9"]
    assert not compared([result()], old).gone
    other = vulnerability(service="db")
    assert len(compared(looked, old, vulnerabilities=(replace(other, aliases=()),)).gone) == 2
