"""What every format keeps, whatever the report; and what each of them says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hullmark._reporters import FORMATS, Style, render
from hullmark._reporters.json_v1 import schema
from hullmark.model.finding import Finding, Severity
from hullmark.model.fix import Applicability, Fix, Fixed
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.report import Report
from hullmark.model.verdict import Policy, decide

if TYPE_CHECKING:
    from hullmark.model.outcome import Outcome

STYLES = (Style(), Style(width=120, colour=True), Style(width=40))
relaxed = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _text(report: Report, format_: str = "text", style: Style = STYLES[0]) -> str:
    return "".join(render(format_, report, style))


@relaxed
@given(data=st.data())
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_takes_every_report(
    format_: str, data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    report = data.draw(any_report)
    for style in STYLES:
        lines = list(render(format_, report, style))
        assert lines
        assert all(line.endswith("\n") for line in lines)
        assert lines == list(render(format_, report, style))


@relaxed
@given(data=st.data())
def test_the_text_moves_no_cursor_and_takes_no_markup(
    data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    text = _text(data.draw(any_report))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@relaxed
@given(data=st.data())
def test_the_json_is_what_its_schema_says(data: st.DataObject, any_report: st.SearchStrategy[Report]) -> None:
    report = data.draw(any_report)
    document = json.loads(_text(report, "json"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["verdict"]["exit_code"] == report.verdict.exit_code
    assert len(document["findings"]) == len(report.findings)
    assert len(document["outcomes"]) == len(report.results)


@relaxed
@given(data=st.data())
def test_the_json_has_the_same_keys_whatever_the_report(
    data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    document = json.loads(_text(data.draw(any_report), "json"))
    assert list(document) == [
        "schema",
        "tool",
        "project",
        "started",
        "finished",
        "verdict",
        "outcomes",
        "findings",
        "suppressed",
        "fixed",
        "images",
        "smoke",
        "vulnerabilities",
        "scans",
        "baseline",
    ]
    for finding in document["findings"]:
        assert set(finding["location"]) == {
            "kind", "text", "path", "line", "column", "end_line", "service", "image", "layer", "key"
        }  # fmt: skip


def _finding(severity: Severity = Severity.ERROR, **values: Any) -> Finding:
    return dataclasses.replace(
        Finding(
            rule="root-user",
            summary="image runs as root",
            severity=severity,
            service="web",
            location=SourceSpan(path="Dockerfile", line=7, column=1),
            seen="no user, which is root",
            expected="a user other than root",
            remedy="declare `USER NAME`",
            fingerprint="0" * 16,
        ),
        **values,
    )


def _report(*results: CheckResult, checks: tuple[Check, ...] = (Check.LINT, Check.VALIDATE)) -> Report:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Report(
        project="tale",
        root="/project",
        services=tuple(sorted({result.service for result in results if result.service})),
        checks=checks,
        started=now,
        finished=now + dt.timedelta(seconds=12),
        verdict=decide(results, Policy()),
        results=results,
    )


def _result(outcome: Outcome, check: Check = Check.VALIDATE, service: str | None = "web") -> CheckResult:
    return CheckResult(check=check, service=service, outcome=outcome)


def test_a_finding_says_where_what_and_what_to_do() -> None:
    text = _text(_report(_result(Ran(findings=(_finding(),)))))
    assert text.startswith(
        "Dockerfile:7:1: error root-user: image runs as root\n"
        "  web: no user, which is root\n"
        "  expected a user other than root\n"
        "  fix: declare `USER NAME`  (hullmark explain root-user)\n"
    )
    assert text.endswith("verdict: not clean (1 error; exit 1) in 12.0 s\n")


def test_an_outcome_that_is_not_ran_never_looks_like_one() -> None:
    results = (
        _result(Ran(), service="a"),
        _result(Skipped(reason="no scanner"), service="b"),
        _result(Broken(error="the engine went away"), service="c"),
    )
    rows = {
        line.split()[0]: line.split()[1:]
        for line in _text(_report(*results)).splitlines()
        if line[:2] in {"a ", "b ", "c "}
    }
    assert rows == {"a": ["-", "ok"], "b": ["-", "skipped"], "c": ["-", "broken"]}


def test_services_with_the_same_reason_share_a_line() -> None:
    results = [_result(Skipped(reason="no scanner"), Check.SCAN, service) for service in ("a", "b")]
    text = _text(_report(*results, checks=(Check.SCAN,)))
    assert "\nscan skipped: no scanner\n" in text
    text = _text(_report(*results, _result(Ran(), Check.SCAN, "c"), checks=(Check.SCAN,)))
    assert "\nscan skipped (a, b): no scanner\n" in text


def test_many_notes_are_counted_and_errors_are_not() -> None:
    notes = tuple(_finding(Severity.NOTE, seen=f"{number}") for number in range(30))
    errors = tuple(_finding(seen=f"{number}") for number in range(30))
    text = _text(_report(_result(Ran(findings=(*notes, *errors)))))
    assert text.count("error root-user") == 30
    assert text.count("note root-user") == 0
    assert "30 notes root-user" in text


def test_tables_fit_eighty_columns() -> None:
    services = ("crawler", "platform", "a-service-with-a-long-name")
    results = tuple(
        _result(Ran(findings=(_finding(),)), check, service) for check in Check for service in services
    )
    text = _text(_report(*results, checks=tuple(Check)))
    table = text[text.index("\ntale\n") :]
    assert max(map(len, table.splitlines())) <= 80


def test_colour_is_written_only_where_it_is_wanted() -> None:
    report = _report(_result(Ran(findings=(_finding(),))))
    assert "\x1b[" not in _text(report)
    assert "\x1b[" in _text(report, style=Style(colour=True))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", _text(report, style=Style(colour=True)))
    assert [line.rstrip() for line in plain.splitlines()] == _text(report).splitlines()


def _one(fix: Fix | None) -> Report:
    finding = Finding(
        rule="apt-recommends",
        summary="a",
        severity=Severity.WARNING,
        service="web",
        location=SourceSpan(path="Dockerfile", line=2),
        seen="b",
        expected="c",
        remedy="d",
        fingerprint="0123456789abcdef",
        fix=fix,
    )
    results = (CheckResult(check=Check.LINT, service="web", outcome=Ran(findings=(finding, finding))),)
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Report(
        project="p",
        root="/p",
        services=("web",),
        checks=(Check.LINT,),
        started=now,
        finished=now,
        verdict=decide(results, Policy()),
        results=results,
        fixed=(Fixed(location=SourceSpan(path="Dockerfile", line=9), rule="r", message="add x"),),
    )


@pytest.mark.parametrize(
    ("fix", "fixable", "line"),
    [
        (None, None, None),
        (Fix(message="m", edits=()), "safe", "2 fixable with `hullmark lint --fix`"),
        (
            Fix(message="m", edits=(), applicability=Applicability.UNSAFE),
            "unsafe",
            "2 fixable with `hullmark lint --fix --unsafe-fixes`",
        ),
    ],
)
def test_a_report_says_what_can_be_fixed_and_what_was(
    fix: Fix | None, fixable: str | None, line: str | None
) -> None:
    report = _one(fix)
    text = _text(report, "text").splitlines()
    assert text[0] == "Dockerfile:9:1: fixed r: add x"
    assert [each for each in text if "fixable" in each] == ([line] if line else [])
    document = json.loads(_text(report, "json"))
    assert [finding["fixable"] for finding in document["findings"]] == [fixable, fixable]
    assert [(each["rule"], each["location"]["line"]) for each in document["fixed"]] == [("r", 9)]
