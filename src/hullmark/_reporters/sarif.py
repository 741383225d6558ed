"""The report for code scanning: SARIF 2.1.0 (OASIS), one run for each service.

Every result has a place in a file of the repository, because a viewer refuses one that has none: a finding inside of
an image is shown at the instruction that brought it, and the image, layer and path stand beside it as logical
locations. Paths are relative to the repository and results have fingerprints, so that nothing seems new that only
moved.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from textwrap import dedent
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hullmark import __version__
from hullmark._reporters.against import missing
from hullmark._reporters.places import in_repository
from hullmark.model.baseline import Standing
from hullmark.model.finding import Severity, numbered
from hullmark.model.location import ImageConfig, ImagePath, ServicePlace, SourceSpan, layer_name
from hullmark.model.outcome import Broken, Ran, Skipped
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.finding import Finding
    from hullmark.model.outcome import CheckResult
    from hullmark.model.report import Report, RuleText

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RUNS = 20
"""Runs that GitHub takes in one upload."""
MOST_RESULTS = 5_000
"""Results of one run that GitHub shows."""
_ROOT = "PROJECTROOT"
_STATES = {Standing.INTRODUCED: "new", Standing.DISCLOSED: "new", Standing.KNOWN: "unchanged"}


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # the same everywhere
    """See `interface.render`."""
    groups = _groups(report)
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(report, name, results) for name, results in groups],
    }
    # Surrogates stand for bytes that are not UTF-8, which JSON must be.
    yield readable(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _groups(report: Report) -> list[tuple[str, list[CheckResult]]]:
    """What goes into one run: the results of one service; of all of them when there are too many services.

    A run takes the place of the earlier one of its category. So a service that only ran because others need it, and of
    which nothing was found, has none: what is known of its image would seem to be mended.
    """
    by_service: dict[str, list[CheckResult]] = {}
    for result in report.results:
        by_service.setdefault(result.service or "", []).append(result)
    for name, results in list(by_service.items()):
        aside = name not in {"", *report.services}
        if aside and all(isinstance(each.outcome, Ran) and not each.findings for each in results):
            del by_service[name]
    if len(by_service) > MOST_RUNS or not by_service:
        return [("", list(report.results))]
    return sorted(by_service.items())


def _run(report: Report, service: str, results: list[CheckResult]) -> dict[str, Any]:
    found = list(numbered(finding for result in results for finding in result.findings))
    kept = found[:MOST_RESULTS]
    shown = [finding for finding, _ in kept]
    rules = sorted({finding.rule for finding in shown})
    index = {rule: position for position, rule in enumerate(rules)}
    texts = {text.id: text for text in report.rules}
    notifications = [*_uncompared(report), *_unchecked(results), *_dropped(len(found) - len(shown))]
    image = next((each for each in report.images if each.service == service), None)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "hullmark",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule, texts.get(rule), shown) for rule in rules],
            }
        },
        "automationDetails": {"id": f"hullmark/{report.project}/{service}".rstrip("/") + "/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": not any(isinstance(result.outcome, Broken) for result in results),
                "startTimeUtc": report.started.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                "endTimeUtc": report.finished.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [_result(report, finding, index, name) for finding, name in kept],
    }
    if image is not None:
        run["properties"] = {
            "image": image.reference,
            "configDigest": image.config_digest,
            "manifestDigest": image.digest,
            "platform": image.platform,
        }
    return run


def _unchecked(results: Iterable[CheckResult]) -> Iterator[dict[str, Any]]:
    """What could not be looked at, so that an empty run is not taken for a clean one."""
    for result in results:
        where = f" of {result.service}" if result.service else ""
        match result.outcome:
            case Broken(error=reason):
                yield {
                    "level": "error",
                    "message": {"text": f"{result.check}{where} could not be done: {reason}"},
                }
            case Skipped(reason=reason):
                yield {"level": "note", "message": {"text": f"{result.check}{where} was skipped: {reason}"}}
            case Ran():
                pass


def _uncompared(report: Report) -> Iterator[dict[str, Any]]:
    if report.comparison is not None and (none := missing(report.comparison)):
        yield {"level": "warning", "message": {"text": none}}


def _dropped(count: int) -> Iterator[dict[str, Any]]:
    if count > 0:
        yield {
            "level": "warning",
            "message": {
                "text": f"{count} more findings are left out, the least severe ones; the JSON report has all"
            },
        }


def _rule(rule: str, text: RuleText | None, shown: list[Finding]) -> dict[str, Any]:
    first = next(finding for finding in shown if finding.rule == rule)
    described: dict[str, Any] = {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "shortDescription": {"text": _sentence(text.summary if text else first.summary)},
    }
    if text is not None:
        described["defaultConfiguration"] = {"level": _level(text.severity)}
        described["properties"] = {"problem.severity": _problem(text.severity), "tags": ["container"]}
        if text.page:
            described["fullDescription"] = {"text": _first_paragraph(text.page)}
            described["help"] = {"text": text.page, "markdown": _markdown(rule, text.page)}
        if text.url:
            described["helpUri"] = text.url
            described.setdefault("help", {"text": f"Described at {text.url}"})
    return described


def _markdown(rule: str, page: str) -> str:
    """`page` under the name of its rule, with what it shows by indentation between fences."""
    blocks = [f"### `{rule}`"]
    code = False
    for block in page.split("\n\n"):
        indented = block.startswith("    ")
        if not indented:
            blocks.append(block)
        elif code:
            # A blank line within what is shown does not end it.
            blocks[-1] = f"{blocks[-1].removesuffix('```')}\n{dedent(block)}\n```"
        else:
            blocks.append(f"```\n{dedent(block)}\n```")
        code = indented
    return "\n\n".join(blocks)


def _first_paragraph(page: str) -> str:
    return _sentence(" ".join(page.split("\n\n", 1)[0].split()))


def _sentence(text: str) -> str:
    text = text.strip() or "?"
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _level(severity: Severity) -> str:
    return str(severity)


def _problem(severity: Severity) -> str:
    return "recommendation" if severity is Severity.NOTE else str(severity)


def _result(report: Report, finding: Finding, index: dict[str, int], name: str) -> dict[str, Any]:
    service = f"{finding.service}: " if finding.service else ""
    location: dict[str, Any] = {"physicalLocation": _physical(report, finding)}
    if logical := _logical(finding):
        location["logicalLocations"] = logical
    state = {} if finding.standing is None else {"baselineState": _STATES[finding.standing]}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _level(finding.severity),
        "message": {
            "text": f"{_sentence(finding.summary)} {service}{finding.seen}\n"
            f"Expected {finding.expected}.\nFix: {finding.remedy}"
        },
        "locations": [location],
        "partialFingerprints": {
            "hullmarkFingerprint/v1": finding.fingerprint,
            # The name that GitHub looks for; without it, it makes one of the text of the line, which moves.
            "primaryLocationLineHash": name,
        },
        **state,
        "properties": {
            "service": finding.service,
            "aliases": list(finding.aliases),
            "location": str(finding.location),
        },
    }


def _physical(report: Report, finding: Finding) -> dict[str, Any]:
    span = finding.location if isinstance(finding.location, SourceSpan) else finding.origin
    if span is None:
        places = dict(report.places)
        # A viewer needs some file: what is about no service is shown where the first one is declared.
        span = places.get(finding.service or "") or next(iter(places.values()), SourceSpan(path="."))
    region: dict[str, int] = {"startLine": max(span.line, 1), "startColumn": max(span.column, 1)}
    if span.end_line > span.line:
        region["endLine"] = span.end_line
    if span.end_column and (span.end_line > span.line or span.end_column > span.column):
        region["endColumn"] = span.end_column
    return {"artifactLocation": _artifact(report, span.path), "region": region}


def _artifact(report: Report, path: str) -> dict[str, str]:
    """A file of the repository, relative to it; one from elsewhere as it is."""
    if path.startswith("/"):
        return {"uri": f"file://{_quoted(path)}"}
    return {"uri": _quoted(in_repository(report, path)), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def _logical(finding: Finding) -> list[dict[str, Any]]:
    match finding.location:
        case ImagePath(image=image, path=path, layer=layer):
            where = "" if layer is None else f"{layer_name(layer)}: "
            return [
                _named(image, image, "image"),
                *(
                    []
                    if layer is None
                    else [_named(layer_name(layer), f"{image}: {layer_name(layer)}", "layer")]
                ),
                _named(PurePosixPath(path).name or "/", f"{image}: {where}{path}", "resource"),
            ]
        case ImageConfig(image=image, key=key):
            return [_named(image, image, "image"), _named(key, f"{image}: config.{key}", "member")]
        case ServicePlace(service=service):
            return [_named(service, f"service {service}", "module")]
        case _:
            return []


def _named(name: str, full: str, kind: str) -> dict[str, Any]:
    return {"name": name, "fullyQualifiedName": full, "kind": kind}
