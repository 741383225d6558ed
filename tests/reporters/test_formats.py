"""The formats for other programs, each read back by one: a schema, a parser, a renderer."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import pickle
import re
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import junitparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hullmark._reporters import Style, render
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import ImagePath, ServicePlace, SourceSpan
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.report import Report, RuleText
from hullmark.model.verdict import Policy, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

relaxed = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _text(report: Report, format_: str) -> str:
    return "".join(render(format_, report, Style()))


def _finding(**values: Any) -> Finding:
    return replace(
        Finding(
            rule="root-user",
            summary="image runs as root",
            severity=Severity.ERROR,
            service="web",
            location=SourceSpan(path="Dockerfile", line=7, column=3, end_line=8),
            seen="no user, which is `root`",
            expected="a user other than root",
            remedy="declare `USER NAME`",
            fingerprint="0123456789abcdef",
        ),
        **values,
    )


def _report(*results: CheckResult, policy: Policy | None = None, **values: Any) -> Report:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    policy = policy or Policy()
    return replace(
        Report(
            project="tale",
            root="/project",
            services=tuple(sorted({result.service for result in results if result.service})),
            checks=tuple(check for check in Check if any(result.check is check for result in results)),
            started=now,
            finished=now + dt.timedelta(seconds=12),
            verdict=decide(results, policy),
            results=results,
            policy=policy,
            places=(("web", SourceSpan(path="compose.yml", line=3, column=3)),),
        ),
        **values,
    )


def _ran(*findings: Finding, check: Check = Check.VALIDATE, service: str | None = "web") -> CheckResult:
    return CheckResult(check=check, service=service, outcome=Ran(findings=findings), seconds=1.5)


# --- SARIF ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sarif_schema() -> jsonschema.Draft7Validator:
    """The official schema, as the catalogue of JSON schemas has it; read without what would fetch it."""
    store = importlib.metadata.distribution("schemastore").locate_file("schemastore/cache.sqlite")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        for (value,) in database.execute("select value from responses"):
            if b"sarif-schema-2.1.0.json" in value and b'"$schema"' in value[:200]:
                schema = json.loads(pickle.loads(value)["_content"])  # noqa: S301  # from a pinned distribution
                if "runs" in schema.get("properties", {}):
                    return jsonschema.Draft7Validator(schema)
    raise AssertionError("the catalogue has no schema of SARIF 2.1.0")


@relaxed
@given(data=st.data())
def test_sarif_is_what_its_schema_says(
    data: st.DataObject, any_report: st.SearchStrategy[Report], sarif_schema: jsonschema.Draft7Validator
) -> None:
    report = data.draw(any_report)
    document = json.loads(_text(report, "sarif"))
    errors = [f"{error.json_path}: {error.message}" for error in sarif_schema.iter_errors(document)]
    assert errors == []
    assert sum(len(run["results"]) for run in document["runs"]) == len(report.findings)
    for run in document["runs"]:
        for result in run["results"]:
            (location,) = result["locations"]
            assert location["physicalLocation"]["artifactLocation"]["uri"]
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["message"]["text"]


def _sarif(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text(report, "sarif"))
    return document


def test_a_service_that_only_ran_beside_others_does_not_seem_mended() -> None:
    beside = _ran(check=Check.SMOKE, service="db")
    report = _report(_ran(), beside, services=("web",))
    assert [run["automationDetails"]["id"] for run in _sarif(report)["runs"]] == ["hullmark/tale/web/"]
    found = _ran(_finding(service="db"), check=Check.SMOKE, service="db")
    broken = replace(beside, outcome=Broken(error="the engine is gone"))
    for each in found, broken:
        runs = _sarif(_report(_ran(), each, services=("web",)))["runs"]
        assert [run["automationDetails"]["id"] for run in runs] == ["hullmark/tale/db/", "hullmark/tale/web/"]


def test_each_service_is_a_run_with_a_category_of_its_own() -> None:
    report = _report(_ran(_finding()), _ran(service="db"), _ran(service=None))
    assert [run["automationDetails"]["id"] for run in _sarif(report)["runs"]] == [
        "hullmark/tale/",
        "hullmark/tale/db/",
        "hullmark/tale/web/",
    ]


def test_more_services_than_one_upload_takes_share_a_run() -> None:
    runs = _sarif(_report(*(_ran(service=f"s{number}") for number in range(21))))["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == ["hullmark/tale/"]


def test_paths_are_relative_to_the_repository_and_written_as_uris() -> None:
    span = SourceSpan(path="../common/my file#1.yml", line=2, column=4, end_line=2, end_column=9)
    (run,) = _sarif(_report(_ran(_finding(location=span)), prefix="examples/tale"))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {
        "uri": "examples/common/my%20file%231.yml",
        "uriBaseId": "PROJECTROOT",
    }
    assert place["region"] == {"startLine": 2, "startColumn": 4, "endColumn": 9}


def test_a_finding_in_an_image_is_shown_at_its_instruction_and_names_layer_and_path() -> None:
    inside = ImagePath(image="tale-web:dev", path="/app/.env", layer=2)
    origin = SourceSpan(path="services/web/Dockerfile", line=12, column=1, end_line=14)
    (run,) = _sarif(_report(_ran(_finding(location=inside, origin=origin))))["runs"]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "services/web/Dockerfile"
    assert location["physicalLocation"]["region"] == {"startLine": 12, "startColumn": 1, "endLine": 14}
    assert location["logicalLocations"] == [
        {"name": "tale-web:dev", "fullyQualifiedName": "tale-web:dev", "kind": "image"},
        {"name": "layer 3", "fullyQualifiedName": "tale-web:dev: layer 3", "kind": "layer"},
        {"name": ".env", "fullyQualifiedName": "tale-web:dev: layer 3: /app/.env", "kind": "resource"},
    ]


def test_what_has_no_place_in_a_file_is_shown_where_its_service_is_declared() -> None:
    (run,) = _sarif(_report(_ran(_finding(location=ServicePlace(service="web")))))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("compose.yml", 3)


def test_fingerprints_stay_when_lines_move_and_tell_equal_findings_apart() -> None:
    def prints(line: int) -> list[str]:
        place = SourceSpan(path="Dockerfile", line=line)
        (run,) = _sarif(_report(_ran(_finding(location=place), _finding(location=place))))["runs"]
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]

    assert prints(7) == prints(70) == ["0123456789abcdef:1", "0123456789abcdef:2"]


def test_a_rule_brings_its_page_and_the_rule_of_another_program_its_address() -> None:
    rules = (
        RuleText(id="DL3008", summary="pin", severity=Severity.WARNING, url="https://example.com/DL3008"),
        RuleText(
            id="root-user",
            summary="image runs as root",
            severity=Severity.ERROR,
            page="Root.\n\nMore.\n\n    USER app\n\n    RUN id\n\nEnd.",
        ),
    )
    report = _report(_ran(_finding(), _finding(rule="DL3008", severity=Severity.WARNING)), rules=rules)
    theirs, ours = _sarif(report)["runs"][0]["tool"]["driver"]["rules"]
    assert theirs["helpUri"] == "https://example.com/DL3008"
    assert ours["help"]["markdown"] == (
        "### `root-user`\n\nRoot.\n\nMore.\n\n```\nUSER app\n\nRUN id\n```\n\nEnd."
    )
    assert ours["fullDescription"]["text"] == "Root."
    assert ours["defaultConfiguration"] == {"level": "error"}


def test_a_run_that_could_not_look_does_not_look_clean() -> None:
    broken = CheckResult(check=Check.SCAN, service="web", outcome=Broken(error="no answer"))
    skipped = CheckResult(check=Check.SMOKE, service="web", outcome=Skipped(reason="no engine"))
    (run,) = _sarif(_report(broken, skipped))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [
        (each["level"], each["message"]["text"]) for each in invocation["toolExecutionNotifications"]
    ] == [
        ("error", "scan of web could not be done: no answer"),
        ("note", "smoke of web was skipped: no engine"),
    ]


def test_results_that_no_viewer_shows_are_left_out_the_least_severe_first_and_counted() -> None:
    notes = tuple(_finding(severity=Severity.NOTE, seen=str(number)) for number in range(5_001))
    (run,) = _sarif(_report(_ran(*notes, _finding(rule="over-budget"))))["runs"]
    assert len(run["results"]) == 5_000
    assert run["results"][0]["ruleId"] == "over-budget"
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith("2 more findings are left out")


# --- JUnit ---------------------------------------------------------------------------------------------------------


@relaxed
@given(data=st.data())
def test_junit_is_read_by_a_consumer_and_counts_what_was_found(
    data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    report = data.draw(any_report)
    suites = list(_junit(report))
    assert len(suites) == len(report.results)
    for suite, result in zip(suites, report.results, strict=True):
        failing = sum(report.decides(result.check, finding) for finding in result.findings)
        assert suite.failures == failing
        assert suite.errors == isinstance(result.outcome, Broken)
        assert suite.skipped == isinstance(result.outcome, Skipped)
        assert suite.tests == len(list(suite))


def _junit(report: Report) -> Iterator[junitparser.TestSuite]:
    parsed = junitparser.JUnitXml.fromstring(_text(report, "junit").encode())
    assert isinstance(parsed, junitparser.JUnitXml)
    yield from parsed


def test_junit_fails_what_decides_and_says_what_does_not() -> None:
    (suite,) = _junit(_report(_ran(_finding(), _finding(severity=Severity.NOTE, seen="a small thing"))))
    failing, passing = suite
    assert suite.name == "validate web"
    assert failing.classname == "hullmark.validate.web"
    assert [type(each) for each in failing.result] == [junitparser.Failure]
    assert failing.result[0].message == "error: image runs as root"
    assert "fix: declare `USER NAME`" in failing.result[0].text
    assert passing.is_passed
    assert "a small thing" in passing.system_out


def test_a_check_without_findings_is_one_case_that_passes() -> None:
    (suite,) = _junit(_report(_ran()))
    assert [case.is_passed for case in suite] == [True]
    assert suite.time == pytest.approx(1.5)


# --- GitHub --------------------------------------------------------------------------------------------------------


@relaxed
@given(data=st.data())
def test_annotations_stay_on_their_line_and_below_what_is_shown(
    data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    lines = _text(data.draw(any_report), "github").split("\n")
    commands = [line for line in lines if "::" in line]
    for line in commands:
        assert re.fullmatch(r"::(error|warning|notice) [^\r\n]*?::[^\r\n]*", line)
    for kind in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{kind} ") for line in commands) <= 10


def test_an_annotation_is_a_command_with_its_place_and_its_message_escaped() -> None:
    report = _report(_ran(_finding(seen="100 %,\nreally: yes")), prefix="examples/tale")
    first = _text(report, "github").split("\n", 1)[0]
    assert first == (
        "::error title=root-user%3A image runs as root,file=examples/tale/Dockerfile,line=7,endLine=8"
        "::web: 100 %25,%0Areally: yes%0Aexpected a user other than root%0Afix: declare `USER NAME`"
    )


def test_the_worst_ten_are_annotated_and_the_rest_is_counted() -> None:
    text = _text(_report(_ran(*(_finding(seen=str(number)) for number in range(13)))), "github")
    assert text.count("::error ") == 10
    assert "\n3 more of severity error have no annotation; the report has all of them\n" in text
    assert text.endswith("verdict: not clean (exit 1)\n")


def test_output_of_others_gives_no_commands() -> None:
    report = _report(
        CheckResult(check=Check.SMOKE, service=None, outcome=Skipped(reason="::set-env name=A::b"))
    )
    assert "::" not in _text(report, "github")


# --- Markdown ------------------------------------------------------------------------------------------------------

_MARKDOWN = MarkdownIt("gfm-like", {"linkify": True, "html": True})
# GitHub makes links of addresses and of `www.`, and of no other name with a dot.
assert _MARKDOWN.linkify is not None
_MARKDOWN.linkify.set({"fuzzy_link": False})


@relaxed
@given(data=st.data())
def test_markdown_fits_a_comment_and_holds_no_html_but_ours(
    data: st.DataObject, any_report: st.SearchStrategy[Report]
) -> None:
    text = _text(data.draw(any_report), "markdown")
    assert len(text) <= 65_536
    assert text.startswith("<!-- hullmark -->\n## ")
    html = [
        child.content
        for token in _MARKDOWN.parse(text)
        for child in (token, *(token.children or ()))
        if child.type in {"html_block", "html_inline"}
    ]
    for each in html:
        outside = re.sub(r"</?(details|summary)>|<br>|<!-- hullmark -->", "", each)
        assert "<" not in outside
    assert text.count("<details>") == text.count("</details>")


def test_markdown_shows_services_against_checks_and_findings_with_their_remedy() -> None:
    report = _report(
        _ran(_finding()),
        _ran(service="db"),
        CheckResult(check=Check.SCAN, service="web", outcome=Skipped(reason="no `trivy`")),
    )
    assert _text(report, "markdown") == (
        "<!-- hullmark -->\n"
        "## ❌ not clean: `tale`\n"
        "\n"
        "1 error, 1 skipped; exit 1; 12.0 s\n"
        "\n"
        "| service | validate | scan |\n"
        "| --- | --- | --- |\n"
        "| `web` | **1 error** | skipped |\n"
        "| `db` | ok |  |\n"
        "\n"
        "### Findings\n"
        "\n"
        "- ❌ **root-user**: image runs as root, at `Dockerfile:7:3`<br>\n"
        "  `web`: no user, which is `root`<br>\n"
        "  expected a user other than root<br>\n"
        "  fix: declare `USER NAME`\n"
        "\n"
        "- scan skipped: no `trivy` (`web`)\n"
    )


def test_markdown_of_hundreds_of_reasons_fits_and_counts_the_rest() -> None:
    broken = [
        CheckResult(check=Check.VALIDATE, service=f"s{number}", outcome=Broken(error=f"{number} " * 200))
        for number in range(200)
    ]
    text = _text(_report(*broken), "markdown")
    assert len(text) <= 65_536
    assert re.search(r"_\d+ more are left out here; the JSON report has all of them\._", text)


def test_markdown_of_thousands_of_findings_keeps_the_worst_and_counts_the_rest() -> None:
    notes = tuple(_finding(severity=Severity.NOTE, seen="n" * 500) for _ in range(3_000))
    errors = tuple(_finding(seen=f"error number {number}") for number in range(50))
    text = _text(_report(_ran(*notes, *errors)), "markdown")
    assert len(text) <= 65_536
    assert "error number 49" in text
    assert re.search(r"_\d+ more are left out here; the JSON report has all of them\._", text)


@pytest.mark.parametrize(
    "hostile",
    [
        "@everyone see #1",
        "see https://example.com/x and www.example.com",
        "](https://example.com)",
        "<script>",
        "a|b",
        "`",
        "**x**",
    ],
)
def test_what_a_finding_quotes_is_neither_markup_nor_mention(hostile: str) -> None:
    text = _text(_report(_ran(_finding(seen=hostile, summary=hostile))), "markdown")
    rendered = _MARKDOWN.render(text)
    assert "<script" not in rendered
    assert "<a " not in rendered
    assert not re.search(r"\bwww\.|://", re.sub(r"<code>.*?</code>", "", rendered))
    assert not re.search(r"[@#]\w", re.sub(r"<code>.*?</code>", "", rendered))
    assert rendered.count("<strong>") == 2


def test_the_table_of_a_comment_begins_with_the_worst_and_counts_as_people_do() -> None:
    report = _report(
        _ran(service="s10"),
        _ran(service="s2"),
        _ran(_finding(severity=Severity.WARNING), service="t"),
        _ran(_finding(severity=Severity.ERROR), service="z"),
    )
    rows = [line.split(" | ")[0] for line in _text(report, "markdown").splitlines() if line.startswith("| `")]
    assert [row.strip("| `") for row in rows] == ["z", "t", "s2", "s10"]
