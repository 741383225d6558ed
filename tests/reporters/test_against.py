"""Every format says what a run has brought since its baseline, and what was there."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from hullmark._contents.difference import difference
from hullmark._reporters import Style, render
from hullmark.model.baseline import Comparison, KnownFinding, KnownVulnerability, Standing
from hullmark.model.difference import Contents, Holding
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check, CheckResult, Ran
from hullmark.model.owner import OwnerKind
from hullmark.model.report import ImageSummary, Report
from hullmark.model.scan import ScanSummary
from hullmark.model.verdict import Policy, decide
from hullmark.model.vulnerability import Vulnerability

MB = 1_000_000


def side(reference: str, size: int, user: str) -> Contents:
    held = Holding(kind=OwnerKind.PYTHON, name="numpy", version="2", text="RUN pip", bytes=size, files=1)
    return Contents(
        reference=reference, unpacked=size, visible=size, settings=(("User", user),), holdings=(held,)
    )


def finding(rule: str, standing: Standing | None, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(
        rule=rule,
        summary=f"about {rule}",
        severity=severity,
        service="web",
        location=SourceSpan(path="Dockerfile", line=7),
        seen="it",
        expected="another",
        remedy="do so",
        fingerprint=f"{len(rule):016x}",
        standing=standing,
    )


def vulnerability(standing: Standing) -> Vulnerability:
    return Vulnerability(
        id=f"CVE-{standing}",
        aliases=(),
        package="curl",
        installed="1",
        fixed=None,
        severity="high",
        service="web",
        layer=None,
        status="affected",
        standing=standing,
    )


@pytest.fixture
def report() -> Report:
    """A run that has brought something, of everything."""
    found = (
        finding("old-one", Standing.KNOWN),
        finding("brought", Standing.INTRODUCED),
        finding("a-known-note", Standing.KNOWN, Severity.NOTE),
    )
    results = (CheckResult(check=Check.LINT, service="web", outcome=Ran(findings=found)),)
    policy = Policy(new_only=True, required=frozenset())
    image = ImageSummary(
        service="web",
        reference="web:dev",
        config_digest="sha256:0",
        platform="linux/amd64",
        unpacked=50 * MB,
        visible=50 * MB,
        budget=100 * MB,
        layers=(),
    )
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Report(
        project="shop",
        root="/shop",
        services=("web",),
        checks=(Check.LINT,),
        started=now,
        finished=now,
        verdict=decide(results, policy),
        results=results,
        policy=policy,
        images=(image,),
        vulnerabilities=tuple(vulnerability(each) for each in Standing),
        scans=(ScanSummary(service="web", distribution="", packages=(), scanners=()),),
        comparison=Comparison(
            name="main",
            first=False,
            new_only=True,
            fixed=(KnownFinding(fingerprint="f:1", rule="was-there", severity="error", service="web"),),
            gone=(
                KnownVulnerability(
                    service="web",
                    id="CVE-9",
                    aliases=(),
                    package="bash",
                    installed="5",
                    severity="low",
                ),
            ),
            images=(("web", difference(side("before", 10 * MB, "app"), side("after", 50 * MB, "root"))),),
            notes=("it tells nothing of smoke of web",),
        ),
    )


def text(report: Report, format_: str) -> str:
    return "".join(render(format_, report, Style(width=200)))


def test_the_text_has_a_few_lines_and_marks_each_finding(report: Report) -> None:
    lines = text(report, "text").splitlines()
    at = lines.index("against the baseline main: 1 introduced, 2 known, 1 fixed")
    assert lines[at + 1 : at + 7] == [
        "  vulnerabilities: 1 introduced, 1 newly disclosed, 1 known, 1 gone",
        "  fixed: was-there (web)",
        "  gone: web: CVE-9 (bash 5)",
        "  web +40.0 MB: Its visible size grew by 40.0 MB: numpy 2 (python) +40.0 MB through `RUN pip`.",
        "  web settings: User from `app` to `root`",
        "  it tells nothing of smoke of web",
    ]
    assert "Dockerfile:7:1: error brought: about brought [introduced]" in lines
    assert "Dockerfile:7:1: error old-one: about old-one [known]" in lines
    assert "only what is new decides" in lines[-1]


def test_markdown_has_a_column_for_the_change_and_why_it_grew(report: Report) -> None:
    found = text(report, "markdown")
    assert "| service | lint | size | change | of its budget | new vulnerabilities |" in found
    assert "| `web` | **2 errors** | 50.0 MB | +40.0 MB | █████░░░░░ 50% | **2** |" in found
    assert "- why `web` grew: Its visible size grew by 40.0 MB: numpy 2 (python) +40.0 MB" in found
    assert "- settings of `web`: User from `app` to `root`" in found
    assert "**brought** (introduced)" in found
    before, _, folded = found.partition("<summary>2 that the baseline has</summary>")
    assert "old-one" in folded
    assert "old-one" not in before


def test_html_has_a_section_about_it(report: Report) -> None:
    found = text(report, "html")
    assert '<a href="#baseline">Baseline</a>' in found
    section = found.partition('<section id="baseline"')[2].partition("</section>")[0]
    for said in ("numpy 2", "+40.0 MB", "from <code>app</code> to <code>root</code>", "was-there", "CVE-9"):
        assert said in section
    assert 'data-standing="introduced"' in found


def test_machines_are_told_of_each_finding(report: Report) -> None:
    (run,) = json.loads(text(report, "sarif"))["runs"]
    states = {each["ruleId"]: each["baselineState"] for each in run["results"]}
    assert states == {"old-one": "unchanged", "brought": "new", "a-known-note": "unchanged"}
    document: Any = json.loads(text(report, "json"))
    assert {each["rule"]: each["standing"] for each in document["findings"]}["brought"] == "introduced"
    assert {each["id"]: each["standing"] for each in document["vulnerabilities"]}[
        "CVE-disclosed"
    ] == "disclosed"
    assert document["baseline"]["vulnerabilities_gone"][0]["id"] == "CVE-9"
    assert document["images"]["web"]["change"]["owners"][0]["bytes"] == 40 * MB
    annotations = [line for line in text(report, "github").splitlines() if line.startswith("::error")]
    assert "brought" in annotations[0]
    assert "(known)" in annotations[1]


def test_only_what_is_new_has_decided(report: Report) -> None:
    lint, suite = report.verdict, text(report, "junit")
    assert lint.exit_code == 1
    assert suite.count("<failure") == 1
