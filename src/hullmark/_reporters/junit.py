"""The report as JUnit XML: a suite for each check of each service, a case for each finding.

There is no one standard; this is the form that the common consumers read. A finding at or above the threshold is a
failure, one below it a case that passes and says so, a check that could not run an error, and one that was not run is
skipped: none of them looks like a check that found nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hullmark._reporters.against import missing
from hullmark._reporters.failure import failures
from hullmark._reporters.places import place
from hullmark.model.outcome import Broken, Check, Ran, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult
    from hullmark.model.report import Report


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # the same everywhere
    """See `interface.render`."""
    suites = [_suite(report, result) for result in report.results]
    root = ET.Element(
        "testsuites",
        {
            "name": _xml(report.project),
            "time": f"{(report.finished - report.started).total_seconds():.3f}",
            **_sums(suites),
        },
    )
    root.extend(suites)
    if report.comparison is not None and (none := missing(report.comparison)):
        for suite in suites[:1]:
            suite.insert(0, _warning(none))
    ET.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield ET.tostring(root, encoding="unicode") + "\n"


def _warning(text: str) -> ET.Element:
    """What is worth knowing of the whole run, which has no place of its own but at a suite."""
    properties = ET.Element("properties")
    ET.SubElement(properties, "property", {"name": "warning", "value": _xml(text)})
    return properties


def _suite(report: Report, result: CheckResult) -> ET.Element:
    name = f"{result.check} {result.service}" if result.service else str(result.check)
    suite = ET.Element(
        "testsuite",
        {
            "name": _xml(name),
            "timestamp": report.started.strftime("%Y-%m-%dT%H:%M:%S"),
            "time": f"{result.seconds:.3f}",
        },
    )
    classname = ".".join(("hullmark", str(result.check), result.service or "project"))
    cases = [_finding(report, result, finding) for finding in result.findings]
    match result.outcome:
        case Broken(error=reason):
            case = ET.Element("testcase", {"name": _xml(name)})
            ET.SubElement(case, "error", {"message": _first_line(reason), "type": "broken"}).text = _xml(
                reason
            )
            cases.append(case)
        case Skipped(reason=reason):
            case = ET.Element("testcase", {"name": _xml(name)})
            ET.SubElement(case, "skipped", {"message": _first_line(reason)})
            cases.append(case)
        case Ran(findings=()):
            cases.append(ET.Element("testcase", {"name": _xml(name)}))
        case Ran():
            pass
    for case in cases:
        case.set("classname", _xml(classname))
        # What one finding took is not known: the time of the check stands at the suite and its first case.
        case.set("time", f"{result.seconds if case is cases[0] else 0:.3f}")
    suite.extend(cases)
    for key, value in {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }.items():
        suite.set(key, str(value))
    return suite


def _finding(report: Report, result: CheckResult, finding: Finding) -> ET.Element:
    case = ET.Element("testcase", {"name": _xml(f"{finding.rule} at {place(report, finding.location)}")})
    head = f"{finding.severity}: {finding.summary}"
    where = place(report, finding.location)
    text = f"{where}: {head}\n{finding.seen}\nexpected {finding.expected}\nfix: {finding.remedy}"
    for failure in failures(report) if result.check is Check.SMOKE else ():
        # The finding on the service itself, not on one of its probes: there its last words belong.
        if (failure.service, failure.span) == (finding.service, finding.location):
            text = "\n".join((text, "", f"{failure.service} {failure.standing}", *failure.evidence))
    if report.decides(result.check, finding):
        ET.SubElement(case, "failure", {"message": _first_line(head), "type": finding.rule}).text = _xml(text)
    else:
        ET.SubElement(case, "system-out").text = _xml(text)
    return case


def _sums(suites: list[ET.Element]) -> dict[str, str]:
    return {
        key: str(sum(int(suite.get(key, "0")) for suite in suites))
        for key in ("tests", "failures", "errors", "skipped")
    }


def _first_line(text: str) -> str:
    lines = text.splitlines()
    return _xml(lines[0]) if lines else ""


def _xml(text: str) -> str:
    """`text` without what XML 1.0 cannot hold, whatever way it is escaped."""
    return "".join(c if _is_character(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_character(code: int) -> bool:
    """Whether `code` is a `Char` of XML 1.0, section 2.2."""
    return (
        code in {0x9, 0xA, 0xD}
        or 0x20 <= code <= 0xD7FF  # noqa: PLR2004  # the ranges of the specification
        or 0xE000 <= code <= 0xFFFD  # noqa: PLR2004
        or code >= 0x10000  # noqa: PLR2004
    )
